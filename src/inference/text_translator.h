// Many texts through one translator, or through an ensemble: tokens, beam search, text again.
//   TextTranslator translator({"en-de.rondo"}, backend, {});
//   std::vector<std::vector<Translation>> found = translator.translate(lines, options);
//   found[3][0].text;   // the best translation of line 3
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "inference/predictor.h"
#include "inference/translator_search.h"
#include "rondo/translator.h"

namespace rondo {

struct TranslateOptions {
  BeamOptions search;
  bool replace_unknown = false;
  EnsembleMean ensemble = EnsembleMean::kProbabilities;
  int64_t batch = 32;
  int64_t max_source = 30000;
  bool alignment = false;  // no option: whether tokens, attention and alignment are wanted

  template <class Visitor>
  void visit(Visitor& v) {
    search.visit(v);
    v("replace-unknown", replace_unknown,
      "an unknown word becomes the source's word that got most attention; else it is never written");
    v("ensemble", ensemble,
      "what is taken of several models' probabilities: the mean, or that of logarithms");
    v("batch", batch, "sentences translated together; changes speed, never results", Range{1, 10000});
    v("max-source", max_source, "tokens of a sentence above which it is refused", Range{1, 1e7});
  }
};

/// Where a text stands, by its number from 0, for messages: "test.en:12".
using TextPlace = std::function<std::string(size_t)>;

class TextTranslator {
 public:
  /// The backend must outlive it.
  /// @throws as load_translator(); ConfigError if the vocabularies differ, or there is no path.
  TextTranslator(const std::vector<std::string>& paths, Backend& backend, const InferenceOptions& inference);
  /// Of models in memory; `names` stand in messages.
  TextTranslator(std::vector<TranslatorModel> models, std::vector<std::string> names, Backend& backend,
                 const InferenceOptions& inference);

  /// The n_best best translations of each text, the best first; an empty text has one, which is empty. The
  /// same in any company, with any batch and number of threads.
  /// @param place  in messages; none: "text N", from 1.
  /// @throws DataError `PLACE: ...` for a text that is no UTF-8 or longer than max_source; ConfigError for
  ///         options that do not fit the models.
  std::vector<std::vector<Translation>> translate(std::span<const std::string> texts,
                                                  const TranslateOptions& options,
                                                  const TextPlace& place = {}) const;

  const TranslatorModel& model() const { return models_.front(); }
  /// Whether any model has attention: an ensemble's is the mean over those that have it, and what needs one
  /// (coverage, replacement, alignment) is refused only where none has.
  bool attends() const;
  int64_t parameters() const;

 private:
  struct Source;
  void check(const TranslateOptions& options) const;
  std::vector<Source> read(std::span<const std::string> texts, const TranslateOptions& options,
                           const TextPlace& place) const;
  std::vector<std::vector<Hypothesis>> search(std::span<const std::vector<int32_t>> sources,
                                              const TranslateOptions& options) const;
  Translation finish(Hypothesis found, const std::string& text, const TranslateOptions& options) const;

  std::vector<TranslatorModel> models_;
  Backend* backend_;
};

}  // namespace rondo
