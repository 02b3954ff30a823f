// How probable texts are, token by token.
//   TextScorer scorer(model, backend, Precision::kFloat32);
//   for (const TextScore& score : scorer.score(lines, {.ranks = true})) ...
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "inference/language_reader.h"

namespace rondo {

struct ScoreOptions {
  bool end = true;
  bool ranks = false;  // no option: whether TokenScore::rank is wanted

  template <class Visitor>
  void visit(Visitor& v) {
    v("end", end, "count the end of the document as a token behind each text, as training and evaluate do");
  }
};

struct TokenScore {
  std::string token;
  int32_t id = 0;
  float log_probability = 0;  ///< natural logarithm, given all tokens before
  int64_t rank = 0;           ///< 1: the most probable of all tokens here; ties go to the smaller id
};

struct TextScore {
  std::vector<TokenScore> tokens;
  double log_probability() const;
  double perplexity() const;  ///< exp(-log_probability / tokens); 1 without tokens
};

/// Unchanging after construction: many threads may score with one.
class TextScorer {
 public:
  /// Both must outlive it.
  TextScorer(const LanguageModel& model, Backend& backend, std::shared_ptr<const PreparedStack> stack)
      : model_(&model), backend_(&backend), stack_(std::move(stack)) {}
  /// The same with weights that it packs itself, once.
  TextScorer(const LanguageModel& model, Backend& backend, Precision precision)
      : TextScorer(model, backend, prepare_stack(model, backend, precision)) {}

  /// Each text is a document of its own. Result i is that of text i: the same bits in any company and with
  /// any number of threads, and those of evaluate. @throws DataError if a text is not UTF-8.
  std::vector<TextScore> score(std::span<const std::string> texts, const ScoreOptions& options) const;

 private:
  TextScore score(const std::string& text, const ScoreOptions& options) const;
  /// Of the next tokens; `before` is the one that stands before them.
  void score_block(RecurrentStream& stream, int32_t before, std::span<TokenScore> block, bool ranks) const;

  const LanguageModel* model_;
  Backend* backend_;
  std::shared_ptr<const PreparedStack> stack_;
};

}  // namespace rondo
