#include "training/classifier_training.h"

#include <algorithm>

#include "base/errors.h"
#include "base/files.h"
#include "base/memory.h"
#include "data/split.h"
#include "models/gate_sample.h"
#include "storage/language_model_file.h"
#include "tensor/operations.h"
#include "text/sentencepiece_training.h"
#include "training/classifier_evaluation.h"
#include "training/memory_estimate.h"
#include "training/pretrained.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed; training_loop.cc has its own.
constexpr uint64_t kInitialStream = 2;

// Of the vocabulary, while a checkpoint's header is made.
constexpr int64_t kBytesPerWord = 150;

/// The examples that are held out, moved to a corpus of their own.
LabelledCorpus take_examples(LabelledCorpus& source, const std::vector<bool>& held_out) {
  LabelledCorpus taken{.path = source.path, .format = source.format};
  for (size_t i = 0; i < source.examples.size(); ++i) {
    if (held_out[i]) taken.examples.push_back(std::move(source.examples[i]));
  }
  return taken;
}

}  // namespace

Evaluation ClassifierTraining::evaluation() const {
  const Profile::Scope timed(profile_, Profile::Section::kEvaluation);
  return evaluate_classifier(model_, backend_, dev_, dev_texts_, largest_rows_);
}

ClassifierTraining::ClassifierTraining(const ClassifierTask& task, Backend& backend, Profile* profile)
    : task_(task), backend_(backend), profile_(profile) {
  {
    const Profile::Scope timed(profile_, Profile::Section::kTokenising);
    read_corpora();
    release_freed_memory();  // of the texts: what follows is what stays
  }
  build_network();
  weigh_labels();
  largest_rows_ = largest_batch(plan_of(0), train_.lengths());
  for (const EncodedCorpus* corpus : {&train_, &dev_}) {
    fingerprint_.add(corpus->ids);
    fingerprint_.add(corpus->labels);
    fingerprint_.add(corpus->offsets);
  }
  fingerprint_.add(model_.vocabulary.tokens());
  fingerprint_.add(model_.labels.names());
  fingerprint_.add(model_.network->parameters());
}

void ClassifierTraining::read_corpora() {
  const CorpusOptions& options = task_.corpus;
  std::string pieces;
  NumberedCorpus texts = read_input(pieces);
  warn_of_texts(texts);
  train_format_ = texts.source.format;
  // Labels are those of the whole input: a rare one may fall to the dev part alone.
  model_.labels = LabelSet(texts.source);
  std::vector<bool> held_out;
  if (task_.files.dev.empty()) {
    held_out = choose_dev(texts.source, options.dev_fraction, static_cast<uint64_t>(task_.loop.seed));
  }
  build_vocabulary_of(texts, held_out, pieces);
  EncodeOptions encoding{.max_length = task_.model.max_length};
  std::tie(train_, dev_) = encode(texts, held_out, model_.vocabulary, model_.labels, encoding);
  if (task_.files.dev.empty()) {
    dev_texts_ = take_examples(texts.source, held_out);
    return;
  }
  texts = {};
  texts = read_numbered(task_.files.dev);
  encoding.allow_unseen = true;
  dev_ = encode(texts, {}, model_.vocabulary, model_.labels, encoding).first;
  dev_texts_ = std::move(texts.source);
  warn_of_labels();
}

// Before any text is read: the tokens are those of the model that this one begins from.
void ClassifierTraining::begin_from(std::string& pieces) {
  const std::string& path = task_.transfer.from;
  base_ = load_language_model(path);
  LanguageModelOptions theirs = base_->options();
  if (theirs.one_hot()) {
    throw_error<ConfigError>(
        "--from {}: its tokens are unit vectors, there are no embeddings to take over; train "
        "it with --embedding 128 or so",
        path);
  }
  if (!task_.corpus.sentencepiece.empty() || !task_.corpus.vectors.empty() || task_.corpus.subwords > 0) {
    throw_error<ConfigError>(
        "--sentencepiece, --subwords and --vectors have no effect beside --from: {} has its own", path);
  }
  inherit_shape(OptionList(task_.model), OptionList(theirs), task_.transfer);
  task_.model.check();
  pieces = base_->tokenizer->model();
}

NumberedCorpus ClassifierTraining::read_input(std::string& pieces) {
  const CorpusOptions& options = task_.corpus;
  if (!task_.transfer.from.empty()) begin_from(pieces);
  if (options.subwords == 0) {
    if (!options.sentencepiece.empty()) pieces = read_file(options.sentencepiece);
    model_.tokenizer = make_tokenizer(task_.model.tokenizer, pieces);
    return read_numbered(task_.files.input);
  }
  LabelledCorpus corpus = read_labelled(task_.files.input, options.read);
  std::vector<bool> held_out(corpus.examples.size());
  if (task_.files.dev.empty()) {
    held_out = choose_dev(corpus, options.dev_fraction, static_cast<uint64_t>(task_.loop.seed));
  }
  std::vector<std::string> learned;
  for (size_t i = 0; i < corpus.examples.size(); ++i) {
    if (!held_out[i]) learned.push_back(corpus.examples[i].text);
  }
  pieces = train_sentencepiece(learned, {.vocabulary = options.subwords});
  model_.tokenizer = make_tokenizer(task_.model.tokenizer, pieces);
  return number_corpus(std::move(corpus), *model_.tokenizer, backend_.threads());
}

NumberedCorpus ClassifierTraining::read_numbered(const std::string& path) const {
  return number_file(path, task_.corpus.read, *model_.tokenizer, backend_.threads(), profile_);
}

void ClassifierTraining::warn_of_texts(const NumberedCorpus& texts) {
  const LabelledCorpus& source = texts.source;
  if (source.replaced_lines > 0) {
    warnings_.push_back(
        fmt::format("{}: bytes that are not UTF-8 replaced in {} lines", source.path, source.replaced_lines));
  }
  if (source.empty_texts > 0) {
    warnings_.push_back(fmt::format("{}: {} texts are empty; the first is on line {}", source.path,
                                    source.empty_texts, texts.first_empty_line));
  }
}

void ClassifierTraining::warn_of_labels() {
  for (const UnseenLabel& label : unseen_labels(dev_texts_, model_.labels)) {
    warnings_.push_back(
        fmt::format("{}:{}: label {} does not occur in the input; its {} texts count as errors",
                    dev_texts_.path, label.first_line, label.name, label.examples));
  }
}

void ClassifierTraining::build_vocabulary_of(const NumberedCorpus& texts, const std::vector<bool>& held_out,
                                             const std::string& pieces) {
  const CorpusOptions& options = task_.corpus;
  if (task_.model.tokenizer == TokenizerKind::kSentencePiece) {
    model_.vocabulary = base_ ? base_->vocabulary : Vocabulary::from_sentencepiece(pieces);
    return;
  }
  if (task_.model.tokenizer == TokenizerKind::kBytes) {
    model_.vocabulary = base_ ? base_->vocabulary : Vocabulary::bytes();
    return;
  }
  const bool keras = task_.model.tokenizer == TokenizerKind::kKeras;  // its tokens and order belong together
  model_.vocabulary = build_vocabulary(texts, held_out,
                                       {.min_count = options.min_count,
                                        .max_size = options.max_vocabulary,
                                        .max_texts = options.vocabulary_texts},
                                       keras ? TieOrder::kDescending : TieOrder::kAscending);
  if (base_) model_.vocabulary = grown(base_->vocabulary, model_.vocabulary);
}

void ClassifierTraining::build_network() {
  const Profile::Scope timed(profile_, Profile::Section::kModel);
  const CorpusOptions& options = task_.corpus;
  Vectors vectors;
  if (!options.vectors.empty()) {
    vectors = read_pretrained({options.vectors, ClassifierOptions().embedding}, model_.vocabulary,
                              task_.model.embedding, warnings_);
  }
  model_.network =
      std::make_unique<ClassifierNetwork>(task_.model, model_.vocabulary.size(), model_.labels.size());
  model_.network->initialize(Stream(static_cast<uint64_t>(task_.loop.seed), {kInitialStream}));
  if (!options.vectors.empty()) load_pretrained(vectors, model_.network->embedding().table());
  if (base_) take_parameters(base_->network->parameters(), model_.network->parameters());
  base_.reset();
  model_.network->embedding().table().trainable = !options.freeze_embeddings;
}

// balanced: n / (K * n_k), as scikit-learn: the mean weight of a text is one.
void ClassifierTraining::weigh_labels() {
  const int64_t labels = model_.labels.size();
  label_weights_.assign(labels, 1.0F);
  if (task_.loss.class_weights == ClassWeights::kNone) return;
  if (model_.labels.multi()) {
    throw_error<ConfigError>("--class-weights balanced: it weighs texts with one label; these have several");
  }
  std::vector<int64_t> counts(labels, 0);
  for (const int32_t label : train_.labels) ++counts[label];
  for (int64_t k = 0; k < labels; ++k) {
    const auto total = static_cast<float>(train_.size());
    label_weights_[k] = counts[k] == 0 ? 0 : total / static_cast<float>(labels * counts[k]);
  }
}

std::vector<std::vector<int32_t>> ClassifierTraining::plan_of(int64_t epoch) const {
  return plan_batches(
      train_.lengths(),
      {.batch_size = task_.loop.batch, .seed = static_cast<uint64_t>(task_.loop.seed), .epoch = epoch});
}

Batch ClassifierTraining::next_batch(int64_t epoch, int64_t index) {
  const Profile::Scope timed(profile_, Profile::Section::kBatches);
  if (epoch != loaded_epoch_ || index != loaded_index_) {
    loader_ = std::make_unique<BatchLoader>(train_, plan_of(epoch), index);
    loaded_epoch_ = epoch;
    loaded_index_ = index;
  }
  ++loaded_index_;
  return loader_->next().value();
}

TrainingTask::Step ClassifierTraining::step(Tape& tape, int64_t epoch, int64_t index) {
  if (!task_.transfer.from.empty()) {
    set_rates(parameters(), task_.transfer, task_.model.recurrent.layers, epoch);
  }
  const Batch batch = next_batch(epoch, index);
  const Profile::Scope timed(profile_, Profile::Section::kForward);
  const Variable logits = model_.network->forward(tape, batch.ids, *batch.packing).logits;
  Step step{.loss = model_.labels.multi() ? mean_loss_of_sets(logits, batch) : mean_loss(logits, batch),
            .tokens = static_cast<int64_t>(batch.ids.size())};
  for (const int32_t example : batch.examples) step.lines.push_back(train_.lines[example]);
  if (profile_) {
    const bool frozen = !model_.network->embedding().table().trainable;
    profile_->count(arithmetic_of(task_.model, model_.labels.size())
                        .training(step.tokens, static_cast<int64_t>(batch.examples.size()), frozen));
  }
  return step;
}

// sum of w[y_n] * loss_n / sum of w[y_n], as torch.nn.CrossEntropyLoss.
Variable ClassifierTraining::mean_loss(const Variable& logits, const Batch& batch) const {
  const std::vector<int32_t> targets = batch_labels(train_, batch);
  Tensor weights({static_cast<int64_t>(targets.size())});
  double total = 0;
  for (const int32_t target : targets) total += label_weights_[target];
  for (size_t n = 0; n < targets.size(); ++n) {
    weights.data<float>()[n] = static_cast<float>(label_weights_[targets[n]] / total);
  }
  return weighted_sum(softmax_cross_entropy(logits, targets).losses, weights);
}

// Mean over texts and labels, as torch.nn.BCEWithLogitsLoss.
Variable ClassifierTraining::mean_loss_of_sets(const Variable& logits, const Batch& batch) const {
  const Tensor targets = Tensor::zeros(logits.shape());
  const int64_t labels = model_.labels.size();
  for (size_t n = 0; n < batch.examples.size(); ++n) {
    for (const int32_t label : train_.labels_of(batch.examples[n])) {
      targets.data<float>()[static_cast<int64_t>(n) * labels + label] = 1;
    }
  }
  Tensor weights({static_cast<int64_t>(batch.examples.size())});
  weights.fill(1.0 / static_cast<double>(logits.value().size()));
  return weighted_sum(sigmoid_cross_entropy(logits, targets).losses, weights);
}

TrainingTask::Dev ClassifierTraining::evaluate() {
  const Evaluation result = evaluation();
  return {.loss = result.loss, .metric = model_.labels.multi() ? result.micro_f1 : result.accuracy};
}

GateStatistics ClassifierTraining::gates() {
  const EncodedCorpus sample = gate_sample(dev_);
  const Batch batch = make_batch(sample, all_examples(sample));
  Tape tape(backend_, {.tracing = true});
  GateStatistics gates;
  gates.add(model_.network->forward(tape, batch.ids, *batch.packing).traces, task_.model.recurrent);
  return gates;
}

nlohmann::json ClassifierTraining::identity() const {
  ClassifierTask task = task_;
  return run_identity(OptionList(task).to_json(), fingerprint_, backend_);
}

// What the process holds now (the corpus and, once the loop stands, parameters and optimiser) and what the
// run will add: gradients, the best state, the largest batch and what a checkpoint is written from.
int64_t ClassifierTraining::estimate_memory() const {
  const ParameterSet& parameters = model_.network->parameters();
  const int64_t table = model_.network->embedding().table().value.size();
  const int64_t dense = parameters.num_values() - table;
  int64_t words = 0;
  for (const std::string& token : model_.vocabulary.tokens()) words += static_cast<int64_t>(token.size());
  const int64_t checkpoint = 4 * words + kBytesPerWord * model_.vocabulary.size();
  const int64_t plans = 2 * train_.size() * static_cast<int64_t>(sizeof(int64_t));
  const int64_t activations = activation_bytes(task_.model, largest_rows_, task_.loop.batch);
  const bool averages = task_.loop.averaging.averaging != AveragingKind::kNone;
  const int64_t more =
      4 * ((averages ? 2 : 1) * parameters.num_values() + dense) + activations + checkpoint + plans;
  return std::max(peak_resident_bytes(), resident_bytes() + more);
}

TrainingPlan ClassifierTraining::plan() const {
  TrainingPlan plan{.input_format = train_format_,
                    .dev_format = task_.files.dev.empty() ? "held out of the input" : dev_texts_.format,
                    .examples = train_.size(),
                    .dev_examples = dev_.size(),
                    .vocabulary = model_.vocabulary.size(),
                    .labels = model_.labels.size(),
                    .parameters = model_.network->parameters().num_values(),
                    .memory_bytes = estimate_memory(),
                    .updates_per_epoch = updates_per_epoch(),
                    .threads = backend_.threads().threads(),
                    .backend = backend_.name(),
                    .metric = model_.labels.multi() ? "micro F1" : "accuracy",
                    .warnings = warnings_};
  if (!dev_.ids.empty())
    plan.unknown_share = static_cast<double>(dev_.unknown) / static_cast<double>(dev_.ids.size());
  return plan;
}

}  // namespace rondo
