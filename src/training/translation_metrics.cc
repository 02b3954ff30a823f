#include "training/translation_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/errors.h"
#include "text/unicode.h"
#include "training/translation_edit_rate.h"

namespace rondo {
namespace {

constexpr int kCharacterOrder = 6;
constexpr double kBeta2 = 4;                   // recall counts beta^2 times as much as precision
constexpr double kLogOfNothing = -9999999999;  // in place of log(0), as sacrebleu

/// n-grams are parts of a text that outlives the table.
using NgramCounts = std::unordered_map<std::string_view, int64_t>;

/// n-grams of `pieces`, which follow each other in one text: the text from the first's begin to the last's
/// end.
NgramCounts count_ngrams(const std::vector<std::string_view>& pieces, size_t n) {
  NgramCounts counts;
  for (size_t i = 0; i + n <= pieces.size(); ++i) {
    const char* begin = pieces[i].data();
    const std::string_view& last = pieces[i + n - 1];
    ++counts[{begin, static_cast<size_t>(last.data() + last.size() - begin)}];
  }
  return counts;
}

int64_t sum(const NgramCounts& counts) {
  int64_t total = 0;
  for (const auto& [ngram, count] : counts) total += count;
  return total;
}

int64_t count_matches(const NgramCounts& hypothesis, const NgramCounts& reference) {
  int64_t matches = 0;
  for (const auto& [ngram, count] : hypothesis) {
    const auto found = reference.find(ngram);
    if (found != reference.end()) matches += std::min(count, found->second);
  }
  return matches;
}

void check_sentence(std::string_view hypothesis, std::span<const std::string> references) {
  if (references.empty())
    throw_error<ConfigError>("translation metrics: a sentence has no reference; give one");
  require_utf8(hypothesis);
  for (const std::string& reference : references) require_utf8(reference);
}

int64_t closest_length(int64_t length, const std::vector<int64_t>& references) {
  return *std::ranges::min_element(references, {}, [length](int64_t reference) {
    return std::pair(std::abs(length - reference), reference);
  });
}

/// The words of chrF++: one ASCII punctuation mark is cut off the end of a word, or else off its begin.
std::vector<std::string_view> chrf_words(std::string_view text) {
  constexpr std::string_view kMarks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  const auto is_mark = [&](char c) { return kMarks.find(c) != std::string_view::npos; };
  std::vector<std::string_view> words;
  for (const std::string_view word : split_at_space(text)) {
    size_t cut = 0;
    if (word.size() > 1 && is_mark(word.back())) {
      cut = word.size() - 1;
    } else if (word.size() > 1 && is_mark(word.front())) {
      cut = 1;
    }
    if (cut > 0) words.push_back(word.substr(0, cut));
    words.push_back(word.substr(cut));
  }
  return words;
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> result;
  for (size_t position = 0; position < text.size();) {
    const size_t begin = position;
    next_code_point(text, position);
    result.push_back(text.substr(begin, position - begin));
  }
  return result;
}

/// The n-grams of one text by order: characters' first, then words'.
class ChrfNgrams {
 public:
  ChrfNgrams(std::string_view text, const ChrfOptions& options) {
    const std::string sentence = options.lower_case ? full_lower_case(text) : std::string(text);
    characters_ = join_words(split_at_space(sentence), "");
    words_ = join_words(chrf_words(sentence), " ");
    const auto pieces = characters(characters_);
    for (int n = 1; n <= kCharacterOrder; ++n) orders_.push_back(count_ngrams(pieces, n));
    const auto words = split_at_space(words_);
    for (int n = 1; n <= options.word_order; ++n) orders_.push_back(count_ngrams(words, n));
  }
  ChrfNgrams(const ChrfNgrams&) = delete;
  ChrfNgrams& operator=(const ChrfNgrams&) = delete;

  std::vector<Chrf::Counts> matched(const ChrfNgrams& reference) const {
    std::vector<Chrf::Counts> counts;
    for (size_t i = 0; i < orders_.size(); ++i) {
      const NgramCounts& theirs = reference.orders_[i];
      // Where the reference is too short for any, the hypothesis' n-grams are no mistakes.
      counts.push_back(
          {theirs.empty() ? 0 : sum(orders_[i]), sum(theirs), count_matches(orders_[i], theirs)});
    }
    return counts;
  }

 private:
  std::string characters_, words_;  // what the views in orders_ lie in
  std::vector<NgramCounts> orders_;
};

double chrf_of(const std::vector<Chrf::Counts>& orders) {
  double precision = 0;
  double recall = 0;
  int effective = 0;
  for (const Chrf::Counts& order : orders) {
    if (order.hypothesis == 0 || order.reference == 0) continue;
    precision += static_cast<double>(order.matches) / static_cast<double>(order.hypothesis);
    recall += static_cast<double>(order.matches) / static_cast<double>(order.reference);
    ++effective;
  }
  if (precision + recall == 0) return 0;
  precision /= effective;
  recall /= effective;
  return 100 * (1 + kBeta2) * precision * recall / (kBeta2 * precision + recall);
}

/// Words as numbers, equal words having equal ones.
class WordNumbers {
 public:
  std::vector<int32_t> numbers(std::string_view text) {
    const std::string lower = full_lower_case(text);
    std::vector<int32_t> result;
    for (const std::string_view word : split_at_space(lower)) {
      result.push_back(
          numbers_.try_emplace(std::string(word), static_cast<int32_t>(numbers_.size())).first->second);
    }
    return result;
  }

 private:
  std::unordered_map<std::string, int32_t> numbers_;
};

}  // namespace

std::string TranslationScore::signature(std::string_view version) const {
  return fmt::format("{}|version:{}", settings, version);
}

std::string TranslationScore::line(std::string_view version) const {
  return fmt::format("{}|{} = {:.2f}{}{}", name, signature(version), score, details.empty() ? "" : " ",
                     details);
}

nlohmann::json TranslationScore::to_json(std::string_view version) const {
  nlohmann::json json{{"name", name}, {"score", score}, {"signature", signature(version)}};
  if (!details.empty()) json["verbose_score"] = details;
  return json;
}

void ReferenceCount::add(size_t count) {
  if (count_ != 0 && count != count_) varies_ = true;
  count_ = count;
}

std::string ReferenceCount::text() const { return varies_ ? "var" : std::to_string(count_); }

std::string Bleu::prepare(std::string_view text) const {
  return cut_for_bleu(options_.lower_case ? full_lower_case(text) : std::string(text), options_.tokenizer);
}

void Bleu::add(std::string_view hypothesis, std::span<const std::string> references) {
  check_sentence(hypothesis, references);
  const std::string text = prepare(hypothesis);
  const auto words = split_at_space(text);
  std::vector<std::string> texts;
  for (const std::string& reference : references) texts.push_back(prepare(reference));
  std::vector<int64_t> lengths;
  for (const std::string& reference : texts) lengths.push_back(std::ssize(split_at_space(reference)));
  for (size_t n = 1; n <= kOrders; ++n) {
    NgramCounts most;  // how often any one reference has it
    for (const std::string& reference : texts) {
      for (const auto& [ngram, count] : count_ngrams(split_at_space(reference), n)) {
        most[ngram] = std::max(most[ngram], count);
      }
    }
    const NgramCounts counts = count_ngrams(words, n);
    matches_[n - 1] += count_matches(counts, most);
    totals_[n - 1] += sum(counts);
  }
  hypothesis_length_ += std::ssize(words);
  reference_length_ += closest_length(std::ssize(words), lengths);
  references_.add(references.size());
}

double Bleu::brevity() const {
  const auto c = static_cast<double>(hypothesis_length_);
  const auto r = static_cast<double>(reference_length_);
  if (c >= r) return 1;
  return c > 0 ? std::exp(1 - r / c) : 0;
}

std::array<double, Bleu::kOrders> Bleu::precisions() const {
  std::array<double, kOrders> precisions{};
  const bool any = std::ranges::any_of(matches_, [](int64_t matches) { return matches > 0; });
  double halved = 1;
  for (size_t i = 0; i < kOrders && any && totals_[i] > 0; ++i) {
    const auto matches = static_cast<double>(matches_[i]);
    if (matches == 0) halved *= 2;
    precisions[i] = 100 * (matches == 0 ? 1 / halved : matches) / static_cast<double>(totals_[i]);
  }
  return precisions;
}

double Bleu::up_to(size_t orders) const {
  const bool any = std::ranges::any_of(matches_, [](int64_t matches) { return matches > 0; });
  if (!any) return 0;
  const std::array<double, kOrders> all = precisions();
  double logs = 0;
  for (size_t i = 0; i < orders; ++i) logs += all[i] == 0 ? kLogOfNothing : std::log(all[i]);
  return brevity() * std::exp(logs / static_cast<double>(orders));
}

TranslationScore Bleu::score() const {
  const auto c = static_cast<double>(hypothesis_length_);
  const auto r = static_cast<double>(reference_length_);
  const double penalty = brevity();
  const std::array<double, kOrders> precisions = this->precisions();
  return {
      .name = "BLEU",
      .score = up_to(kOrders),
      .details =
          fmt::format("{:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})",
                      precisions[0], precisions[1], precisions[2], precisions[3], penalty, r > 0 ? c / r : 0,
                      hypothesis_length_, reference_length_),
      .settings = fmt::format("nrefs:{}|case:{}|eff:no|tok:{}|smooth:exp", references_.text(),
                              options_.lower_case ? "lc" : "mixed", name_of(options_.tokenizer)),
  };
}

Chrf::Chrf(ChrfOptions options) : options_(options) {
  if (options.word_order < 0 || options.word_order > 6) {
    throw_error<ConfigError>("chrf: word order {}, expected 0 to 6; 0 is chrF, 2 chrF++", options.word_order);
  }
  counts_.resize(kCharacterOrder + options.word_order);
}

void Chrf::add(std::string_view hypothesis, std::span<const std::string> references) {
  check_sentence(hypothesis, references);
  const ChrfNgrams ngrams(hypothesis, options_);
  std::vector<Counts> best;
  double best_score = -1;
  for (const std::string& reference : references) {
    std::vector<Counts> counts = ngrams.matched(ChrfNgrams(reference, options_));
    const double score = chrf_of(counts);
    if (score <= best_score) continue;
    best_score = score;
    best = std::move(counts);
  }
  for (size_t i = 0; i < counts_.size(); ++i) {
    counts_[i].hypothesis += best[i].hypothesis;
    counts_[i].reference += best[i].reference;
    counts_[i].matches += best[i].matches;
  }
  references_.add(references.size());
}

TranslationScore Chrf::score() const {
  return {
      .name = "chrF2" + std::string(options_.word_order, '+'),
      .score = chrf_of(counts_),
      .settings = fmt::format("nrefs:{}|case:{}|eff:yes|nc:{}|nw:{}|space:no", references_.text(),
                              options_.lower_case ? "lc" : "mixed", kCharacterOrder, options_.word_order),
  };
}

void Ter::add(std::string_view hypothesis, std::span<const std::string> references) {
  check_sentence(hypothesis, references);
  WordNumbers numbers;
  const std::vector<int32_t> words = numbers.numbers(hypothesis);
  int64_t fewest = std::numeric_limits<int64_t>::max();
  int64_t length = 0;
  for (const std::string& reference : references) {
    const std::vector<int32_t> theirs = numbers.numbers(reference);
    fewest = std::min(fewest, translation_edits(words, theirs));
    length += std::ssize(theirs);
  }
  edits_ += fewest;
  reference_length_ += static_cast<double>(length) / static_cast<double>(references.size());
  references_.add(references.size());
}

TranslationScore Ter::score() const {
  double rate = edits_ > 0 ? 1 : 0;  // of empty references
  if (reference_length_ > 0) rate = static_cast<double>(edits_) / reference_length_;
  return {
      .name = "TER",
      .score = 100 * rate,
      .settings = fmt::format("nrefs:{}|case:lc|tok:tercom|norm:no|punct:yes|asian:no", references_.text()),
  };
}

}  // namespace rondo
