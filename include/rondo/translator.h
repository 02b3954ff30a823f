// A trained translator: load a model file (or several, as one), get translations of sentences.
//   auto translator = rondo::Translator::load("en-de.rondo");
//   std::string german = translator.translate("A dog runs.");
//   for (const rondo::Translation& one : translator.n_best("A dog runs.", 3)) std::cout << one.text << '\n';
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rondo/errors.h"

namespace rondo {

/// One translation of one sentence.
struct Translation {
  std::string text;
  double log_probability = 0;  ///< of the tokens and the end, natural logarithm
  double score = 0;            ///< what they are ranked by: see the options alpha and coverage
  bool ended = true;           ///< false: cut, because no token was possible any more

  // Where the translation is asked for with its alignment:
  std::vector<std::string> source_tokens;  ///< and the end, "</s>"
  std::vector<std::string> target_tokens;  ///< and the end
  std::vector<float> attention;            ///< [target tokens, source tokens], row by row
  /// (source, target) tokens, from 0: where each target token looked most; none where that is an end.
  std::vector<std::pair<size_t, size_t>> alignment;
};

/// What `rondo translate` does.
class Translator {
 public:
  /// Options by the names of the command: beam, alpha, coverage, n-best, max-ratio, replace-unknown, ...
  using Options = std::map<std::string, std::string>;

  /// @param threads  0: one for each processor that the process may use. Changes speed, never results.
  /// @param precision  of the products: "f32", "bf16" or "int8"; "model": the one that it was trained in.
  /// @throws IoError if the file cannot be read; FormatError if it is no translator, cut or altered;
  /// ConfigError for another precision.
  static Translator load(const std::string& path, int threads = 0, const std::string& precision = "model");
  /// An ensemble. @throws ConfigError also if the models' vocabularies differ, or there is no path.
  static Translator load(const std::vector<std::string>& paths, int threads = 0,
                         const std::string& precision = "model");
  ~Translator();
  Translator(Translator&&) noexcept;
  Translator& operator=(Translator&&) noexcept;

  /// The best translation; an empty text has an empty one.
  /// @throws ConfigError for an unknown option or a wrong value; DataError if the text is not UTF-8 or too
  /// long.
  std::string translate(std::string_view text, const Options& options = {}) const;
  /// The same of many, faster: result i is that of text i, the same in any company.
  std::vector<std::string> translate_all(const std::vector<std::string>& texts,
                                         const Options& options = {}) const;
  /// The k best, the best first, with attention and alignment where the model has attention.
  std::vector<Translation> n_best(std::string_view text, size_t k, const Options& options = {}) const;

  /// Numbers in all models together.
  size_t parameters() const;

 private:
  struct State;
  explicit Translator(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace rondo
