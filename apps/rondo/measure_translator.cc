#include "measure_translator.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/errors.h"
#include "base/files.h"
#include "console.h"
#include "data/parallel_corpus.h"
#include "storage/translator_file.h"
#include "text_input.h"

namespace rondo::app {

namespace {

ParallelOptions parallel_options(const std::string& input, const ReadOptions& read,
                                 const TranslatorMeasureOptions& options) {
  if (!input.empty() && !options.source.empty()) {
    throw_error<ConfigError>("--source beside the input {}: give one of them", input);
  }
  return {.source = input.empty() ? options.source : input,
          .target = options.target,
          .read = {.format = read.format,
                   .source_column = options.source_column,
                   .target_column = options.target_column,
                   .header = read.header,
                   .quotes = read.quotes,
                   .replace_invalid = read.replace_invalid}};
}

}  // namespace

int measure_translator(const ModelFile& file, const std::vector<std::string>& paths, const std::string& input,
                       const ReadOptions& read, const TranslatorMeasureOptions& options,
                       const InferenceOptions& inference, bool json, Backend& backend) {
  options.translate.search.check();
  if (options.translate.search.n_best > 1) {
    throw_error<ConfigError>("--n-best has no effect on evaluate: it measures the best translation");
  }
  const ParallelOptions pairs = parallel_options(input, read, options);
  if (paths.size() == 1 && options.translate.ensemble != EnsembleMean::kProbabilities) {
    throw_error<ConfigError>("--ensemble has no effect on one model; give several, separated by commas");
  }
  check_not_overwritten(options.output, "output", paths);
  check_not_overwritten(options.output, "output", std::array{pairs.source, pairs.target});
  const ParallelCorpus corpus = read_parallel(pairs);
  say("{}: {} pairs ({})\n", corpus.name, corpus.pairs.size(), corpus.format);
  for (const std::string& warning : corpus.warnings) say("warning: {}\n", warning);
  std::vector<std::string> sources, translations;
  std::vector<std::vector<std::string>> references;
  for (const SentencePair& pair : corpus.pairs) {
    sources.push_back(pair.source);
    references.push_back({pair.target});
  }
  std::vector<TranslatorModel> models;
  models.push_back(unpack_translator(file, paths.front()));
  for (size_t i = 1; i < paths.size(); ++i) models.push_back(load_translator(paths[i]));
  const TextTranslator translator(std::move(models), paths, backend, inference);
  const auto begin = std::chrono::steady_clock::now();
  const auto place = [&](size_t i) {
    return fmt::format("{}:{}", input_name(pairs.source), corpus.pairs[i].line);
  };
  for (const auto& found : translator.translate(sources, options.translate, place)) {
    translations.push_back(found.front().text);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  say("translated in {:.1f} s, beam {}\n", seconds.count(), options.translate.search.beam);
  if (!options.output.empty()) {
    std::string text;
    for (const std::string& translation : translations) text += one_line(translation) + "\n";
    write_file(options.output, text);
  }
  const TranslationScores scores = score_translations(translations, references, options.score);
  put_text(json ? scores.to_json(RONDO_VERSION).dump(2) + "\n" : scores.lines(RONDO_VERSION));
  return 0;
}

}  // namespace rondo::app
