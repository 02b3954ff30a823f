#include "inference/text_translator.h"

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "storage/translator_file.h"

namespace rondo {

namespace {

std::vector<TranslatorModel> load_all(const std::vector<std::string>& paths) {
  std::vector<TranslatorModel> models;
  for (const std::string& path : paths) models.push_back(load_translator(path));
  return models;
}

void check_coders(const TextCoder& first, const TextCoder& other, const char* side, const std::string& a,
                  const std::string& b) {
  constexpr const char* kAdvice =
      "an ensemble's models must cut and number words alike: train them on the same pairs, with the same "
      "dev file and options and another --seed";
  if (first.tokenizer->kind() != other.tokenizer->kind() ||
      first.tokenizer->model() != other.tokenizer->model()) {
    throw_error<ConfigError>("{}: its {} tokenizer is not that of {}; {}", b, side, a, kAdvice);
  }
  const std::vector<std::string>&x = first.vocabulary.tokens(), &y = other.vocabulary.tokens();
  if (x == y) return;
  const auto [here, there] = std::mismatch(x.begin(), x.end(), y.begin(), y.end());
  throw_error<ConfigError>("{}: its {} vocabulary differs from that of {} at token {} ({} and {} tokens); {}",
                           b, side, a, there - y.begin(), y.size(), x.size(), kAdvice);
}

// Batches that hold so many numbers at once: what the softmax gives, and what the encoder reads.
constexpr int64_t kMostProbabilities = int64_t{1} << 26;
constexpr int64_t kMostTokens = 16384;

// (source, target) where each target token looked most; an end aligns with nothing.
std::vector<std::pair<size_t, size_t>> alignment_of(std::span<const float> attention, size_t source,
                                                    size_t target) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t t = 0; t + 1 < target; ++t) {
    const auto row = attention.subspan(t * source, source);
    const auto s = static_cast<size_t>(std::ranges::max_element(row) - row.begin());
    if (s + 1 < source) pairs.emplace_back(s, t);
  }
  return pairs;
}

}  // namespace

struct TextTranslator::Source {
  size_t number = 0;
  std::vector<int32_t> ids;
};

TextTranslator::TextTranslator(const std::vector<std::string>& paths, Backend& backend,
                               const InferenceOptions& inference)
    : TextTranslator(load_all(paths), paths, backend, inference) {}

TextTranslator::TextTranslator(std::vector<TranslatorModel> models, std::vector<std::string> names,
                               Backend& backend, const InferenceOptions& inference)
    : models_(std::move(models)), backend_(&backend) {
  if (models_.empty()) throw_error<ConfigError>("no model to translate with; give a model file");
  for (size_t i = 1; i < models_.size(); ++i) {
    check_coders(models_[0].source, models_[i].source, "source", names[0], names[i]);
    check_coders(models_[0].target, models_[i].target, "target", names[0], names[i]);
  }
  for (TranslatorModel& model : models_) {
    model.network->prepare(backend, precision_of(model.options().precision, inference));
  }
}

int64_t TextTranslator::parameters() const {
  int64_t sum = 0;
  for (const TranslatorModel& model : models_) sum += model.network->parameters().num_values();
  return sum;
}

bool TextTranslator::attends() const {
  return std::ranges::any_of(models_, [](const TranslatorModel& model) { return model.options().attends(); });
}

void TextTranslator::check(const TranslateOptions& options) const {
  options.search.check();
  if (attends()) return;
  const auto refuse = [](bool asked, const char* what) {
    if (asked) throw_error<ConfigError>("{}: the model has no attention (it was trained with none)", what);
  };
  refuse(options.search.coverage > 0, "coverage");
  refuse(options.replace_unknown, "replace-unknown");
  refuse(options.alignment, "attention and alignments");
}

std::vector<TextTranslator::Source> TextTranslator::read(std::span<const std::string> texts,
                                                         const TranslateOptions& options,
                                                         const TextPlace& place) const {
  std::vector<Source> sources;
  for (size_t i = 0; i < texts.size(); ++i) {
    try {
      Source source{.number = i, .ids = model().encode_source(texts[i])};
      const auto tokens = static_cast<int64_t>(source.ids.size()) - 1;
      if (tokens > options.max_source) {
        throw_error<DataError>("{} tokens, and --max-source is {}; cut the text into sentences, one a line",
                               tokens, options.max_source);
      }
      if (tokens > 0) sources.push_back(std::move(source));
    } catch (const DataError& error) {
      throw_error<DataError>("{}: {}", place ? place(i) : fmt::format("text {}", i + 1), error.what());
    }
  }
  // Of like length together; the stable sort keeps equal ones in order.
  std::ranges::stable_sort(sources, {}, [](const Source& source) { return source.ids.size(); });
  return sources;
}

std::vector<std::vector<Hypothesis>> TextTranslator::search(std::span<const std::vector<int32_t>> sources,
                                                            const TranslateOptions& options) const {
  std::vector<std::unique_ptr<SearchModel>> readers;
  for (const TranslatorModel& one : models_) {
    readers.push_back(std::make_unique<TranslatorSearch>(one, *backend_, sources));
  }
  BeamOptions search = options.search;
  search.keep_attention = options.alignment || options.replace_unknown;
  if (!options.replace_unknown) search.forbidden.push_back(Vocabulary::kUnknown);
  EnsembleSearch ensemble(std::move(readers), options.ensemble);
  return beam_search(ensemble, search);
}

Translation TextTranslator::finish(Hypothesis found, const std::string& text,
                                   const TranslateOptions& options) const {
  Translation made{.text = {},
                   .log_probability = found.log_probability,
                   .score = found.score,
                   .ended = found.ended,
                   .source_tokens = {},
                   .target_tokens = {},
                   .attention = {},
                   .alignment = {}};
  if (!options.alignment && !options.replace_unknown) {
    made.text = model().decode_target(found.ids);
    return made;
  }
  made.source_tokens = model().source.tokenizer->tokens(text);
  made.source_tokens.emplace_back(Vocabulary::kEndToken);
  const size_t width = made.source_tokens.size();
  for (size_t t = 0; t < found.ids.size(); ++t) {
    const std::span<const float> row = std::span<const float>(found.attention).subspan(t * width, width - 1);
    const bool replaced = options.replace_unknown && found.ids[t] == Vocabulary::kUnknown;
    made.target_tokens.push_back(
        replaced ? made.source_tokens[static_cast<size_t>(std::ranges::max_element(row) - row.begin())]
                 : model().target.vocabulary.token(found.ids[t]));
  }
  made.text = model().target.tokenizer->join(made.target_tokens);
  if (found.ended) made.target_tokens.emplace_back(Vocabulary::kEndToken);
  made.attention = std::move(found.attention);
  made.alignment = alignment_of(made.attention, width, found.ids.size() + 1);
  return made;
}

std::vector<std::vector<Translation>> TextTranslator::translate(std::span<const std::string> texts,
                                                                const TranslateOptions& options,
                                                                const TextPlace& place) const {
  check(options);
  std::vector<Source> sources = read(texts, options, place);
  std::vector<std::vector<Translation>> found(texts.size());
  for (std::vector<Translation>& best : found) best.resize(1);  // of the empty texts
  const int64_t row = options.search.beam * model().network->target_vocabulary();
  const auto most = static_cast<size_t>(
      std::clamp<int64_t>(kMostProbabilities / std::max<int64_t>(row, 1), 1, options.batch));
  for (size_t begin = 0; begin < sources.size();) {
    std::vector<std::vector<int32_t>> batch;
    size_t tokens = 0, end = begin;
    while (end < sources.size() && batch.size() < most &&
           (batch.empty() || tokens + sources[end].ids.size() <= static_cast<size_t>(kMostTokens))) {
      tokens += sources[end].ids.size();
      batch.push_back(std::move(sources[end++].ids));
    }
    std::vector<std::vector<Hypothesis>> hypotheses = search(batch, options);
    for (size_t i = 0; i < batch.size(); ++i) {
      const size_t number = sources[begin + i].number;
      found[number].clear();
      for (Hypothesis& hypothesis : hypotheses[i]) {
        found[number].push_back(finish(std::move(hypothesis), texts[number], options));
      }
    }
    begin = end;
  }
  return found;
}

}  // namespace rondo
