// Lengths, words and pairs of texts: see corpus_checks.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "inspect/corpus_checks.h"
#include "inspect/hits.h"

namespace rondo {

namespace {

std::vector<int64_t> lengths_of(const ExaminedCorpus& corpus) {
  std::vector<int64_t> lengths;
  for (const ExaminedItem& item : corpus.items) lengths.push_back(std::ssize(item.text.tokens));
  std::ranges::sort(lengths);
  return lengths;
}

int64_t quantile(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

void measure_lengths(const ExaminedCorpus& corpus, const char* name, Diagnosis& diagnosis) {
  const std::vector<int64_t> sorted = lengths_of(corpus);
  diagnosis.measures.push_back({fmt::format("words in {}", name),
                                fmt::format("half of the {} have {} or less, 95 % {} or less, the longest {}",
                                            corpus.noun, quantile(sorted, 0.5), quantile(sorted, 0.95),
                                            grouped(sorted.empty() ? 0 : sorted.back()))});
}

// Without `what` where they are few.
Finding unknown_words(const ExaminedPair& c, int64_t min_count, bool of_target) {
  const TokenTable& table = of_target ? c.words.target : c.words.text;
  const auto tokens = [&](const ExaminedItem& item) -> const std::vector<int32_t>& {
    return of_target ? item.target.tokens : item.text.tokens;
  };
  std::vector<int64_t> known(static_cast<size_t>(table.size()), 0);
  for (const ExaminedItem& item : c.train.items) {
    for (const int32_t token : tokens(item)) ++known[static_cast<size_t>(token)];
  }
  int64_t all = 0, unknown = 0;
  std::vector<int64_t> missed(known.size(), 0);
  for (const ExaminedItem& item : c.dev->items) {
    for (const int32_t token : tokens(item)) {
      ++all;
      if (known[static_cast<size_t>(token)] >= min_count) continue;
      ++unknown;
      ++missed[static_cast<size_t>(token)];
    }
  }
  Finding finding{.severity = by_share(unknown, all, 0.3, 0.1),
                  .check = "unknown words",
                  .what = {},
                  .where = {},
                  .advice = {}};
  if (static_cast<double>(unknown) < 0.03 * static_cast<double>(all)) return finding;
  finding.what = fmt::format("{} {} in {}", part_of(unknown, all, "words of " + c.dev->path),
                             min_count == 1 ? "do not stand" : "stand once or never", c.train.path);
  std::vector<int32_t> order(missed.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  const size_t shown = std::min(order.size(), Finding::kMostPlaces);
  std::ranges::partial_sort(
      order, order.begin() + static_cast<std::ptrdiff_t>(shown), [&](int32_t a, int32_t b) {
        return std::pair(-missed[static_cast<size_t>(a)], a) < std::pair(-missed[static_cast<size_t>(b)], b);
      });
  for (size_t i = 0; i < shown && missed[static_cast<size_t>(order[i])] > 0; ++i) {
    finding.where.push_back(fmt::format("\"{}\", {} times in dev", table.token(order[i]),
                                        grouped(missed[static_cast<size_t>(order[i])])));
  }
  return finding;
}

}  // namespace

void check_lengths(const ExaminedPair& c, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("lengths");
  measure_lengths(c.train, "train", diagnosis);
  const std::vector<int64_t> sorted = lengths_of(c.train);
  const int64_t most = quantile(sorted, 0.95), limit = std::max<int64_t>(100, 5 * most);
  Hits hits;
  for (int64_t i = 0; i < c.train.size(); ++i) {
    const auto length = std::ssize(c.train[i].text.tokens);
    if (length > limit) hits.add(fmt::format("{}: {} words", c.train.place(i), grouped(length)));
  }
  if (hits.count > 0) {
    diagnosis.findings.push_back(
        {Severity::kNote, "lengths",
         fmt::format("{} have more than {} words, where 95 % have {} or less",
                     part_of(hits.count, c.train.size(), c.train.noun), grouped(limit), most),
         std::move(hits.where),
         "look whether they are several texts in one (an open quotation mark?); --max-length bounds what is "
         "read of "
         "a text, and with it time and memory."});
  }
  if (c.dev == nullptr) return;
  measure_lengths(*c.dev, "dev", diagnosis);
  const auto here = static_cast<double>(quantile(sorted, 0.5) + 1);
  const auto there = static_cast<double>(quantile(lengths_of(*c.dev), 0.5) + 1);
  if (std::max(here / there, there / here) < 2) return;
  diagnosis.findings.push_back(
      {Severity::kWarning,
       "lengths",
       fmt::format("half of the {} have {} words or less in train, {} in dev", c.train.noun, here - 1,
                   there - 1),
       {},
       "look whether both files were made the same way: figures of a dev set of another kind say little."});
}

void check_unknown_words(const ExaminedPair& c, int64_t min_count, Diagnosis& diagnosis) {
  if (c.dev == nullptr) return;
  diagnosis.checked.emplace_back("unknown words");
  for (const bool of_target : {false, true}) {
    if (of_target && c.task != ExaminedTask::kTranslate) continue;
    Finding finding = unknown_words(c, min_count, of_target);
    if (finding.what.empty()) continue;
    if (c.task == ExaminedTask::kTranslate) {
      finding.severity = Severity::kNote;  // subwords, the default there, know parts of them
      finding.what += of_target ? " (targets)" : " (sources)";
    }
    finding.advice =
        c.task == ExaminedTask::kTag
            ? "characters (--characters) and pretrained vectors (--vectors, --all-vectors) tell something of "
              "words "
              "that were never seen."
            : "subwords (--tokenizer sentencepiece --subwords 8000) and pretrained vectors (--vectors) tell "
              "something of words that were never seen; and look whether both files are of one kind.";
    diagnosis.findings.push_back(std::move(finding));
  }
}

void check_pairs(const ExaminedPair& c, Diagnosis& diagnosis) {
  if (c.task != ExaminedTask::kTranslate) return;
  diagnosis.checked.emplace_back("identical sides");
  diagnosis.checked.emplace_back("length ratio");
  for (const ExaminedCorpus* corpus : {&c.train, c.dev}) {
    if (corpus == nullptr) continue;
    Hits equal, unequal;
    int64_t sources = 0, targets = 0;
    for (const ExaminedItem& item : corpus->items) {
      sources += std::ssize(item.text.tokens);
      targets += std::ssize(item.target.tokens);
    }
    const double usual = static_cast<double>(targets + 1) / static_cast<double>(sources + 1);
    for (int64_t i = 0; i < corpus->size(); ++i) {
      const ExaminedItem& item = (*corpus)[i];
      if (item.text.normalised == item.target.normalised && item.text.tokens.size() > 2)
        equal.add(corpus->place(i));
      const double expected = usual * static_cast<double>(item.text.tokens.size());
      const auto length = static_cast<double>(item.target.tokens.size());
      if (std::abs(length - expected) < 8 || std::max(length / (expected + 1), expected / (length + 1)) < 2.5)
        continue;
      unequal.add(fmt::format("{}: {} words and {}", corpus->place(i), item.text.tokens.size(),
                              item.target.tokens.size()));
    }
    const std::string noun = "pairs of " + corpus->path;
    if (equal.count > 0) {
      diagnosis.findings.push_back(
          {by_share(equal.count, corpus->size(), 2, 0.005), "identical sides",
           part_of(equal.count, corpus->size(), noun) + " have the same words on both sides",
           std::move(equal.where),
           "take them out, unless names and code shall be copied: a model learns to copy."});
    }
    if (unequal.count > 0) {
      diagnosis.findings.push_back(
          {by_share(unequal.count, corpus->size(), 2, 0.005), "length ratio",
           fmt::format("{} have sides whose lengths do not fit (usual are {:.2f} target words a source word)",
                       part_of(unequal.count, corpus->size(), noun), usual),
           std::move(unequal.where),
           "look at them: a sentence is missing on one side, or the files slip against each other from there "
           "on."});
    }
  }
}

void check_sizes(const ExaminedPair& c, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("sizes");
  constexpr int64_t kFew = 200;
  if (c.task == ExaminedTask::kLm) return;
  if (c.train.size() < kFew) {
    diagnosis.findings.push_back(
        {Severity::kWarning,
         "sizes",
         fmt::format("{} has {} {}", c.train.path, c.train.size(), c.train.noun),
         {},
         "get more, or begin from a language model of texts of this kind (--from)."});
  }
  if (c.dev == nullptr || c.dev->size() >= kFew) return;
  const double one = 100.0 / static_cast<double>(c.dev->size());
  diagnosis.findings.push_back({Severity::kNote,
                                "sizes",
                                fmt::format("{} has {} {}: one of them is {:.1f} points of accuracy",
                                            c.dev->path, c.dev->size(), c.dev->noun, one),
                                {},
                                "do not choose settings by differences that a few texts make."});
}

}  // namespace rondo
