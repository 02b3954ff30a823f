#include "training/captioner_training.h"

#include <algorithm>

#include "base/errors.h"
#include "base/memory.h"
#include "storage/captioner_file.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed; training_loop.cc has its own.
constexpr uint64_t kInitialStream = 2;

constexpr const char* kBaseline = "captioner.baseline";

}  // namespace

void CaptionTask::check() const {
  model.check();
  loop.check();
  const CaptionCorpusOptions defaults;
  const CaptionStepOptions plain;
  const bool subwords = model.tokenizer == TokenizerKind::kSentencePiece;
  const bool fixed = subwords || model.tokenizer == TokenizerKind::kBytes;
  refuse_without_effect(!subwords && corpus.subwords != defaults.subwords, "subwords",
                        "--tokenizer sentencepiece");
  refuse_without_effect(fixed && (corpus.min_count != defaults.min_count || corpus.max_vocabulary != 0),
                        "min-count or --max-vocabulary", "a tokenizer whose vocabulary is counted");
  refuse_without_effect(!files.dev_captions.empty() && corpus.dev_fraction != defaults.dev_fraction,
                        "dev-fraction", "pictures held out, not --dev-captions");
  const bool hard = model.attention == CaptionAttention::kHard;
  refuse_without_effect(
      steps.even_attention != plain.even_attention && model.attention != CaptionAttention::kSoft,
      "even-attention", "--attention soft");
  refuse_without_effect(
      steps.taught_attention > 0 && (model.attention != CaptionAttention::kSoft || !files.features.empty()),
      "taught-attention", "--attention soft over --images");
  const bool drawing = steps.reward != plain.reward || steps.entropy != plain.entropy ||
                       steps.baseline_memory != plain.baseline_memory || steps.drawn != plain.drawn;
  refuse_without_effect(drawing && !hard, "reward, --entropy, --baseline-memory or --drawn",
                        "--attention hard");
}

CaptionerTraining::CaptionerTraining(const CaptionTask& task, Backend& backend, Profile* profile)
    : task_(task), backend_(backend), profile_(profile) {
  {
    const Profile::Scope timed(profile_, Profile::Section::kTokenising);
    data_ = read_caption_data(task_, backend.threads());
    release_freed_memory();
  }
  model_.text = data_.text;
  model_.network = std::make_unique<CaptionerNetwork>(task_.model, model_.text.vocabulary.size());
  model_.network->initialize(Stream(static_cast<uint64_t>(task_.loop.seed), {kInitialStream}),
                             model_.text.end());
  updates_per_epoch_ = static_cast<int64_t>(batches(0).size());
  add_fingerprints();
}

void CaptionerTraining::add_fingerprints() {
  for (const std::vector<CaptionIds>* captions : {&data_.train, &data_.dev}) {
    for (const CaptionIds& caption : *captions) {
      const int64_t where[] = {caption.picture, std::ssize(caption.ids)};
      fingerprint_.add(where);
      fingerprint_.add(caption.ids);
      fingerprint_.add(caption.looks);
    }
  }
  for (const std::vector<std::string>& references : data_.dev_references) fingerprint_.add(references);
  fingerprint_.add(data_.names);
  fingerprint_.add(std::span<const uint8_t>(data_.pictures.bytes));
  if (data_.pictures.features) {
    const auto* bits = static_cast<const int32_t*>(data_.pictures.features.raw());
    fingerprint_.add(std::span(bits, static_cast<size_t>(data_.pictures.features.size())));
  }
  fingerprint_.add(model_.text.vocabulary.tokens());
  fingerprint_.add(model_.network->parameters());
}

const std::vector<std::vector<int32_t>>& CaptionerTraining::batches(int64_t epoch) {
  if (epoch != batches_epoch_) {
    batches_ =
        plan_caption_batches(data_.train, task_.loop.batch, static_cast<uint64_t>(task_.loop.seed), epoch);
    batches_epoch_ = epoch;
  }
  return batches_;
}

TrainingTask::Step CaptionerTraining::step(Tape& tape, int64_t epoch, int64_t index) {
  const std::vector<int32_t>& chosen = batches(epoch)[static_cast<size_t>(index)];
  std::vector<const CaptionIds*> captions;
  Step step;
  for (const int32_t i : chosen) {
    captions.push_back(&data_.train[static_cast<size_t>(i)]);
    step.lines.push_back(data_.lines[static_cast<size_t>(i)]);
  }
  const CaptionBatch batch = make_caption_batch(captions, data_.pictures, model_.text.end());
  const Profile::Scope timed(profile_, Profile::Section::kForward);
  const CaptionStepOptions& options = task_.steps;
  const bool hard = task_.model.attention == CaptionAttention::kHard;
  // One throw of the coin a batch, not one a caption: as the authors' code does.
  const bool draws = hard && tape.next_stream().uniform(0) < options.drawn;
  const CaptionPass pass = model_.network->forward(tape, batch, {draws ? Look::kDrawn : Look::kAll, {}});
  step.tokens = batch.num_targets();
  const CaptionLoss loss = model_.network->loss(
      pass, batch,
      {.scale = 1 / static_cast<double>(step.tokens),
       .even_attention = task_.model.attention == CaptionAttention::kSoft ? options.even_attention : 0,
       .taught_attention = options.taught_attention,
       .reward = rewarded_ ? options.reward : 0,
       .baseline = baseline_,
       .entropy = options.entropy});
  step.loss = loss.total;
  step.told = loss.nll / static_cast<double>(step.tokens);
  const auto num_captions = static_cast<double>(captions.size());
  if (task_.model.attention == CaptionAttention::kSoft) {
    step.parts.emplace_back("uneven_attention", loss.uneven / num_captions);
    if (options.taught_attention > 0) step.parts.emplace_back("taught_attention", loss.taught / num_captions);
  }
  if (!hard) return step;
  step.parts = {{"reward", loss.reward}, {"baseline", baseline_}, {"drawn", draws ? 1 : 0}};
  baseline_ = rewarded_ ? options.baseline_memory * baseline_ + (1 - options.baseline_memory) * loss.reward
                        : loss.reward;
  rewarded_ = true;
  return step;
}

NamedTensors CaptionerTraining::state() const {
  if (task_.model.attention != CaptionAttention::kHard) return {};
  Tensor values({2}, DType::kFloat64);
  values.data<double>()[0] = baseline_;
  values.data<double>()[1] = rewarded_ ? 1 : 0;
  return {{kBaseline, values}};
}

void CaptionerTraining::restore_state(const NamedTensors& state) {
  if (task_.model.attention != CaptionAttention::kHard) return;
  const Tensor& values = find_tensor(state, kBaseline);
  if (values.type() != DType::kFloat64 || values.size() != 2) {
    throw_error<FormatError>("{} must be float64 [2], got {}", kBaseline, to_string(values.shape()));
  }
  baseline_ = values.data<double>()[0];
  rewarded_ = values.data<double>()[1] != 0;
}

CaptionerEvaluation CaptionerTraining::evaluation() {
  const Profile::Scope timed(profile_, Profile::Section::kEvaluation);
  model_.network->prepare(backend_, task_.model.precision);
  const CaptionerEvaluation result = evaluate_captioner(model_, backend_,
                                                        {.pictures = data_.pictures,
                                                         .numbers = data_.dev_pictures,
                                                         .references = data_.dev_references,
                                                         .captions = data_.dev},
                                                        task_.corpus.max_length);
  model_.network->forget_prepared();
  return result;
}

TrainingTask::Dev CaptionerTraining::evaluate() {
  const CaptionerEvaluation result = evaluation();
  return {.loss = result.loss(), .metric = result.scores.bleu[3]};
}

ModelFile CaptionerTraining::pack(nlohmann::json metrics) const {
  if (metrics.is_object() && !metrics.empty()) {
    metrics["dev_text"] = data_.dev_description;
    metrics["metric"] = "BLEU-4 (13a, lower case) of greedy captions";
  }
  return pack_captioner(model_, std::move(metrics));
}

nlohmann::json CaptionerTraining::identity() const {
  CaptionTask task = task_;
  nlohmann::json options = OptionList(task).to_json();
  // Names of files whose contents the fingerprint knows.
  for (const char* name : {"images", "features", "captions", "dev-captions"}) options.erase(name);
  return run_identity(std::move(options), fingerprint_, backend_);
}

namespace {

// Of batches of other shapes that the pool keeps, and of a checkpoint's header.
constexpr int64_t kSpareBytes = 20'000'000;

// Numbers of a picture that the backward pass needs: windows of all blocks, their products and results; and
// on the way back the gradient of the largest of them.
int64_t picture_numbers(const CaptionerOptions& model) {
  if (model.given()) return 2 * model.num_regions() * model.region_columns();
  int64_t kept = 0, largest = 0, input = model.channels(), side = model.image_size;
  for (int64_t block = 0; block < model.blocks; ++block) {
    const int64_t pixels = side * side, filters = model.filters << block;
    const int64_t windows = 9 * input * pixels;
    kept += windows + (filters + input) * pixels + filters * pixels / 2;
    largest = std::max(largest, windows + (filters + 2 * input) * pixels);
    input = filters;
    side /= 2;
  }
  return kept + largest;
}

}  // namespace

// What the process holds now (the moments among it), and what the run adds: gradients, the best state, a
// step.
int64_t CaptionerTraining::estimate_memory() const {
  const CaptionerOptions& model = task_.model;
  const auto captions = std::min<int64_t>(task_.loop.batch, std::ssize(data_.train));
  size_t longest = 0;
  for (const CaptionIds& caption : data_.train) longest = std::max(longest, caption.ids.size() + 1);
  const int64_t D = model.region_columns(), L = model.num_regions();
  // Gates, cells, states, inputs and contexts of a word, its attention, its logits on the way back.
  const int64_t row = 12 * model.hidden + 6 * (model.embedding + D) + 4 * L + model.attention_size +
                      model_.text.vocabulary.size();
  const int64_t rows = captions * static_cast<int64_t>(longest);
  const int64_t step =
      4 * (captions * (picture_numbers(model) + 3 * L * (D + model.attention_size)) + rows * row);
  return resident_bytes() + kSpareBytes + 4 * 2 * model_.network->parameters().num_values() + step;
}

TrainingPlan CaptionerTraining::plan() const {
  return {.input_format = data_.format,
          .dev_format = data_.dev_description,
          .examples = std::ssize(data_.train),
          .dev_examples = std::ssize(data_.dev),
          .vocabulary = model_.text.vocabulary.size(),
          .pictures = data_.pictures.size(),
          .unknown_share = data_.unknown_share,
          .parameters = model_.network->parameters().num_values(),
          .memory_bytes = estimate_memory(),
          .updates_per_epoch = updates_per_epoch_,
          .threads = backend_.threads().threads(),
          .backend = backend_.name(),
          .metric = "BLEU-4",
          .warnings = data_.warnings};
}

}  // namespace rondo
