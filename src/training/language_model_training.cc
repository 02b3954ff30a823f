#include "training/language_model_training.h"

#include <algorithm>

#include "base/errors.h"
#include "base/memory.h"
#include "data/batches.h"
#include "layers/activation_penalty.h"
#include "models/gate_sample.h"
#include "storage/language_model_file.h"
#include "tensor/operations.h"
#include "training/memory_estimate.h"
#include "training/recomputed_loss.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed; training_loop.cc has its own.
constexpr uint64_t kInitialStream = 2;

// What a chunk in segments cannot do.
void check_segments(const LanguageTask& task) {
  const RecurrentOptions& r = task.model.recurrent;
  const char* hindrance = nullptr;
  if (task.unroll.ar > 0 || task.unroll.tar > 0)
    hindrance = "leave --ar and --tar out, they are of whole chunks";
  if (r.bidirectional) hindrance = "leave --bidirectional out, segments go forwards";
  if (!r.locked_dropout && (r.dropout > 0 || r.input_dropout > 0)) {
    hindrance = "give --locked-dropout, a mask that all segments share";
  }
  if (hindrance == nullptr) return;
  throw_error<ConfigError>("--max-mem {}: a whole chunk does not fit; lower --chunk or --batch, or {}",
                           task.unroll.max_mem, hindrance);
}

}  // namespace

LanguageModelTraining::LanguageModelTraining(const LanguageTask& task, Backend& backend, Profile* profile)
    : task_(task), backend_(backend), profile_(profile) {
  {
    const Profile::Scope timed(profile_, Profile::Section::kTokenising);
    corpus_ = read_language_corpus(task_);
    check_length();
    release_freed_memory();
  }
  build_network();
  segment_steps(layout(0).chunk(0));  // throws where --max-mem is too little
  for (const TokenStream* stream : {&corpus_.train, &corpus_.dev}) {
    fingerprint_.add(stream->ids);
    fingerprint_.add(stream->offsets);
  }
  fingerprint_.add(model_.vocabulary.tokens());
  fingerprint_.add(model_.network->parameters());
}

void LanguageModelTraining::build_network() {
  model_.tokenizer = std::move(corpus_.tokenizer);
  model_.vocabulary = std::move(corpus_.vocabulary);
  model_.network = std::make_unique<LanguageNetwork>(task_.model, model_.vocabulary.size());
  model_.network->initialize(Stream(static_cast<uint64_t>(task_.loop.seed), {kInitialStream}));
  if (corpus_.base) take_parameters(corpus_.base->network->parameters(), model_.network->parameters());
  corpus_.base.reset();
  states_.emplace(task_.model.recurrent, task_.loop.batch);
}

void LanguageModelTraining::check_length() const {
  const int64_t steps = std::max<int64_t>(2, task_.unroll.chunk);
  if (corpus_.train.size() / task_.loop.batch >= steps) return;
  const int64_t fitting = corpus_.train.size() / steps;
  throw_error<DataError>(
      "{}: {} tokens to learn from are less than one chunk of {} steps in {} streams; {}", task_.files.input,
      corpus_.train.size(), steps, task_.loop.batch,
      fitting > 0 ? fmt::format("--batch {} fits", fitting) : "give more text, or lower --chunk and --batch");
}

StreamOptions LanguageModelTraining::stream_options(int64_t epoch) const {
  const bool many = corpus_.train.pieces() > 1 && task_.corpus.dev_split != DevSplit::kInterleaved;
  return {.streams = task_.loop.batch,
          .chunk = task_.unroll.chunk > 0 ? task_.unroll.chunk : corpus_.train.size(),
          .random_chunks = task_.unroll.random_chunks,
          .shuffle = many,
          .seed = static_cast<uint64_t>(task_.loop.seed),
          .epoch = epoch};
}

const StreamLayout& LanguageModelTraining::layout(int64_t epoch) {
  if (epoch != layout_epoch_) layout_.emplace(corpus_.train, stream_options(epoch));
  layout_epoch_ = epoch;
  return *layout_;
}

TrainingTask::Step LanguageModelTraining::step(Tape& tape, int64_t epoch, int64_t index) {
  if (!task_.transfer.from.empty()) {
    set_rates(parameters(), task_.transfer, task_.model.recurrent.layers, epoch);
  }
  const StreamChunk chunk = layout(epoch).chunk(index);
  const Profile::Scope timed(profile_, Profile::Section::kForward);
  if (index == 0) states_->clear();
  const RecurrentState initial =
      task_.unroll.carry == Carry::kNever ? RecurrentState() : states_->take(tape, chunk);
  Step step{.loss = {}, .tokens = static_cast<int64_t>(chunk.inputs.size()), .lines = {}};
  if (task_.unroll.random_chunks) {
    step.rate_factor = static_cast<double>(chunk.steps) / static_cast<double>(task_.unroll.chunk);
  }
  const double scale = 1 / static_cast<double>(step.tokens);
  const int64_t steps = segment_steps(chunk);
  if (steps < chunk.packing.length(0)) {
    const auto kept = std::make_shared<StreamChunk>(chunk);
    const RecomputedLoss result =
        recomputed_loss(tape, *model_.network, {.chunk = kept, .steps = steps, .scale = scale}, initial);
    step.loss = result.loss;
    states_->put(chunk, result.h, result.c);
    return step;
  }
  const LanguagePass pass = model_.network->forward(tape, chunk.inputs, chunk.packing, initial);
  step.loss = model_.network->loss(pass, chunk.targets, scale);
  if (task_.unroll.ar > 0 || task_.unroll.tar > 0) {
    step.loss = add(step.loss,
                    activation_penalty(
                        {.dropped = pass.y, .raw = pass.raw, .ar = task_.unroll.ar, .tar = task_.unroll.tar},
                        chunk.packing));
  }
  states_->put(chunk, values_of(pass.final.h), values_of(pass.final.c));
  return step;
}

// Steps whose activations fit beside what is there anyway.
int64_t LanguageModelTraining::segment_steps(const StreamChunk& chunk) const {
  const int64_t longest = chunk.packing.length(0);
  if (task_.unroll.max_mem == 0) return longest;
  const SegmentPlan plan = plan_segments(task_.model, model_.vocabulary.size(), chunk.packing,
                                         task_.unroll.max_mem * 1'000'000 - fixed_bytes());
  if (plan.steps == 0) {
    throw_error<ConfigError>(
        "--max-mem {}: this training needs {} MB at least; lower --batch, --hidden or --embedding",
        task_.unroll.max_mem, (fixed_bytes() + plan.bytes) / 1'000'000 + 1);
  }
  if (plan.steps < longest) check_segments(task_);
  return plan.steps;
}

LanguageEvaluation LanguageModelTraining::evaluation() {
  const Profile::Scope timed(profile_, Profile::Section::kEvaluation);
  model_.network->prepare(backend_, task_.model.recurrent.precision);
  const LanguageEvaluation result = evaluate_language_model(*model_.network, backend_, corpus_.dev);
  model_.network->forget_prepared();
  return result;
}

TrainingTask::Dev LanguageModelTraining::evaluate() {
  const LanguageEvaluation result = evaluation();
  return {.loss = result.loss(), .metric = -result.loss()};
}

GateStatistics LanguageModelTraining::gates() {
  const EncodedCorpus sample = gate_sample(corpus_.dev);
  const Batch batch = make_batch(sample, all_examples(sample));
  Tape tape(backend_, {.tracing = true});
  GateStatistics gates;
  gates.add(model_.network->forward(tape, batch.ids, *batch.packing).traces, task_.model.recurrent);
  return gates;
}

ModelFile LanguageModelTraining::pack(nlohmann::json metrics) const {
  if (metrics.is_object() && !metrics.empty()) {
    metrics["dev_text"] = corpus_.dev_description;
    // How a text was read, for who measures the model on another one.
    metrics["documents"] = name_of(task_.corpus.documents.documents);
    metrics["carry"] = name_of(task_.unroll.carry);
  }
  return pack_language_model(model_, std::move(metrics));
}

nlohmann::json LanguageModelTraining::identity() const {
  LanguageTask task = task_;
  return run_identity(OptionList(task).to_json(), fingerprint_, backend_);
}

// Parameters with gradient, moments and best state, and the corpus.
int64_t LanguageModelTraining::fixed_bytes() const {
  const int64_t numbers = model_.network->parameters().num_values();
  const int64_t copies = task_.loop.averaging.averaging == AveragingKind::kNone ? 6 : 7;
  return 4 * (copies * numbers + corpus_.train.size() + corpus_.dev.size()) + (int64_t{40} << 20);
}

int64_t LanguageModelTraining::estimate_memory() const {
  const int64_t chunk = task_.unroll.chunk > 0 ? task_.unroll.chunk : corpus_.train.size() / task_.loop.batch;
  const int64_t rows = task_.loop.batch * chunk;
  const int64_t all =
      fixed_bytes() + activation_bytes(task_.model, model_.vocabulary.size(), rows, task_.loop.batch);
  return task_.unroll.max_mem > 0 ? std::min(all, task_.unroll.max_mem * 1'000'000) : all;
}

TrainingPlan LanguageModelTraining::plan() const {
  TrainingPlan plan{.input_format = corpus_.format,
                    .dev_format = corpus_.dev_description,
                    .examples = corpus_.train.size(),
                    .dev_examples = corpus_.dev.size(),
                    .vocabulary = model_.vocabulary.size(),
                    .parameters = model_.network->parameters().num_values(),
                    .memory_bytes = estimate_memory(),
                    .updates_per_epoch = updates_per_epoch(),
                    .threads = backend_.threads().threads(),
                    .backend = backend_.name(),
                    .metric = "perplexity",
                    .warnings = corpus_.warnings};
  plan.documents = corpus_.train.pieces();
  plan.unknown_share = static_cast<double>(corpus_.dev.unknown) /
                       static_cast<double>(std::max<int64_t>(1, corpus_.dev.size()));
  return plan;
}

}  // namespace rondo
