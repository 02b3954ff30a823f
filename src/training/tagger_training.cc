#include "training/tagger_training.h"

#include <algorithm>

#include "base/memory.h"
#include "data/batches.h"
#include "models/gate_sample.h"
#include "models/tagger_batch.h"
#include "storage/tagger_file.h"
#include "training/arithmetic.h"
#include "training/pretrained.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed; training_loop.cc has its own.
constexpr uint64_t kInitialStream = 2;

// Of the vocabulary, while a checkpoint's header is made.
constexpr int64_t kBytesPerWord = 150;

}  // namespace

TaggerTraining::TaggerTraining(const TaggerTask& task, Backend& backend, Profile* profile)
    : task_(task), backend_(backend), profile_(profile) {
  TaggerCorpus corpus;
  {
    const Profile::Scope timed(profile_, Profile::Section::kTokenising);
    corpus = read_tagger_corpus(task_);
  }
  build_network(corpus);
  if (task_.measure.metric == TaggerMetric::kF1 && !model_.marks_spans()) {
    throw_error<ConfigError>(
        "--metric f1: the tags mark no spans, as O B-PER I-PER do, and F1 is of spans; leave it out, and "
        "accuracy chooses");
  }
  const Profile::Scope timed(profile_, Profile::Section::kTokenising);
  forms_.emplace(model_.forms());
  train_ = encode_tagged(std::move(corpus.train), model_.options(), model_.labels, *forms_);
  dev_ = encode_tagged(std::move(corpus.dev), model_.options(), model_.labels, *forms_);
  forms_->mark_rare(corpus.rare);
  warnings_ = std::move(corpus.warnings);
  const std::string& dev = task_.files.dev.empty() ? task_.files.input : task_.files.dev;
  for (std::string& warning : tag_warnings(*model_.network, dev_, dev))
    warnings_.push_back(std::move(warning));
  format_ = std::move(corpus.format);
  dev_format_ = std::move(corpus.dev_format);
  largest_ = largest_size();
  for (const TaggedCorpus* part : {&train_, &dev_}) {
    for (const ConllSentence& sentence : part->sentences) fingerprint_.add(sentence.tokens);
    fingerprint_.add(part->encoded.labels);
    fingerprint_.add(part->encoded.offsets);
  }
  for (const auto* names : {&model_.words.tokens(), &model_.characters.tokens(), &model_.labels.names()}) {
    fingerprint_.add(*names);
  }
  fingerprint_.add(model_.network->parameters());
}

void TaggerTraining::build_network(const TaggerCorpus& corpus) {
  const Profile::Scope timed(profile_, Profile::Section::kModel);
  model_.words = corpus.words;
  model_.characters = corpus.characters;
  model_.labels = corpus.labels;
  model_.columns = corpus.columns;
  model_.network =
      std::make_unique<TaggerNetwork>(task_.model, TaggerShape{.words = model_.words.size(),
                                                               .characters = model_.characters.size(),
                                                               .labels = model_.labels.names()});
  model_.network->initialize(Stream(static_cast<uint64_t>(task_.loop.seed), {kInitialStream}));
  Parameter* table = model_.network->word_table();
  if (table == nullptr) return;
  load_pretrained(corpus.vectors, *table);
  table->trainable = !task_.corpus.freeze_embeddings;
}

const std::vector<std::vector<int32_t>>& TaggerTraining::batches(int64_t epoch) {
  if (epoch != batches_epoch_) {
    batches_ = plan_batches(
        train_.encoded.lengths(),
        {.batch_size = task_.loop.batch, .seed = static_cast<uint64_t>(task_.loop.seed), .epoch = epoch});
    batches_epoch_ = epoch;
  }
  return batches_;
}

TrainingTask::Step TaggerTraining::step(Tape& tape, int64_t epoch, int64_t index) {
  TaggerBatch batch;
  {
    const Profile::Scope timed(profile_, Profile::Section::kBatches);
    batch = make_tagger_batch(*forms_, train_.encoded, batches(epoch)[static_cast<size_t>(index)]);
  }
  const Profile::Scope timed(profile_, Profile::Section::kForward);
  const Packing& packing = *batch.packing;
  const Variable scores = model_.network->scores(tape, batch.words, packing);
  Step step{.loss = model_.network->loss(scores, packed_labels(train_.encoded, batch), packing,
                                         1 / static_cast<double>(packing.num_rows())),
            .tokens = packing.num_rows(),
            .lines = {}};
  for (const int32_t example : batch.examples) {
    step.lines.push_back(train_.encoded.lines[static_cast<size_t>(example)]);
  }
  if (profile_ != nullptr) {
    const Parameter* table = model_.network->word_table();
    profile_->count(arithmetic_of(task_.model, model_.labels.size())
                        .training(step.tokens, packing.sequences(), table != nullptr && !table->trainable,
                                  static_cast<int64_t>(batch.words.words.characters.size())));
  }
  return step;
}

TaggerEvaluation TaggerTraining::evaluation() {
  const Profile::Scope timed(profile_, Profile::Section::kEvaluation);
  model_.network->prepare(backend_, task_.model.recurrent.precision);
  const TaggerEvaluation result =
      evaluate_tagger(model_, backend_, *forms_, dev_, std::max<int64_t>(largest_.rows, 1024));
  model_.network->forget_prepared();
  return result;
}

bool TaggerTraining::by_f1() const {
  if (task_.measure.metric == TaggerMetric::kAuto) return model_.marks_spans();
  return task_.measure.metric == TaggerMetric::kF1;
}

TrainingTask::Dev TaggerTraining::evaluate() {
  const TaggerEvaluation result = evaluation();
  return {.loss = result.loss, .metric = by_f1() ? result.f1() : result.tags.accuracy};
}

GateStatistics TaggerTraining::gates() {
  const EncodedCorpus sample = gate_sample(dev_.encoded);
  const TaggerBatch batch = make_tagger_batch(*forms_, sample, all_examples(sample));
  Tape tape(backend_, {.tracing = true});
  GateStatistics gates;
  gates.add(model_.network->forward(tape, batch.words, *batch.packing).traces, task_.model.recurrent);
  return gates;
}

ModelFile TaggerTraining::pack(nlohmann::json metrics) const {
  if (metrics.is_object() && !metrics.empty()) metrics["metric"] = by_f1() ? "f1" : "accuracy";
  return pack_tagger(model_, std::move(metrics));
}

nlohmann::json TaggerTraining::identity() const {
  TaggerTask task = task_;
  return run_identity(OptionList(task).to_json(), fingerprint_, backend_);
}

TaggerBatchSize TaggerTraining::largest_size() {
  TaggerBatchSize largest;
  for (const std::vector<int32_t>& examples : batches(0)) {
    int64_t rows = 0;
    for (const int32_t example : examples) rows += train_.encoded.length(example);
    if (rows <= largest.rows) continue;
    const TaggerBatch batch = make_tagger_batch(*forms_, train_.encoded, examples);
    largest = {.rows = rows,
               .sentences = std::ssize(examples),
               .words = batch.words.words.size(),
               .characters = static_cast<int64_t>(batch.words.words.characters.size())};
  }
  return largest;
}

// Beside what is held already, the moments among it: dense gradients, the best state, the largest batch, and
// the vocabulary while a checkpoint's header is made.
int64_t TaggerTraining::estimate_memory() const {
  const bool averages = task_.loop.averaging.averaging != AveragingKind::kNone;
  const int64_t numbers = model_.network->parameters().num_values();
  const Parameter* table = model_.network->word_table();
  const int64_t dense = numbers - (table != nullptr ? table->value.size() : 0);
  int64_t words = 0;
  for (const std::string& token : model_.words.tokens()) words += static_cast<int64_t>(token.size());
  const int64_t checkpoint = 4 * words + kBytesPerWord * model_.words.size();
  const int64_t more = 4 * ((averages ? 2 : 1) * numbers + dense) + checkpoint +
                       activation_bytes(task_.model, model_.labels.size(), largest_);
  return std::max(peak_resident_bytes(), resident_bytes() + more);
}

TrainingPlan TaggerTraining::plan() const {
  TrainingPlan plan{.input_format = format_,
                    .dev_format = dev_format_,
                    .examples = train_.encoded.size(),
                    .dev_examples = dev_.encoded.size(),
                    .vocabulary = model_.words.size(),
                    .labels = model_.labels.size(),
                    .parameters = model_.network->parameters().num_values(),
                    .memory_bytes = estimate_memory(),
                    .updates_per_epoch = updates_per_epoch(),
                    .threads = backend_.threads().threads(),
                    .backend = backend_.name(),
                    .metric = by_f1() ? "F1" : "accuracy",
                    .warnings = warnings_};
  plan.unknown_share = static_cast<double>(dev_.encoded.unknown) /
                       static_cast<double>(std::max<size_t>(1, dev_.encoded.ids.size()));
  return plan;
}

}  // namespace rondo
