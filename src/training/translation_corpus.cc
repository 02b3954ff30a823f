#include "training/translation_corpus.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"
#include "training/text_coder.h"

namespace rondo {

namespace {

using Side = std::string SentencePair::*;

// Names of random streams under the run's seed.
constexpr uint64_t kSplitStream = 0x7061697273;      // "pairs"
constexpr uint64_t kBatchStream = 0x62617463686573;  // "batches"

ParallelCorpus take_dev(ParallelCorpus& train, double fraction, uint64_t seed) {
  const auto size = static_cast<int64_t>(train.pairs.size());
  if (size < 2) {
    throw_error<DataError>("{}: one pair; two at least are needed to hold one out, or give --dev-source",
                           train.name);
  }
  std::vector<int32_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, Stream(seed, {kSplitStream}));
  order.resize(static_cast<size_t>(
      std::clamp<int64_t>(std::llround(fraction * static_cast<double>(size)), 1, size - 1)));
  std::sort(order.begin(), order.end());
  ParallelCorpus dev{.name = train.name, .format = train.format};
  std::vector<SentencePair> kept;
  size_t next = 0;
  for (int64_t i = 0; i < size; ++i) {
    const bool taken = next < order.size() && order[next] == i;
    (taken ? dev.pairs : kept).push_back(std::move(train.pairs[static_cast<size_t>(i)]));
    next += taken;
  }
  train.pairs = std::move(kept);
  return dev;
}

std::vector<std::string> texts_of(const ParallelCorpus& corpus, std::span<const Side> sides) {
  std::vector<std::string> texts;
  for (const Side side : sides) {
    for (const SentencePair& pair : corpus.pairs) texts.push_back(pair.*side);
  }
  return texts;
}

bool keeps_rare(const TranslationTask& task) { return task.model.tokenizer == TokenizerKind::kCharacters; }

TextCoder coder_of(const TranslationTask& task, const std::vector<std::string>& texts) {
  return build_coder({.tokenizer = task.model.tokenizer,
                      .subwords = task.corpus.subwords,
                      .min_count = task.corpus.min_count,
                      .max_vocabulary = task.corpus.max_vocabulary},
                     texts);
}

void check_vocabulary(const TextCoder& coder, const char* side, const ParallelCorpus& corpus,
                      const TranslationTask& task) {
  const int64_t told = coder.vocabulary.size() - 2;  // beside the unknown word and the end
  if (told > 1) return;
  throw_error<DataError>("{}: the {} has {} different {}; a translator needs two to tell apart{}",
                         corpus.name, side, told, told == 1 ? "token" : "tokens",
                         task.corpus.max_vocabulary > 0 ? "; raise --max-vocabulary"
                         : keeps_rare(task)             ? ""
                         : task.corpus.min_count > 1    ? "; lower --min-count"
                                                        : "");
}

TokenPair numbered(const TranslationCorpus& corpus, const SentencePair& pair) {
  TokenPair ids{.source = corpus.source.encode(pair.source), .target = corpus.target.encode(pair.target)};
  ids.source.push_back(corpus.source.end());
  return ids;
}

bool too_long(const TokenPair& pair, int64_t most) {
  return static_cast<int64_t>(std::max(pair.source.size() - 1, pair.target.size())) > most;
}

void number_train(const TranslationTask& task, const ParallelCorpus& raw, TranslationCorpus& corpus) {
  int64_t left_out = 0, first = 0;
  for (const SentencePair& pair : raw.pairs) {
    TokenPair ids = numbered(corpus, pair);
    if (too_long(ids, task.corpus.max_length)) {
      if (left_out++ == 0) first = pair.line;
      continue;
    }
    corpus.train.push_back(std::move(ids));
    corpus.lines.push_back(pair.line);
  }
  if (corpus.train.empty()) {
    throw_error<DataError>("{}: no pair has at most {} tokens a side; raise --max-length", raw.name,
                           task.corpus.max_length);
  }
  if (left_out == 0) return;
  corpus.warnings.push_back(
      fmt::format("{}: {} pairs with more than {} tokens on a side left out (--max-length); "
                  "the first is on line {}",
                  raw.name, left_out, task.corpus.max_length, first));
}

void number_dev(const TranslationTask& task, const ParallelCorpus& raw, TranslationCorpus& corpus) {
  const auto most = static_cast<size_t>(task.corpus.max_length);
  int64_t cut = 0, unknown = 0, tokens = 0;
  for (const SentencePair& pair : raw.pairs) {
    TokenPair ids = numbered(corpus, pair);
    for (const std::vector<int32_t>* side : {&ids.source, &ids.target}) {
      unknown += std::count(side->begin(), side->end(), Vocabulary::kUnknown);
      tokens += static_cast<int64_t>(side->size());
    }
    if (too_long(ids, task.corpus.max_length)) {
      ++cut;
      if (ids.source.size() > most + 1) {
        ids.source.resize(most);
        ids.source.push_back(corpus.source.end());
      }
      if (ids.target.size() > most) ids.target.resize(most);
    }
    corpus.dev.push_back(std::move(ids));
    corpus.dev_references.push_back(pair.target);
  }
  corpus.unknown_share = static_cast<double>(unknown) / static_cast<double>(std::max<int64_t>(1, tokens));
  if (cut > 0) {
    corpus.warnings.push_back(
        fmt::format("{}: {} dev pairs cut to {} tokens a side (--max-length)", raw.name, cut, most));
  }
}

}  // namespace

TranslationCorpus read_translation_corpus(const TranslationTask& task) {
  const TranslationCorpusOptions& options = task.corpus;
  ParallelCorpus train =
      read_parallel({.source = task.files.source, .target = task.files.target, .read = options.read});
  TranslationCorpus corpus{.format = train.format, .warnings = train.warnings};
  ParallelCorpus dev;
  if (task.files.dev_source.empty()) {
    dev = take_dev(train, options.dev_fraction, static_cast<uint64_t>(task.loop.seed));
    corpus.dev_description = "held out of the input";
  } else {
    dev = read_parallel(
        {.source = task.files.dev_source, .target = task.files.dev_target, .read = options.read});
    corpus.dev_description = dev.name;
    corpus.warnings.insert(corpus.warnings.end(), dev.warnings.begin(), dev.warnings.end());
  }
  constexpr Side kSides[] = {&SentencePair::source, &SentencePair::target};
  const std::span sides(kSides);
  if (task.model.joint) {
    corpus.source = corpus.target = coder_of(task, texts_of(train, sides));
  } else {
    corpus.source = coder_of(task, texts_of(train, sides.first(1)));
    corpus.target = coder_of(task, texts_of(train, sides.last(1)));
  }
  check_vocabulary(corpus.source, "source", train, task);
  check_vocabulary(corpus.target, "target", train, task);
  number_train(task, train, corpus);
  number_dev(task, dev, corpus);
  return corpus;
}

std::vector<std::vector<int32_t>> plan_token_batches(const std::vector<TokenPair>& pairs,
                                                     const TokenBatches& options, int64_t epoch) {
  const Stream stream(options.seed, {kBatchStream, static_cast<uint64_t>(epoch)});
  std::vector<int32_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, stream.sub(0));
  const auto length = [&](int32_t i) {
    return static_cast<int64_t>(pairs[static_cast<size_t>(i)].target.size()) + 1;
  };
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return length(a) < length(b); });
  std::vector<std::vector<int32_t>> batches;
  int64_t tokens = 0;
  for (const int32_t pair : order) {
    const bool full = !batches.empty() &&
                      (options.tokens > 0 ? tokens + length(pair) > options.tokens
                                          : static_cast<int64_t>(batches.back().size()) == options.sentences);
    if (batches.empty() || full) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(pair);
    tokens += length(pair);
  }
  std::vector<int32_t> places(batches.size());
  std::iota(places.begin(), places.end(), 0);
  shuffle(places, stream.sub(1));
  std::vector<std::vector<int32_t>> shuffled;
  for (const int32_t place : places) shuffled.push_back(std::move(batches[static_cast<size_t>(place)]));
  return shuffled;
}

}  // namespace rondo
