// A trained language model: load a model file, let it write, ask how probable a text is.
//   auto model = rondo::TextModel::load("poems.rondo");
//   model.generate("Shall I compare", {{"length", "200"}, {"temperature", "0.8"}},
//                  [](std::string_view piece) { std::cout << piece << std::flush; return true; });
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rondo/errors.h"

namespace rondo {

/// A token and how probable it is, given all that stands before it.
struct Token {
  std::string text;            ///< as the tokenizer cuts it
  double log_probability = 0;  ///< natural logarithm
};

/// What `rondo generate` and `rondo score` do. It is named after what it holds, as Classifier is:
/// LanguageModel is the struct inside the library, with its tokenizer, vocabulary and network.
class TextModel {
 public:
  /// @param threads  0: one for each processor that the process may use. Changes speed, never results.
  /// @param precision  of the products: "f32", "bf16" or "int8"; "model": the one that it was trained in.
  /// @throws IoError if the file cannot be read; FormatError if it is no language model, cut or altered;
  /// ConfigError for another precision.
  static TextModel load(const std::string& path, int threads = 0, const std::string& precision = "model");
  ~TextModel();
  TextModel(TextModel&&) noexcept;
  TextModel& operator=(TextModel&&) noexcept;

  /// Gets each piece of text as soon as it is sure; false ends the text.
  using Callback = std::function<bool(std::string_view)>;
  /// What follows the prompt, which may be empty: then a new document begins.
  /// @param options  those of the command by the same names: length, seed, temperature, top-k, top-p,
  /// repetition-penalty, greedy, ...; and stop, a string that ends the text.
  /// @throws ConfigError for an unknown option or a wrong value; DataError if the prompt is not UTF-8, or the
  /// model knows none of its tokens.
  std::string generate(std::string_view prompt, const std::map<std::string, std::string>& options = {},
                       const Callback& write = {}) const;

  /// Each token of a text as a document, and its end as the last. Their sum is the text's log-probability.
  /// @throws DataError if the text is not UTF-8.
  std::vector<Token> score(std::string_view text) const;

  /// The k most probable tokens behind a text, the best first; "</s>" is the end of the document.
  /// @throws DataError as generate().
  std::vector<Token> next(std::string_view text, size_t k) const;

  /// Numbers in the model.
  size_t parameters() const;

 private:
  struct State;
  explicit TextModel(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace rondo
