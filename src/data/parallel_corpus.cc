#include "data/parallel_corpus.h"

#include <array>

#include "base/errors.h"
#include "base/files.h"
#include "data/parallel_source.h"
#include "data/wording.h"

namespace rondo {
namespace {

constexpr std::array<std::string_view, 4> kSourceWords = {"source", "src", "english", "en"};
constexpr std::array<std::string_view, 4> kTargetWords = {"target", "tgt", "trg", "translation"};
constexpr PairWording kWording{.source_words = kSourceWords,
                               .target_words = kTargetWords,
                               .source_option = "source-column",
                               .target_option = "target-column",
                               .rows = "sentences and translations",
                               .columns = "a sentence and its translation",
                               .advice = ", or give the translations as a second file (--target)"};

// An option that has no effect is a mistake, not silence.
void check_two_files(const ParallelOptions& options) {
  const ParallelFormat& read = options.read;
  if (read.format != TextFormat::kAuto && read.format != TextFormat::kLines) {
    throw_error<ConfigError>(
        "two files of pairs are plain lines, not {}; leave --target out if {} holds both sides",
        name_of(read.format), input_name(options.source));
  }
  if (!read.source_column.empty() || !read.target_column.empty() || read.header != Header::kAuto ||
      !read.quotes) {
    throw_error<ConfigError>(
        "--source-column, --target-column, --header and --no-quotes have no effect on two files of lines; "
        "leave --target out if {} holds both sides",
        input_name(options.source));
  }
}

/// Takes pairs, and counts and leaves out those with an empty side.
class PairSink {
 public:
  PairSink(ParallelCorpus& corpus, EmptySides empty) : corpus_(corpus), empty_(empty) {}

  void add(SentencePair pair) {
    pair.source = std::string(trim(pair.source));
    pair.target = std::string(trim(pair.target));
    if (!pair.source.empty() && !pair.target.empty()) return corpus_.pairs.push_back(std::move(pair));
    const char* side = !pair.target.empty() ? "source" : !pair.source.empty() ? "target" : "pair";
    if (empty_ == EmptySides::kRefuse) {
      throw_error<DataError>("{}:{}: the {} is empty; take the pair out, or leave --empty refuse out",
                             corpus_.name, pair.line, side);
    }
    if (++corpus_.empty == 1) first_ = fmt::format("line {}: the {} is empty", pair.line, side);
  }

  void finish() {
    if (corpus_.pairs.empty()) {
      throw_error<DataError>("{}: no pairs ({}), expected sentences and their translations{}", corpus_.name,
                             corpus_.format, corpus_.empty > 0 ? "; in " + first_ : "");
    }
    if (corpus_.empty > 0) {
      corpus_.warnings.push_back(fmt::format("{}: {} pair{} with an empty side left out, the first in {}",
                                             corpus_.name, corpus_.empty, corpus_.empty == 1 ? "" : "s",
                                             first_));
    }
    if (corpus_.replaced_lines > 0) {
      corpus_.warnings.push_back(fmt::format("{}: {} lines hold bytes that are not UTF-8; they were replaced",
                                             corpus_.name, corpus_.replaced_lines));
    }
  }

 private:
  ParallelCorpus& corpus_;
  EmptySides empty_;
  std::string first_;
};

}  // namespace

ParallelCorpus read_parallel(const ParallelOptions& options) {
  if (options.source.empty()) {
    throw_error<ConfigError>(
        "no sentences to translate; give --source FILE and --target FILE, or --source pairs.tsv");
  }
  const bool two = !options.target.empty();
  if (two) check_two_files(options);
  const std::unique_ptr<ParallelSource> source =
      two ? make_two_files(options) : open_table(options.source, options.read, kWording);
  ParallelCorpus corpus{.name = two ? input_name(options.source) + " and " + input_name(options.target)
                                    : input_name(options.source),
                        .format = source->format(),
                        .pairs = {},
                        .warnings = {}};
  PairSink sink(corpus, options.read.empty);
  while (std::optional<SentencePair> pair = source->next()) sink.add(std::move(*pair));
  corpus.replaced_lines = source->replaced_lines();
  sink.finish();
  return corpus;
}

}  // namespace rondo
