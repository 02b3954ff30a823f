// Entities in sequences of tags (B-PER I-PER O), and how many of them were found, by conlleval's rules.
//   SpanMetrics metrics;  metrics.add(truth, predicted);  metrics.evaluation().total.f1
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

/// The tokens [begin, end) of one sentence.
struct Span {
  size_t begin = 0;
  size_t end = 0;
  std::string type;  ///< what follows the tag's first hyphen

  bool operator==(const Span&) const = default;
};

/// The entities of one sentence, tags in IOB1, IOB2 (BIO) or BIOES. They need no telling apart, for one rule
/// holds for all, and for sequences that break them too: a span begins at B and S, behind E and S, behind O
/// and where the type changes; it ends before B, S and O, behind E and S and where the type changes. So `O
/// I-PER I-PER` is one person, `B-PER I-LOC` two entities, `I-PER E-PER I-PER` two. Source: conlleval (Tjong
/// Kim Sang 2000), with E and S as its successors for BIOES have them.
std::vector<Span> find_spans(std::span<const std::string> tags);

/// precision = correct / found, recall = correct / wanted, f1 their harmonic mean; 0/0 is 0. From 0 to 1.
struct SpanScore {
  int64_t wanted = 0;   ///< spans of the truth
  int64_t found = 0;    ///< spans of the prediction
  int64_t correct = 0;  ///< of both, with the same ends and type
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

struct SpanEvaluation {
  int64_t tokens = 0;
  double accuracy = 0;                     ///< share of tokens whose whole tag is right
  SpanScore total;                         ///< of all types: "micro"
  std::map<std::string, SpanScore> types;  ///< those of the truth or of the prediction

  /// {"tokens", "accuracy", "precision", "recall", "f1", "wanted", "found", "correct", "types": {TYPE:
  /// {...}}}.
  nlohmann::json to_json() const;
  /// The lines that conlleval prints.
  std::string table() const;
};

/// Counts the entities of many sentences.
class SpanMetrics {
 public:
  /// The tags of one sentence. @throws DataError if there are not as many predicted ones as true ones.
  void add(std::span<const std::string> truth, std::span<const std::string> predicted);
  SpanEvaluation evaluation() const;

 private:
  std::map<std::string, SpanScore> counts_;
  int64_t tokens_ = 0;
  int64_t right_tokens_ = 0;
};

}  // namespace rondo
