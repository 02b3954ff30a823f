#include "inspect/corpus_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "inspect/hits.h"

namespace rondo {

namespace {

using Firsts = std::unordered_map<uint64_t, int64_t>;  // the first item of each text

// Of pairs both sides count.
uint64_t exact_of(const ExaminedItem& item) { return item.text.exact * 31 + item.target.exact; }
uint64_t normalised_of(const ExaminedItem& item) {
  return item.text.normalised * 31 + item.target.normalised;
}

// Lines of running text repeat by nature ("Chapter", "Exeunt"): short ones say nothing.
bool counts(const ExaminedItem& item, ExaminedTask task) {
  return task == ExaminedTask::kLm ? item.text.tokens.size() >= 6 : !item.text.tokens.empty();
}

Firsts firsts(const ExaminedCorpus& corpus, ExaminedTask task, uint64_t (*key)(const ExaminedItem&)) {
  Firsts firsts;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    if (counts(corpus[i], task)) firsts.emplace(key(corpus[i]), i);
  }
  return firsts;
}

void check_duplicates(const ExaminedCorpus& corpus, bool is_dev, ExaminedTask task, Diagnosis& diagnosis) {
  Firsts exact, normalised;
  Hits same, similar;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    if (!counts(corpus[i], task)) continue;
    const auto [first, is_new] = exact.emplace(exact_of(corpus[i]), i);
    const auto [alike, alike_is_new] = normalised.emplace(normalised_of(corpus[i]), i);
    if (!is_new) {
      same.add(fmt::format("{} is {}", corpus.place(i), corpus.place(first->second)));
    } else if (!alike_is_new) {
      similar.add(fmt::format("{} is like {}", corpus.place(i), corpus.place(alike->second)));
    }
  }
  if (same.count + similar.count == 0) return;
  const int64_t exact_count = same.count;
  for (std::string& place : similar.where) same.where.push_back(std::move(place));
  const Severity severity =
      is_dev ? Severity::kNote : by_share(same.count + similar.count, corpus.size(), 2, 0.01);
  diagnosis.findings.push_back(
      {severity, "duplicates",
       fmt::format("{} repeat one before{}",
                   part_of(same.count + similar.count, corpus.size(), corpus.noun + " of " + corpus.path),
                   similar.count == 0 ? ""
                   : exact_count == 0
                       ? ", but for case and punctuation"
                       : fmt::format(", {} of them but for case and punctuation", grouped(similar.count))),
       std::move(same.where),
       is_dev ? "keep one of each, unless the model will be asked the same things again and again."
              : "keep one of each: a text that stands there often counts as often, and one of a pair may "
                "fall to the dev part where no dev file is given."});
}

}  // namespace

void check_overlap(const ExaminedPair& c, Diagnosis& diagnosis) {
  if (c.dev == nullptr) return;
  diagnosis.checked.emplace_back("overlap");
  const Firsts exact = firsts(c.train, c.task, exact_of), normalised = firsts(c.train, c.task, normalised_of);
  Hits same, similar;
  for (int64_t i = 0; i < c.dev->size(); ++i) {
    const ExaminedItem& item = (*c.dev)[i];
    if (!counts(item, c.task)) continue;
    if (const auto found = exact.find(exact_of(item)); found != exact.end()) {
      same.add(fmt::format("{} is {}", c.dev->place(i), c.train.place(found->second)));
    } else if (const auto alike = normalised.find(normalised_of(item)); alike != normalised.end()) {
      similar.add(fmt::format("{} is like {}", c.dev->place(i), c.train.place(alike->second)));
    }
  }
  const char* advice =
      "take them out of one of the files: a model that has learnt them by heart looks better than it is.";
  const std::string noun = c.dev->noun + " of " + c.dev->path;
  if (same.count > 0) {
    diagnosis.findings.push_back(
        {by_share(same.count, c.dev->size(), 0.01, 0), "overlap",
         fmt::format("{} stand in {} too", part_of(same.count, c.dev->size(), noun), c.train.path),
         std::move(same.where), advice});
  }
  if (similar.count == 0) return;
  diagnosis.findings.push_back({by_share(similar.count, c.dev->size(), 0.01, 0), "overlap",
                                fmt::format("{} stand in {} but for case, punctuation and white space",
                                            part_of(similar.count, c.dev->size(), noun), c.train.path),
                                std::move(similar.where), advice});
}

void check_duplicates(const ExaminedPair& c, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("duplicates");
  check_duplicates(c.train, false, c.task, diagnosis);
  if (c.dev != nullptr) check_duplicates(*c.dev, true, c.task, diagnosis);
}

void check_conflicts(const ExaminedPair& c, Diagnosis& diagnosis) {
  if (c.task != ExaminedTask::kClassify && c.task != ExaminedTask::kTag) return;
  diagnosis.checked.emplace_back("conflicting labels");
  struct Seen {
    const ExaminedCorpus* corpus;
    int64_t item;
  };
  std::unordered_map<uint64_t, Seen> seen;
  Hits hits;
  int64_t all = 0;
  for (const ExaminedCorpus* corpus : {&c.train, c.dev}) {
    for (int64_t i = 0; corpus != nullptr && i < corpus->size(); ++i, ++all) {
      const ExaminedItem& item = (*corpus)[i];
      if (!counts(item, c.task)) continue;
      const auto [first, is_new] = seen.emplace(item.text.normalised, Seen{corpus, i});
      if (is_new) continue;
      const ExaminedItem& other = (*first->second.corpus)[first->second.item];
      if (c.task == ExaminedTask::kTag ? item.labels == other.labels : label_key(item) == label_key(other))
        continue;
      if (item.text.tokens.size() != other.text.tokens.size() && c.task == ExaminedTask::kTag) continue;
      const bool tags = c.task == ExaminedTask::kTag;
      hits.add(fmt::format("{}{} against {}{}", corpus->place(i), tags ? "" : ": " + label_key(item),
                           first->second.corpus->place(first->second.item),
                           tags ? "" : ": " + label_key(other)));
    }
  }
  if (hits.count == 0) return;
  diagnosis.findings.push_back(
      {by_share(hits.count, all, 0.01, 0), "conflicting labels",
       part_of(hits.count, all, c.train.noun) + " have other labels than an equal text before",
       std::move(hits.where),
       c.task == ExaminedTask::kTag
           ? "decide which tags are right: what disagrees cannot be learnt, and no model can be right on it."
           : "decide which label is right; where several are, give the texts all of them "
             "(--label-separator). "
             "What disagrees cannot be learnt, and no model can be right on it."});
}

void check_empty(const ExaminedPair& c, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("empty texts");
  for (const ExaminedCorpus* corpus : {&c.train, c.dev}) {
    if (corpus == nullptr) continue;
    Hits hits;
    for (int64_t i = 0; i < corpus->size(); ++i) {
      if ((*corpus)[i].text.tokens.empty()) hits.add(corpus->place(i));
    }
    if (hits.count > 0) {
      diagnosis.findings.push_back(
          {Severity::kWarning, "empty texts",
           part_of(hits.count, corpus->size(), corpus->noun + " of " + corpus->path) + " have no word",
           std::move(hits.where),
           "take them out, or look whether the right column is read (--text-column)."});
    }
    if (corpus->empty_sides == 0) continue;
    diagnosis.findings.push_back(
        {Severity::kWarning,
         "empty texts",
         fmt::format("{} of {} have an empty side and are left out",
                     part_of(corpus->empty_sides, corpus->size() + corpus->empty_sides, "pairs"),
                     corpus->path),
         {},
         "look whether the files are aligned line by line; --empty refuse stops at the first one."});
  }
}

}  // namespace rondo
