#include "training/translator_training.h"

#include <algorithm>

#include "base/errors.h"
#include "base/memory.h"
#include "layers/linear_cross_entropy.h"
#include "models/gate_sample.h"
#include "storage/translator_file.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed; training_loop.cc has its own.
constexpr uint64_t kInitialStream = 2;

}  // namespace

void TranslationTask::check() const {
  model.check();
  loop.check();
  const TranslationCorpusOptions defaults;
  const bool subwords = model.tokenizer == TokenizerKind::kSentencePiece;
  const bool fixed = subwords || model.tokenizer == TokenizerKind::kBytes;
  if (!subwords && corpus.subwords != defaults.subwords) {
    throw_error<ConfigError>("--subwords has no effect with --tokenizer {}; give --tokenizer sentencepiece",
                             name_of(model.tokenizer));
  }
  if (fixed && (corpus.min_count != defaults.min_count || corpus.max_vocabulary != 0)) {
    throw_error<ConfigError>(
        "--min-count and --max-vocabulary have no effect on {}: their vocabulary is fixed",
        subwords ? "subwords" : "bytes");
  }
  if (model.tokenizer == TokenizerKind::kCharacters && corpus.min_count != defaults.min_count) {
    throw_error<ConfigError>("--min-count has no effect with --tokenizer characters: all of them are kept");
  }
  if (!files.dev_source.empty() && corpus.dev_fraction != defaults.dev_fraction) {
    throw_error<ConfigError>("--dev-fraction has no effect beside --dev-source: nothing is held out");
  }
  if (files.dev_source.empty() && !files.dev_target.empty()) {
    throw_error<ConfigError>("--dev-target is given without --dev-source: the sentences to translate");
  }
  if (steps.batch_tokens > 0 && loop.batch != LoopOptions().batch) {
    throw_error<ConfigError>("--batch has no effect beside --batch-tokens {}; give --batch-tokens 0",
                             steps.batch_tokens);
  }
  const bool held = model.locked_dropout || model.embedding_dropout > 0;
  if (steps.scheduled_sampling > 0 && held) {
    throw_error<ConfigError>(
        "--{} and --scheduled-sampling: the decoder's inputs are drawn step by step, no mask is held; leave "
        "one of them out",
        model.locked_dropout ? "locked-dropout" : "embedding-dropout");
  }
}

TranslatorTraining::TranslatorTraining(const TranslationTask& task, Backend& backend, Profile* profile)
    : task_(task), backend_(backend), profile_(profile) {
  {
    const Profile::Scope timed(profile_, Profile::Section::kTokenising);
    corpus_ = read_translation_corpus(task_);
    release_freed_memory();
  }
  model_.source = corpus_.source;
  model_.target = corpus_.target;
  model_.network = std::make_unique<TranslatorNetwork>(task_.model, model_.source.vocabulary.size(),
                                                       model_.target.vocabulary.size());
  model_.network->initialize(Stream(static_cast<uint64_t>(task_.loop.seed), {kInitialStream}));
  updates_per_epoch_ = static_cast<int64_t>(batches(0).size());
  for (const std::vector<TokenPair>* pairs : {&corpus_.train, &corpus_.dev}) {
    for (const TokenPair& pair : *pairs) {
      const int64_t length[] = {static_cast<int64_t>(pair.target.size())};  // sources have an end
      fingerprint_.add(pair.source);
      fingerprint_.add(length);
      fingerprint_.add(pair.target);
    }
  }
  fingerprint_.add(corpus_.dev_references);
  fingerprint_.add(model_.source.vocabulary.tokens());
  fingerprint_.add(model_.target.vocabulary.tokens());
  fingerprint_.add(model_.network->parameters());
}

const std::vector<std::vector<int32_t>>& TranslatorTraining::batches(int64_t epoch) {
  if (epoch != batches_epoch_) {
    batches_ = plan_token_batches(corpus_.train,
                                  {.tokens = task_.steps.batch_tokens,
                                   .sentences = task_.loop.batch,
                                   .seed = static_cast<uint64_t>(task_.loop.seed)},
                                  epoch);
    batches_epoch_ = epoch;
  }
  return batches_;
}

TrainingTask::Step TranslatorTraining::step(Tape& tape, int64_t epoch, int64_t index) {
  const std::vector<int32_t>& chosen = batches(epoch)[static_cast<size_t>(index)];
  std::vector<const TokenPair*> pairs;
  Step step;
  for (const int32_t i : chosen) {
    pairs.push_back(&corpus_.train[static_cast<size_t>(i)]);
    step.lines.push_back(corpus_.lines[static_cast<size_t>(i)]);
  }
  const TranslatorBatch batch = make_translator_batch(pairs, model_.target.end());
  const Profile::Scope timed(profile_, Profile::Section::kForward);
  const TranslatorPass pass =
      model_.network->forward(tape, batch, {.probability = task_.steps.scheduled_sampling});
  step.tokens = batch.num_targets();
  step.loss = model_.network->loss(pass, batch.targets, 1 / static_cast<double>(step.tokens),
                                   task_.steps.label_smoothing);
  return step;
}

TranslatorEvaluation TranslatorTraining::evaluation() {
  const Profile::Scope timed(profile_, Profile::Section::kEvaluation);
  model_.network->prepare(backend_, task_.model.precision);
  const TranslatorEvaluation result =
      evaluate_translator(model_, backend_, corpus_.dev, corpus_.dev_references);
  model_.network->forget_prepared();
  return result;
}

TrainingTask::Dev TranslatorTraining::evaluate() {
  const TranslatorEvaluation result = evaluation();
  return {.loss = result.loss(), .metric = result.bleu};
}

GateStatistics TranslatorTraining::gates() {
  const std::vector<TokenPair> sample = gate_sample(corpus_.dev);
  std::vector<const TokenPair*> pairs;
  for (const TokenPair& pair : sample) pairs.push_back(&pair);
  Tape tape(backend_, {.tracing = true});
  const TranslatorPass pass =
      model_.network->forward(tape, make_translator_batch(pairs, model_.target.end()));
  GateStatistics gates;
  gates.add(pass.encoder, task_.model.encoder(), "encoder");
  gates.add(pass.decoder, task_.model.decoder(), "decoder");
  return gates;
}

ModelFile TranslatorTraining::pack(nlohmann::json metrics) const {
  if (metrics.is_object() && !metrics.empty()) {
    metrics["dev_text"] = corpus_.dev_description;
    metrics["metric"] = "BLEU (13a, cased) of greedy translations";
  }
  return pack_translator(model_, std::move(metrics));
}

nlohmann::json TranslatorTraining::identity() const {
  TranslationTask task = task_;
  nlohmann::json options = OptionList(task).to_json();
  // Names of files whose contents the fingerprint knows.
  for (const char* name : {"source", "target", "dev-source", "dev-target"}) options.erase(name);
  return run_identity(std::move(options), fingerprint_, backend_);
}

namespace {

// Of batches of other shapes that the pool keeps, and of a checkpoint's header: measured, 5 to 20 MB.
constexpr int64_t kSpareBytes = 10'000'000;

// Numbers a row that the backward pass of a stack needs: gates, cells, outputs.
int64_t stack_numbers(const RecurrentOptions& r) {
  return r.layers * r.directions() * r.hidden * (r.kind().saved_blocks() + r.kind().has_cell_state() + 1);
}

// Bytes of a step: what the forward pass keeps, and the larger of the logits and what the backward pass has
// on its way. A dropout keeps its result and its mask.
int64_t step_bytes(const TranslatorOptions& model, int64_t rows, int64_t vocabulary) {
  const int64_t seen = model.hidden + (model.attends() ? model.memory() : 0);
  int64_t kept = stack_numbers(model.encoder()) + stack_numbers(model.decoder()) +
                 2 * model.embedding * (model.input_dropout > 0 ? 3 : 1) +
                 model.output() * (model.output_dropout > 0 ? 3 : 1) + 2 * seen;
  // States and inputs that are cut out and put together step by step.
  if (model.stepwise()) kept += model.decoder_input() + 4 * model.layers * model.hidden;
  const int64_t gradients = 2 * seen + model.embedding;
  return 4 * rows * kept + std::max(std::min(kLogitBytes, 4 * rows * vocabulary), 4 * rows * gradients);
}

}  // namespace

// What the process holds now (the moments among it), and what the run adds: gradients, the best state, a
// step.
int64_t TranslatorTraining::estimate_memory() const {
  int64_t rows = 0;
  for (const std::vector<int32_t>& batch : batches_) {
    int64_t sources = 0, targets = 0;
    for (const int32_t i : batch) {
      const TokenPair& pair = corpus_.train[static_cast<size_t>(i)];
      sources += static_cast<int64_t>(pair.source.size());
      targets += static_cast<int64_t>(pair.target.size()) + 1;
    }
    rows = std::max({rows, sources, targets});
  }
  const bool averages = task_.loop.averaging.averaging != AveragingKind::kNone;
  const int64_t copies = averages ? 3 : 2;
  return resident_bytes() + kSpareBytes + 4 * copies * model_.network->parameters().num_values() +
         step_bytes(task_.model, rows, model_.target.vocabulary.size());
}

TrainingPlan TranslatorTraining::plan() const {
  TrainingPlan plan{.input_format = corpus_.format,
                    .dev_format = corpus_.dev_description,
                    .examples = static_cast<int64_t>(corpus_.train.size()),
                    .dev_examples = static_cast<int64_t>(corpus_.dev.size()),
                    .vocabulary = model_.target.vocabulary.size(),
                    .unknown_share = corpus_.unknown_share,
                    .parameters = model_.network->parameters().num_values(),
                    .memory_bytes = estimate_memory(),
                    .updates_per_epoch = updates_per_epoch_,
                    .threads = backend_.threads().threads(),
                    .backend = backend_.name(),
                    .metric = "BLEU",
                    .warnings = corpus_.warnings};
  plan.source_vocabulary = model_.source.vocabulary.size();
  return plan;
}

}  // namespace rondo
