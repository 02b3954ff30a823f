#include "inspect/label_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "models/tag_scheme.h"

namespace rondo {

namespace {

constexpr int64_t kFew = 10;        // examples from which little is learnt
constexpr double kImbalance = 20;   // times as many of the most frequent label as of the rarest
constexpr double kMajority = 0.8;   // share of one label above which an accuracy says little
constexpr int64_t kLeakTexts = 20;  // texts with a word: fewer may be chance
constexpr double kLeakPart = 0.3;   // of a label's texts that hold the word
constexpr double kOpenLeak = 0.5;   // likewise: nothing else needs to be learnt

/// How often a label stands, and where first.
struct LabelCount {
  int64_t count = 0;
  std::string first;
};
using LabelCounts = std::map<std::string, LabelCount>;

LabelCounts count_labels(const ExaminedCorpus& corpus) {
  LabelCounts counts;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    for (const std::string& label : corpus[i].labels) {
      LabelCount& count = counts[label];
      if (count.count++ == 0) count.first = corpus.place(i);
    }
  }
  return counts;
}

/// Labels by how often they stand, the rarest first.
std::vector<std::pair<int64_t, std::string>> by_count(const LabelCounts& counts) {
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [label, count] : counts) order.emplace_back(count.count, label);
  std::ranges::sort(order);
  return order;
}

const char* noun_of(const ExaminedPair& c) { return c.task == ExaminedTask::kTag ? "words" : "texts"; }
const char* label_noun(const ExaminedPair& c) { return c.task == ExaminedTask::kTag ? "tags" : "labels"; }

void check_rare(const ExaminedPair& c, const LabelCounts& counts, Diagnosis& diagnosis) {
  Finding finding{
      .severity = Severity::kWarning, .check = "rare labels", .what = {}, .where = {}, .advice = {}};
  int64_t rare = 0;
  for (const auto& [count, label] : by_count(counts)) {
    if (count >= kFew) break;
    if (rare++ < static_cast<int64_t>(Finding::kMostPlaces)) {
      finding.where.push_back(
          fmt::format("{}: {} of them, the first at {}", label, count, counts.at(label).first));
    }
  }
  if (rare == 0) return;
  finding.what =
      fmt::format("{} have fewer than {} {}",
                  part_of(rare, static_cast<int64_t>(counts.size()), label_noun(c)), kFew, noun_of(c));
  finding.advice =
      "give them more examples, put them into another label, or take them out: a model hardly ever tells "
      "them, and macro F1 counts each as much as the others.";
  diagnosis.findings.push_back(std::move(finding));
}

// How many texts a model gets right that always tells the most frequent label, and how uneven labels are.
void check_balance(const ExaminedPair& c, const LabelCounts& counts, Diagnosis& diagnosis) {
  const auto order = by_count(counts);
  int64_t all = 0;
  for (const auto& [count, label] : order) all += count;
  const auto& [most, frequent] = order.back();
  const auto& [least, rarest] = order.front();
  const double share = static_cast<double>(most) / static_cast<double>(all);
  const bool tags = c.task == ExaminedTask::kTag;
  if (order.size() == 1) {
    diagnosis.findings.push_back(
        {Severity::kProblem,
         "imbalance",
         fmt::format("{} is the only one of the {}", frequent, label_noun(c)),
         {counts.at(frequent).first},
         "look whether the right column is read (--label-column): nothing can be learnt."});
    return;
  }
  diagnosis.measures.push_back({label_noun(c), fmt::format("{}, from {} ({}) to {} ({})", order.size(),
                                                           grouped(least), rarest, grouped(most), frequent)});
  // O is what most words are: nobody would change that.
  if (tags) return;
  const bool lopsided = share > kMajority;
  if (!lopsided && static_cast<double>(most) < kImbalance * static_cast<double>(least)) return;
  diagnosis.findings.push_back(
      {lopsided ? Severity::kWarning : Severity::kNote,
       "imbalance",
       fmt::format("{} has {}, {} has {}: a model that always tells {} is right on {}", frequent,
                   grouped(most), rarest, grouped(least), frequent, percent(share)),
       {},
       "measure by macro F1, not by accuracy alone (rondo evaluate shows both); --class-weights balanced "
       "lets rare "
       "labels count as much as frequent ones."});
}

void check_missing(const ExaminedPair& c, const LabelCounts& train, Diagnosis& diagnosis) {
  if (c.dev == nullptr) return;
  const LabelCounts dev = count_labels(*c.dev);
  Finding unseen{
      .severity = Severity::kProblem, .check = "unseen labels", .what = {}, .where = {}, .advice = {}};
  int64_t labels = 0, examples = 0, absent = 0;
  for (const auto& [label, count] : dev) {
    if (train.contains(label)) continue;
    ++labels;
    examples += count.count;
    unseen.where.push_back(
        fmt::format("{}: {} of them, the first at {}", label, grouped(count.count), count.first));
  }
  if (labels > 0) {
    unseen.where.resize(std::min(unseen.where.size(), Finding::kMostPlaces));
    unseen.what = fmt::format("{} of {} do not occur in {}; {} {} cannot be got right",
                              part_of(labels, static_cast<int64_t>(dev.size()), label_noun(c)), c.dev->path,
                              c.train.path, grouped(examples), noun_of(c));
    unseen.advice =
        "correct their spelling, give the training set examples of them, or take them out of the dev set.";
    diagnosis.findings.push_back(std::move(unseen));
  }
  std::string names;
  for (const auto& [label, count] : train) {
    if (!dev.contains(label) && absent++ < 3) names += (names.empty() ? "" : ", ") + label;
  }
  if (absent == 0) return;
  diagnosis.findings.push_back(
      {Severity::kNote,
       "unseen labels",
       fmt::format("{} of {} do not occur in {}: {}{}",
                   part_of(absent, static_cast<int64_t>(train.size()), label_noun(c)), c.train.path,
                   c.dev->path, names, absent > 3 ? ", ..." : ""),
       {},
       "figures of the dev set say nothing of them; draw it from the same texts as the training set."});
}

/// A word that tells a label.
struct Leak {
  int32_t token = 0;
  std::string label;
  int64_t with_label = 0, texts = 0;
  double part = 0;  ///< of the label's texts that hold it
};

std::vector<int32_t> distinct(std::vector<int32_t> tokens) {
  std::ranges::sort(tokens);
  const auto rest = std::ranges::unique(tokens);
  tokens.erase(rest.begin(), rest.end());
  return tokens;
}

// The one label that a word can tell is the winner of a majority vote (Boyer & Moore 1981): two passes over
// the texts and three numbers a word, however many labels there are.
std::vector<Leak> find_leaks(const ExaminedPair& c, const LabelCounts& labels) {
  const auto words = static_cast<size_t>(c.words.text.size());
  std::vector<const std::string*> candidate(words, nullptr);
  std::vector<int64_t> votes(words, 0), with(words, 0), texts(words, 0);
  for (const ExaminedItem& item : c.train.items) {
    for (const int32_t token : distinct(item.text.tokens)) {
      const auto w = static_cast<size_t>(token);
      ++texts[w];
      for (const std::string& label : item.labels) {
        if (votes[w] == 0) candidate[w] = &label;
        votes[w] += *candidate[w] == label ? 1 : -1;
      }
    }
  }
  for (const ExaminedItem& item : c.train.items) {
    for (const int32_t token : distinct(item.text.tokens)) {
      const auto w = static_cast<size_t>(token);
      if (candidate[w] != nullptr) with[w] += std::ranges::count(item.labels, *candidate[w]);
    }
  }
  std::vector<Leak> leaks;
  for (size_t w = 0; w < words; ++w) {
    if (texts[w] < kLeakTexts || static_cast<double>(with[w]) < kLeakShare * static_cast<double>(texts[w]))
      continue;
    const auto of_label = static_cast<double>(labels.at(*candidate[w]).count);
    const double part = static_cast<double>(with[w]) / of_label;
    if (part < kLeakPart || of_label > 0.9 * static_cast<double>(c.train.size())) continue;
    leaks.push_back({static_cast<int32_t>(w), *candidate[w], with[w], texts[w], part});
  }
  std::ranges::stable_sort(leaks, std::greater(), &Leak::part);
  return leaks;
}

}  // namespace

void check_labels(const ExaminedPair& c, Diagnosis& diagnosis) {
  if (c.task != ExaminedTask::kClassify && c.task != ExaminedTask::kTag) return;
  for (const char* check : {"rare labels", "unseen labels", "imbalance"})
    diagnosis.checked.emplace_back(check);
  const LabelCounts counts = count_labels(c.train);
  if (counts.empty()) return;
  check_balance(c, counts, diagnosis);
  if (counts.size() > 1) check_rare(c, counts, diagnosis);
  check_missing(c, counts, diagnosis);
}

void check_leaks(const ExaminedPair& c, Diagnosis& diagnosis) {
  if (c.task != ExaminedTask::kClassify) return;
  diagnosis.checked.emplace_back("leaking words");
  const LabelCounts labels = count_labels(c.train);
  if (labels.size() < 2) return;
  const std::vector<Leak> leaks = find_leaks(c, labels);
  if (leaks.empty()) return;
  Finding finding{
      .severity = leaks[0].part >= kOpenLeak ? Severity::kProblem : Severity::kWarning,
      .check = "leaking words",
      .what = fmt::format("{} {} alone a label: {} % of the texts with it have that label",
                          leaks.size() == 1 ? "one word" : grouped(std::ssize(leaks)) + " words",
                          leaks.size() == 1 ? "tells" : "tell each", 100 * kLeakShare),
      .where = {},
      .advice =
          "if the word came with the label (a signature, a source, a template), take it out of the "
          "texts: a model learns it and nothing else, and fails where it is missing. If texts in use "
          "will have it, all is well."};
  for (size_t i = 0; i < std::min(leaks.size(), Finding::kMostPlaces); ++i) {
    const Leak& leak = leaks[i];
    finding.where.push_back(fmt::format("\"{}\": {} of {} texts are {}, {} of that label's texts hold it",
                                        c.words.text.token(leak.token), grouped(leak.with_label),
                                        grouped(leak.texts), leak.label, percent(leak.part)));
  }
  diagnosis.findings.push_back(std::move(finding));
}

void check_tag_order(const ExaminedPair& c, Diagnosis& diagnosis) {
  if (c.task != ExaminedTask::kTag) return;
  std::map<std::string, int32_t> numbers;
  for (const ExaminedCorpus* corpus : {&c.train, c.dev}) {
    for (int64_t i = 0; corpus != nullptr && i < corpus->size(); ++i) {
      for (const std::string& tag : (*corpus)[i].labels) numbers.emplace(tag, 0);
    }
  }
  std::vector<std::string> names;
  for (auto& [name, number] : numbers) {
    number = static_cast<int32_t>(names.size());
    names.push_back(name);
  }
  const TagScheme scheme = scheme_of(names);
  if (scheme == TagScheme::kNone) return;
  diagnosis.checked.emplace_back("order of tags");
  const CrfConstraints constraints(scheme, names);
  for (const ExaminedCorpus* corpus : {&c.train, c.dev}) {
    if (corpus == nullptr) continue;
    int64_t count = 0;
    std::vector<std::string> where;
    for (int64_t i = 0; i < corpus->size(); ++i) {
      std::vector<int32_t> labels;
      for (const std::string& tag : (*corpus)[i].labels) labels.push_back(numbers.at(tag));
      const int64_t at = constraints.first_break(labels);
      if (at < 0 || ++count > static_cast<int64_t>(Finding::kMostPlaces)) continue;
      where.push_back(at < std::ssize(labels)
                          ? fmt::format("the sentence at {}: {} at word {}", corpus->place(i),
                                        (*corpus)[i].labels[static_cast<size_t>(at)], at + 1)
                          : fmt::format("the sentence at {}: its last name does not end", corpus->place(i)));
    }
    if (count == 0) continue;
    diagnosis.findings.push_back(
        {Severity::kWarning, "order of tags",
         fmt::format("{} have tags in an order that {} forbids",
                     part_of(count, corpus->size(), corpus->noun + " of " + corpus->path),
                     scheme == TagScheme::kBio ? "BIO" : "BIOES"),
         std::move(where),
         "write the first word of a name with B-; a CRF that knows the scheme (--scheme bio) refuses such "
         "sentences."});
  }
}

}  // namespace rondo
