#include "inference/output_row.h"

#include <utility>

#include "base/errors.h"

namespace rondo {

namespace {

Tensor turned(const Tensor& weight) {
  const int64_t rows = weight.dim(0), columns = weight.dim(1);
  Tensor result({columns, rows});
  const float* from = weight.data<float>();
  float* to = result.data<float>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

const Tensor& value_of(const LanguageNetwork& network, const std::string& name) {
  for (const Parameter& parameter : network.parameters().all()) {
    if (parameter.name == name) return parameter.value;
  }
  throw_error<FormatError>("language model: it has no {}", name);
}

}  // namespace

OutputWeights::OutputWeights(const LanguageNetwork& network)
    : vocabulary(network.vocabulary()), shortlist(vocabulary) {
  if (!network.output().adaptive()) {
    weight = turned(network.options().tied ? network.embedding().table().value
                                           : value_of(network, "decoder.weight"));
    bias = value_of(network, "decoder.bias").clone();
    return;
  }
  weight = turned(value_of(network, "decoder.head.weight"));
  std::vector<int64_t> ends = network.output().shape().cutoffs;
  shortlist = ends.front();
  ends.push_back(vocabulary);
  for (size_t i = 0; i + 1 < ends.size(); ++i) {
    tails.push_back({.first = ends[i],
                     .size = ends[i + 1] - ends[i],
                     .down = turned(value_of(network, fmt::format("decoder.tail.{}.0.weight", i))),
                     .up = turned(value_of(network, fmt::format("decoder.tail.{}.1.weight", i)))});
  }
}

OutputRow::OutputRow(std::shared_ptr<const OutputWeights> weights, Backend& backend)
    : weights_(std::move(weights)),
      backend_(&backend),
      scores_({1, weights_->vocabulary}),
      probabilities_({1, weights_->vocabulary}),
      loss_({1, 1}) {
  scores_.fill(0);
  if (weights_->tails.empty()) return;
  head_ = Tensor({1, weights_->weight.dim(1)});
  narrow_ = Tensor({1, weights_->tails.front().down.dim(1)});
}

std::span<const float> OutputRow::scores(std::span<const float> h) {
  const auto width = static_cast<int64_t>(h.size());
  const ConstMatrix x(h.data(), DType::kFloat32, 1, width, width);
  const bool full = weights_->tails.empty();
  backend_->product({.a = x,
                     .b = weights_->weight.matrix(),
                     .c = full ? scores_.matrix() : head_.matrix(),
                     .bias = full ? ConstMatrix(weights_->bias.matrix()) : ConstMatrix()});
  if (!full) score_tails(x);
  return {scores_.data<float>(), static_cast<size_t>(weights_->vocabulary)};
}

// log p(id of tail i) = log p(tail i) + log p(id | tail i).
void OutputRow::score_tails(ConstMatrix h) {
  normalize(head_.matrix());
  backend_->copy(head_.matrix().columns_at(0, weights_->shortlist),
                 scores_.matrix().columns_at(0, weights_->shortlist), false);
  const float* of_tail = head_.data<float>() + weights_->shortlist;
  for (const OutputWeights::Tail& tail : weights_->tails) {
    const Matrix narrow = narrow_.matrix().columns_at(0, tail.down.dim(1));
    const Matrix part = scores_.matrix().columns_at(tail.first, tail.size);
    backend_->product({.a = h, .b = tail.down.matrix(), .c = narrow});
    backend_->product({.a = narrow, .b = tail.up.matrix(), .c = part});
    normalize(part);
    float* x = part.row<float>(0);
    for (int64_t i = 0; i < tail.size; ++i) x[i] += *of_tail;
    ++of_tail;
  }
}

void OutputRow::normalize(Matrix x) {
  const int32_t first = 0;
  float* values = x.row<float>(0);
  backend_->softmax_cross_entropy(x, std::span(&first, 1), probabilities_.matrix().columns_at(0, x.columns),
                                  loss_.matrix());
  const float log_sum = loss_.data<float>()[0] + values[0];
  for (int64_t i = 0; i < x.columns; ++i) values[i] -= log_sum;
}

float OutputRow::log_probability(int32_t id) {
  if (!weights_->tails.empty()) return scores_.data<float>()[id];
  backend_->softmax_cross_entropy(scores_.matrix(), std::span(&id, 1), probabilities_.matrix(),
                                  loss_.matrix());
  return -loss_.data<float>()[0];
}

std::span<const float> OutputRow::probabilities() {
  backend_->softmax_cross_entropy(scores_.matrix(), {}, probabilities_.matrix(), {});
  return {probabilities_.data<float>(), static_cast<size_t>(weights_->vocabulary)};
}

}  // namespace rondo
