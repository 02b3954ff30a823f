#include "training/language_model_training.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/errors.h"
#include "base/files.h"
#include "base/memory.h"
#include "layers/activation_penalty.h"
#include "storage/language_model_file.h"
#include "tensor/operations.h"
#include "text/sentencepiece_training.h"
#include "training/memory_estimate.h"
#include "training/recomputed_loss.h"

namespace rondo {

namespace {

// Names of random streams under the run's seed; training_loop.cc has its own.
constexpr uint64_t kInitialStream = 2;

// From row `row` of one matrix to row `to` of another.
void copy_row(const Tensor& from, int64_t row, const Tensor& to, int64_t to_row) {
  const int64_t columns = from.dim(1);
  std::memcpy(to.data<float>() + to_row * columns, from.data<float>() + row * columns,
              static_cast<size_t>(columns) * sizeof(float));
}

// States that overflowed (a relu network's do) would spoil every chunk to come: they begin from zeros again.
void forget_infinite(const Tensor& states, int64_t row) {
  const int64_t columns = states.dim(1);
  const std::span<float> values(states.data<float>() + row * columns, static_cast<size_t>(columns));
  if (std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) return;
  std::fill(values.begin(), values.end(), 0.0F);
}

std::vector<Tensor> values_of(const std::vector<Variable>& variables) {
  std::vector<Tensor> values;
  for (const Variable& variable : variables) values.push_back(variable.value());
  return values;
}

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
    read_corpus();
    check_length();
    release_freed_memory();
  }
  build_network();
  segment_steps(layout(0).chunk(0));  // throws where --max-mem is too little
  fingerprint_ = fingerprint();
}

// Before any text is read: the tokens are those of the model that this one begins from.
void LanguageModelTraining::begin_from() {
  const std::string& path = task_.transfer.from;
  base_ = load_language_model(path);
  if (!task_.corpus.sentencepiece.empty() || task_.corpus.subwords > 0) {
    throw_error<ConfigError>("--sentencepiece and --subwords have no effect beside --from: {} has its own",
                             path);
  }
  LanguageModelOptions theirs = base_->options();
  inherit_shape(OptionList(task_.model), OptionList(theirs), task_.transfer);
  task_.leave_out_forget_bias();
  task_.model.check();
}

// Of the tokenizer that is used, which may be that of the model to begin from.
void LanguageModelTraining::check_counts() const {
  const LanguageCorpusOptions defaults;
  const TokenizerKind kind = task_.model.tokenizer;
  const bool fixed = kind == TokenizerKind::kSentencePiece || kind == TokenizerKind::kBytes;
  const bool counted = task_.corpus.min_count != defaults.min_count || task_.corpus.max_vocabulary != 0;
  if (!fixed || !counted) return;
  throw_error<ConfigError>("--min-count and --max-vocabulary have no effect on {}: their vocabulary is fixed",
                           kind == TokenizerKind::kBytes ? "bytes" : "subwords");
}

std::string LanguageModelTraining::subword_model() const {
  if (task_.model.tokenizer != TokenizerKind::kSentencePiece) return "";
  if (base_) return base_->tokenizer->model();
  const LanguageCorpusOptions& options = task_.corpus;
  if (options.subwords == 0) return read_file(options.sentencepiece);
  std::vector<std::string> texts = read_document_texts(task_.files.input, options.documents);
  for (const std::string& path : options.also) {
    for (std::string& text : read_document_texts(path, options.documents)) texts.push_back(std::move(text));
  }
  return train_sentencepiece(texts, {.vocabulary = options.subwords, .exact = true});
}

void LanguageModelTraining::read_corpus() {
  const LanguageCorpusOptions& options = task_.corpus;
  if (!task_.transfer.from.empty()) begin_from();
  check_counts();
  const std::string subwords = subword_model();
  model_.tokenizer = make_tokenizer(task_.model.tokenizer, subwords);
  RawDocuments raw = read_documents(task_.files.input, options.documents, *model_.tokenizer);
  for (const std::string& path : options.also) {
    append_documents(path, options.documents, *model_.tokenizer, raw);
  }
  format_ = raw.format;
  if (raw.replaced_lines > 0) {
    warnings_.push_back(fmt::format("{}: bytes that are not UTF-8 replaced in {} lines", task_.files.input,
                                    raw.replaced_lines));
  }
  if (task_.unroll.carry == Carry::kAlways) raw.pieces = join_pieces(raw.pieces);
  if (task_.files.dev.empty()) return split_corpus(raw, subwords);
  model_.vocabulary = vocabulary_of(raw, raw.pieces, subwords);
  train_ = number_documents(raw, raw.pieces, model_.vocabulary);
  raw = read_documents(task_.files.dev, options.documents, *model_.tokenizer);
  if (task_.unroll.carry == Carry::kAlways) raw.pieces = join_pieces(raw.pieces);
  dev_ = number_documents(raw, cut_pieces(raw.pieces, options.dev_parts), model_.vocabulary);
  dev_description_ = task_.files.dev;
}

void LanguageModelTraining::split_corpus(const RawDocuments& raw, const std::string& subwords) {
  const LanguageCorpusOptions& options = task_.corpus;
  const SplitPieces split = split_documents(raw.pieces, {.kind = options.dev_split,
                                                         .fraction = options.dev_fraction,
                                                         .seed = static_cast<uint64_t>(task_.loop.seed),
                                                         .streams = task_.loop.batch,
                                                         .chunk = std::max<int64_t>(1, task_.unroll.chunk)});
  // Characters are those of the whole text: one that the training part lacks is no unknown word.
  const bool characters = task_.model.tokenizer == TokenizerKind::kCharacters;
  model_.vocabulary = vocabulary_of(raw, characters ? raw.pieces : split.train, subwords);
  train_ = number_documents(raw, split.train, model_.vocabulary);
  dev_ = number_documents(raw, cut_pieces(split.dev, options.dev_parts), model_.vocabulary);
  dev_description_ = split.description;
}

Vocabulary LanguageModelTraining::vocabulary_of(const RawDocuments& raw, std::span<const Piece> pieces,
                                                const std::string& subwords) const {
  if (!subwords.empty())
    return base_ ? base_->vocabulary : with_end_token(Vocabulary::from_sentencepiece(subwords));
  if (task_.model.tokenizer == TokenizerKind::kBytes) {
    return base_ ? base_->vocabulary : with_end_token(Vocabulary::bytes());
  }
  const LanguageCorpusOptions& options = task_.corpus;
  const VocabularyCounter counter = count_tokens(raw, pieces);
  // The end token takes one place; 0 is no limit.
  const int64_t most = options.max_vocabulary == 0 ? 0 : std::max<int64_t>(1, options.max_vocabulary - 1);
  Vocabulary vocabulary = with_end_token(counter.build(options.min_count, most));
  // Unit vectors are as long as the vocabulary: tokens that it lacks stay unknown.
  if (base_ && base_->options().one_hot()) return base_->vocabulary;
  if (base_) vocabulary = grown(base_->vocabulary, vocabulary);
  // The unknown word, the end of a document and the end of a line tell nothing.
  const int64_t told = vocabulary.size() - 2 - (vocabulary.id("\n") != Vocabulary::kUnknown ? 1 : 0);
  if (told > 1) return vocabulary;
  throw_error<DataError>("{}: the text has {} different {}; a language model needs two to tell apart{}",
                         task_.files.input, told, told == 1 ? "token" : "tokens",
                         options.min_count > 1        ? "; lower --min-count"
                         : options.max_vocabulary > 0 ? "; raise --max-vocabulary"
                                                      : "");
}

void LanguageModelTraining::build_network() {
  model_.network = std::make_unique<LanguageNetwork>(task_.model, model_.vocabulary.size());
  model_.network->initialize(Stream(static_cast<uint64_t>(task_.loop.seed), {kInitialStream}));
  if (base_) take_parameters(base_->network->parameters(), model_.network->parameters());
  base_.reset();
  const RecurrentOptions& r = task_.model.recurrent;
  for (int64_t layer = 0; layer < r.layers; ++layer) {
    for (int64_t d = 0; d < r.directions(); ++d) {
      h_.push_back(Tensor::zeros({task_.loop.batch, r.output_of(layer)}));
      if (r.kind().has_cell_state()) c_.push_back(Tensor::zeros({task_.loop.batch, r.hidden_of(layer)}));
    }
  }
}

void LanguageModelTraining::check_length() const {
  const int64_t steps = std::max<int64_t>(2, task_.unroll.chunk);
  if (train_.size() / task_.loop.batch >= steps) return;
  const int64_t fitting = train_.size() / steps;
  throw_error<DataError>(
      "{}: {} tokens to learn from are less than one chunk of {} steps in {} streams; {}", task_.files.input,
      train_.size(), steps, task_.loop.batch,
      fitting > 0 ? fmt::format("--batch {} fits", fitting) : "give more text, or lower --chunk and --batch");
}

StreamOptions LanguageModelTraining::stream_options(int64_t epoch) const {
  const bool many = train_.pieces() > 1 && task_.corpus.dev_split != DevSplit::kInterleaved;
  return {.streams = task_.loop.batch,
          .chunk = task_.unroll.chunk > 0 ? task_.unroll.chunk : train_.size(),
          .random_chunks = task_.unroll.random_chunks,
          .shuffle = many,
          .seed = static_cast<uint64_t>(task_.loop.seed),
          .epoch = epoch};
}

const StreamLayout& LanguageModelTraining::layout(int64_t epoch) {
  if (epoch != layout_epoch_) layout_.emplace(train_, stream_options(epoch));
  layout_epoch_ = epoch;
  return *layout_;
}

void LanguageModelTraining::clear_states() {
  for (const Tensor& h : h_) h.fill(0);
  for (const Tensor& c : c_) c.fill(0);
}

// States of the segments in packed order: those that go on from the last chunk, zeros for the others.
RecurrentState LanguageModelTraining::carried(Tape& tape, const StreamChunk& chunk) const {
  RecurrentState state;
  const auto take = [&](const std::vector<Tensor>& states, std::vector<Variable>& to) {
    for (const Tensor& all : states) {
      const Tensor rows = Tensor::zeros({chunk.packing.sequences(), all.dim(1)});
      for (size_t n = 0; n < chunk.segments.size(); ++n) {
        const StreamChunk::Segment& segment = chunk.segments[n];
        if (segment.continues) copy_row(all, segment.stream, rows, static_cast<int64_t>(n));
      }
      to.push_back(tape.input(rows));
    }
  };
  if (task_.unroll.carry == Carry::kNever) return state;
  take(h_, state.h);
  take(c_, state.c);
  return state;
}

void LanguageModelTraining::carry(const StreamChunk& chunk, const std::vector<Tensor>& h,
                                  const std::vector<Tensor>& c) {
  const auto put = [&](const std::vector<Tensor>& finals, const std::vector<Tensor>& states) {
    // A second direction begins each chunk at its end, from zeros.
    const auto step = static_cast<size_t>(task_.model.recurrent.directions());
    for (size_t layer = 0; layer < states.size(); layer += step) {
      for (size_t n = 0; n < chunk.segments.size(); ++n) {
        const StreamChunk::Segment& segment = chunk.segments[n];
        if (!segment.last) continue;
        copy_row(finals[layer], static_cast<int64_t>(n), states[layer], segment.stream);
        forget_infinite(states[layer], segment.stream);
      }
    }
  };
  put(h, h_);
  put(c, c_);
}

TrainingTask::Step LanguageModelTraining::step(Tape& tape, int64_t epoch, int64_t index) {
  if (!task_.transfer.from.empty()) {
    set_rates(parameters(), task_.transfer, task_.model.recurrent.layers, epoch);
  }
  const StreamChunk chunk = layout(epoch).chunk(index);
  const Profile::Scope timed(profile_, Profile::Section::kForward);
  if (index == 0) clear_states();
  const RecurrentState initial = carried(tape, chunk);
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
    carry(chunk, result.h, result.c);
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
  carry(chunk, values_of(pass.final.h), values_of(pass.final.c));
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
  const LanguageEvaluation result = evaluate_language_model(*model_.network, backend_, dev_);
  model_.network->forget_prepared();
  return result;
}

TrainingTask::Dev LanguageModelTraining::evaluate() {
  const LanguageEvaluation result = evaluation();
  return {.loss = result.loss(), .metric = -result.loss()};
}

ModelFile LanguageModelTraining::pack(nlohmann::json metrics) const {
  if (metrics.is_object() && !metrics.empty()) {
    metrics["dev_text"] = dev_description_;
    // How a text was read, for who measures the model on another one.
    metrics["documents"] = name_of(task_.corpus.documents.documents);
    metrics["carry"] = name_of(task_.unroll.carry);
  }
  return pack_language_model(model_, std::move(metrics));
}

NamedTensors LanguageModelTraining::state() const {
  NamedTensors tensors;
  for (size_t i = 0; i < h_.size(); ++i) tensors.emplace_back(fmt::format("h{}", i), h_[i]);
  for (size_t i = 0; i < c_.size(); ++i) tensors.emplace_back(fmt::format("c{}", i), c_[i]);
  return tensors;
}

void LanguageModelTraining::restore_state(const NamedTensors& tensors) {
  const auto take = [&](const std::string& name, const Tensor& to) {
    const Tensor& from = find_tensor(tensors, name);
    if (from.shape() != to.shape() || from.type() != DType::kFloat32) {
      throw_error<FormatError>("the checkpoint's state {} must be float32 {}, got {}", name,
                               to_string(to.shape()), to_string(from.shape()));
    }
    std::memcpy(to.raw(), from.raw(), static_cast<size_t>(to.bytes()));
  };
  for (size_t i = 0; i < h_.size(); ++i) take(fmt::format("h{}", i), h_[i]);
  for (size_t i = 0; i < c_.size(); ++i) take(fmt::format("c{}", i), c_[i]);
}

// FNV-1a over ids, tokens and initial weights.
uint64_t LanguageModelTraining::fingerprint() const {
  uint64_t hash = 1469598103934665603U;
  const auto add = [&hash](uint64_t value) { hash = (hash ^ value) * 1099511628211U; };
  for (const TokenStream* stream : {&train_, &dev_}) {
    for (const int32_t id : stream->ids) add(static_cast<uint64_t>(id));
    for (const int64_t offset : stream->offsets) add(static_cast<uint64_t>(offset));
  }
  for (const std::string& token : model_.vocabulary.tokens()) {
    for (const char c : token) add(static_cast<unsigned char>(c));
    add(256);
  }
  for (const Parameter& parameter : model_.network->parameters().all()) {
    for (const float value : parameter.value.values<float>()) add(std::bit_cast<uint32_t>(value));
  }
  return hash;
}

nlohmann::json LanguageModelTraining::identity() const {
  LanguageTask task = task_;
  nlohmann::json identity = OptionList(task).to_json();
  // These change no result.
  for (const char* name : {"input", "dev", "also", "from", "output", "log", "tensorboard", "resume", "force",
                           "checkpoint-seconds"}) {
    identity.erase(name);
  }
  identity["data"] = fingerprint_;
  identity["backend"] = backend_.name();
  return identity;
}

// Parameters with gradient, moments and best state, and the corpus.
int64_t LanguageModelTraining::fixed_bytes() const {
  const int64_t numbers = model_.network->parameters().num_values();
  const int64_t copies = task_.loop.averaging.averaging == AveragingKind::kNone ? 6 : 7;
  return 4 * (copies * numbers + train_.size() + dev_.size()) + (int64_t{40} << 20);
}

int64_t LanguageModelTraining::estimate_memory() const {
  const int64_t chunk = task_.unroll.chunk > 0 ? task_.unroll.chunk : train_.size() / task_.loop.batch;
  const int64_t rows = task_.loop.batch * chunk;
  const int64_t all =
      fixed_bytes() + activation_bytes(task_.model, model_.vocabulary.size(), rows, task_.loop.batch);
  return task_.unroll.max_mem > 0 ? std::min(all, task_.unroll.max_mem * 1'000'000) : all;
}

TrainingPlan LanguageModelTraining::plan() const {
  TrainingPlan plan{.input_format = format_,
                    .dev_format = dev_description_,
                    .examples = train_.size(),
                    .dev_examples = dev_.size(),
                    .vocabulary = model_.vocabulary.size(),
                    .parameters = model_.network->parameters().num_values(),
                    .memory_bytes = estimate_memory(),
                    .updates_per_epoch = updates_per_epoch(),
                    .threads = backend_.threads().threads(),
                    .backend = backend_.name(),
                    .warnings = warnings_};
  plan.documents = train_.pieces();
  plan.unknown_share =
      static_cast<double>(dev_.unknown) / static_cast<double>(std::max<int64_t>(1, dev_.size()));
  return plan;
}

}  // namespace rondo
