#include "training/spans.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {
namespace {

/// "B-PER" is {"B", "PER"}, "O" is {"O", ""}; only the first hyphen parts.
struct Tag {
  std::string_view kind = "O";
  std::string_view type;

  Tag() = default;
  explicit Tag(std::string_view text) {
    const size_t hyphen = text.find('-');
    kind = text.substr(0, hyphen);
    if (hyphen != std::string_view::npos) type = text.substr(hyphen + 1);
  }
  bool is(std::string_view name) const { return kind == name; }
  bool outside() const { return is("O") || is("."); }
  bool closes() const { return is("E") || is("S"); }
  bool opens() const { return is("B") || is("S"); }
};

bool ends_between(const Tag& tag, const Tag& next) {
  if (tag.closes() || (!tag.outside() && tag.type != next.type)) return true;
  return (tag.is("B") || tag.is("I")) && (next.opens() || next.is("O"));
}

bool starts_between(const Tag& previous, const Tag& tag) {
  if (tag.opens() || (!tag.outside() && previous.type != tag.type)) return true;
  return (previous.closes() || previous.is("O")) && (tag.is("I") || tag.is("E"));
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

SpanScore with_shares(SpanScore score) {
  score.precision = share(score.correct, score.found);
  score.recall = share(score.correct, score.wanted);
  score.f1 = share(2 * score.correct, score.found + score.wanted);
  return score;
}

nlohmann::json to_json(const SpanScore& score) {
  return {{"precision", score.precision}, {"recall", score.recall}, {"f1", score.f1},
          {"wanted", score.wanted},       {"found", score.found},   {"correct", score.correct}};
}

std::string percentages(const SpanScore& score) {
  return fmt::format("precision: {:6.2f}%; recall: {:6.2f}%; FB1: {:6.2f}", 100 * score.precision,
                     100 * score.recall, 100 * score.f1);
}

}  // namespace

std::vector<Span> find_spans(std::span<const std::string> tags) {
  std::vector<Span> spans;
  bool open = false;
  Tag previous;
  for (size_t i = 0; i <= tags.size(); ++i) {
    const Tag tag = i < tags.size() ? Tag(tags[i]) : Tag();
    if (open && ends_between(previous, tag)) {
      spans.back().end = i;
      open = false;
    }
    if (starts_between(previous, tag)) {
      if (open) spans.back().end = i;  // behind a kind that no scheme has
      spans.push_back({i, tags.size(), std::string(tag.type)});
      open = true;
    }
    previous = tag;
  }
  return spans;
}

void SpanMetrics::add(std::span<const std::string> truth, std::span<const std::string> predicted) {
  if (truth.size() != predicted.size()) {
    throw_error<DataError>("spans: {} predicted tags for a sentence of {} tokens; one for each is needed",
                           predicted.size(), truth.size());
  }
  const std::vector<Span> wanted = find_spans(truth);
  const std::vector<Span> found = find_spans(predicted);
  for (const Span& span : wanted) ++counts_[span.type].wanted;
  auto next = wanted.begin();  // both lists rise
  for (const Span& span : found) {
    SpanScore& counts = counts_[span.type];
    ++counts.found;
    while (next != wanted.end() && next->begin < span.begin) ++next;
    if (next != wanted.end() && *next == span) ++counts.correct;
  }
  tokens_ += std::ssize(truth);
  for (size_t i = 0; i < truth.size(); ++i) right_tokens_ += truth[i] == predicted[i] ? 1 : 0;
}

SpanEvaluation SpanMetrics::evaluation() const {
  SpanEvaluation evaluation{.tokens = tokens_, .accuracy = share(right_tokens_, tokens_)};
  for (const auto& [type, counts] : counts_) {
    evaluation.types[type] = with_shares(counts);
    evaluation.total.wanted += counts.wanted;
    evaluation.total.found += counts.found;
    evaluation.total.correct += counts.correct;
  }
  evaluation.total = with_shares(evaluation.total);
  return evaluation;
}

nlohmann::json SpanEvaluation::to_json() const {
  nlohmann::json json = rondo::to_json(total);
  json["tokens"] = tokens;
  json["accuracy"] = accuracy;
  json["types"] = nlohmann::json::object();
  for (const auto& [type, score] : types) json["types"][type] = rondo::to_json(score);
  return json;
}

std::string SpanEvaluation::table() const {
  std::string text = fmt::format("processed {} tokens with {} phrases; found: {} phrases; correct: {}.\n",
                                 tokens, total.wanted, total.found, total.correct);
  text += fmt::format("accuracy: {:6.2f}%; {}\n", 100 * accuracy, percentages(total));
  for (const auto& [type, score] : types) {
    text += fmt::format("{:>17}: {}  {}\n", type, percentages(score), score.found);
  }
  return text;
}

}  // namespace rondo
