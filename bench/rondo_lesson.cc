#include "rondo_lesson.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/cpu/cpu_backend.h"
#include "rondo_layers.h"
#include "tensor/operations.h"

namespace rondo::bench {
namespace {

constexpr double kRate = 1e-3;
constexpr size_t kStepsCompared = 20;

std::vector<int32_t> to_ids(const float* values, int64_t count) {
  std::vector<int32_t> ids(count);
  std::transform(values, values + count, ids.begin(),
                 [](float value) { return static_cast<int32_t>(value); });
  return ids;
}

Variable mean_loss(const Variable& logits, const std::vector<int32_t>& labels) {
  const auto count = static_cast<int64_t>(labels.size());
  Tensor weights({count});
  std::fill_n(weights.data<float>(), count, 1.0F / static_cast<float>(count));
  return weighted_sum(softmax_cross_entropy(logits, labels).losses, weights);
}

}  // namespace

void RondoLesson::prepare(const Case& c, const std::string& inputs) {
  case_ = c;
  if (c.precision != "f32") throw std::runtime_error("no " + c.precision + " yet");
  const std::vector<float> values = read_floats(inputs);
  backend_ = make_cpu_backend(c.threads);
  const ClassifierOptions options{.embedding = c.input,
                                  .embedding_dropout = 0,
                                  .recurrent = {.cell = cell_of(c.cell), .hidden = c.hidden},
                                  .pool = PoolKind::kFinal,
                                  .output_dropout = 0};
  network_ = std::make_unique<ClassifierNetwork>(options, c.vocabulary, c.classes);
  const float* rest = load_weights(values.data());
  load_batches(rest, values.data() + values.size());
  // The lesson does not clip.
  optimizer_ = std::make_unique<Optimizer>(*backend_, network_->parameters(),
                                           OptimizerOptions{.lr = kRate, .clip = 0});
}

// In the order of PyTorch's parameters(): embedding, weight_ih, weight_hh, bias_ih, bias_hh, linear's two.
const float* RondoLesson::load_weights(const float* values) {
  for (Parameter& parameter : network_->parameters().all()) {
    const int64_t count = parameter.value.size();
    std::copy_n(values, count, parameter.value.data<float>());
    values += count;
  }
  return values;
}

// A batch: B lengths, B labels, then the ids of each sequence.
void RondoLesson::load_batches(const float* values, const float* end) {
  while (values < end) {
    LessonBatch batch;
    const std::vector<int32_t> lengths = to_ids(values, case_.batch);
    batch.lengths.assign(lengths.begin(), lengths.end());
    batch.labels = to_ids(values + case_.batch, case_.batch);
    values += 2 * case_.batch;
    const Packing packing(batch.lengths);
    batch.ids.resize(packing.num_rows());
    for (int64_t n = 0; n < case_.batch; ++n) {
      for (int64_t t = 0; t < batch.lengths[n]; ++t) {
        batch.ids[packing.rows().row(t, n)] = static_cast<int32_t>(*values++);
      }
    }
    batches_.push_back(std::move(batch));
  }
}

float RondoLesson::step(const LessonBatch& batch) {
  network_->parameters().clear_gradients();
  Tape tape(*backend_, {.recording = true, .training = true});
  const Packing packing(batch.lengths);
  const Variable loss = mean_loss(network_->forward(tape, batch.ids, packing).logits, batch.labels);
  tape.backward(loss);
  optimizer_->step(kRate);
  return static_cast<float>(loss.value().at(0));
}

void RondoLesson::run() {
  if (case_.variant == "epoch") {
    for (const LessonBatch& batch : batches_) losses_.assign(1, step(batch));
    optimizer_->settle();
    return;
  }
  const float loss = step(batches_[next_]);
  if (losses_.size() < kStepsCompared) losses_.push_back(loss);
  next_ = (next_ + 1) % batches_.size();
}

std::vector<float> RondoLesson::outputs() {
  while (case_.variant != "epoch" && losses_.size() < kStepsCompared) run();
  return losses_;
}

}  // namespace rondo::bench
