// Text that goes on from a prompt.
//   TextGenerator generator(model, backend, Precision::kFloat32);
//   Prompt prompt = generator.read("KING RICHARD:");
//   Generation made = generator.generate(prompt, {.length = 200}, /*sample=*/0, [](std::string_view piece) {
//     return write(piece); });
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inference/language_reader.h"
#include "inference/sampling.h"
#include "inference/token_writer.h"

namespace rondo {

struct GenerateOptions {
  int64_t length = 500;
  uint64_t seed = 1;
  bool ignore_end = false;
  SamplingOptions sampling;
  std::vector<std::string> stop;  // no option: a stop string may hold commas
  bool log_probability = false;   // no option: whether Generation::log_probability is wanted

  template <class Visitor>
  void visit(Visitor& v) {
    v("length", length, "tokens at most", Range{1, 1e12});
    v("seed", seed, "of the random numbers: the same seed, the same text", Range{0, 9007199254740991.0});
    v("ignore-end", ignore_end, "the end of the document is never drawn");
    sampling.visit(v);
  }
};

enum class StopReason { kLength, kEnd, kStopString, kCaller };

template <>
inline constexpr auto kNames<StopReason> =
    std::array{std::pair{StopReason::kLength, "length"}, std::pair{StopReason::kEnd, "end"},
               std::pair{StopReason::kStopString, "stop"}, std::pair{StopReason::kCaller, "caller"}};

/// A text that was read, from which any number of samples go on.
struct Prompt {
  std::string text;
  std::vector<int32_t> ids;
  std::vector<std::string> unknown;  ///< tokens that the vocabulary lacks, each once
  LanguageReader reader;
  TokenWriter writer;
  bool space_given = false;  ///< it ends in white space that its tokens do not tell
};

/// What was written behind a prompt.
struct Generation {
  std::string text;
  std::vector<int32_t> ids;
  double log_probability = 0;  ///< of these ids by the model itself, whatever the sampling did; in nats
  StopReason why = StopReason::kLength;
};

/// A token as JSON writes it, so that white space is seen.
std::string quoted_token(const std::string& token);
/// `"a", "b", ...`: at most `count` of the tokens.
std::string token_list(std::span<const std::string> tokens, size_t count);

/// The k most probable tokens of what comes next, the best first; not the unknown one.
std::vector<int32_t> likeliest(LanguageReader& reader, size_t k);

/// Gets each piece of text as soon as it is sure; false ends the text.
using TextCallback = std::function<bool(std::string_view)>;

/// Tokens behind a prompt, chosen by whoever calls, and their text.
class Continuation {
 public:
  /// A fork of the prompt; the model must outlive it.
  Continuation(const LanguageModel& model, const Prompt& prompt)
      : model_(&model), reader_(prompt.reader), writer_(prompt.writer), drop_space_(prompt.space_given) {}

  /// Goes on by a token and appends to `text` what that makes sure.
  void take(int32_t id, std::string& text);
  /// Appends what was held back.
  void finish(std::string& text) { writer_.finish(text); }
  LanguageReader& reader() { return reader_; }

 private:
  const LanguageModel* model_;
  LanguageReader reader_;
  TokenWriter writer_;
  bool drop_space_;
};

/// Unchanging after construction: many threads may generate with one.
class TextGenerator {
 public:
  /// Both must outlive it.
  TextGenerator(const LanguageModel& model, Backend& backend, PreparedReader prepared)
      : model_(&model), backend_(&backend), prepared_(std::move(prepared)) {}
  /// The same with weights that it packs itself, once.
  TextGenerator(const LanguageModel& model, Backend& backend, Precision precision)
      : TextGenerator(model, backend, prepare_reader(model, backend, precision)) {}

  /// Begins a document and reads the text.
  /// @throws DataError if it is not UTF-8, or the vocabulary has none of its tokens.
  Prompt read(std::string_view text) const;

  /// Goes on until the end of the document, a stop string or the length. Sample n draws from
  /// Stream(seed, {n}), whatever came before it: the same seed and sample, the same text.
  /// @throws ConfigError from SamplingOptions::check() or StopStrings.
  /// A token allocates nothing, but that the text grows; SentencePiece's pieces, an adaptive softmax and
  /// log-probabilities take small blocks.
  Generation generate(const Prompt& prompt, const GenerateOptions& options, uint64_t sample,
                      const TextCallback& write = {}) const;

  const LanguageModel& model() const { return *model_; }

 private:
  const LanguageModel* model_;
  Backend* backend_;
  PreparedReader prepared_;
};

}  // namespace rondo
