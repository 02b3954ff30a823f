#include "inference/text_generator.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "inference/predictor.h"
#include "inference/stop_strings.h"
#include "text/unicode.h"

namespace rondo {

namespace {

// Room that is taken at once; a longer text grows.
constexpr int64_t kRoom = 1 << 16;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string> unknown_tokens(const std::vector<std::string>& tokens,
                                        const std::vector<int32_t>& ids) {
  std::vector<std::string> unknown;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != Vocabulary::kUnknown) continue;
    if (std::find(unknown.begin(), unknown.end(), tokens[i]) == unknown.end()) unknown.push_back(tokens[i]);
  }
  return unknown;
}

// Here rather than by the tokenizer, whose message speaks of files.
void check_prompt(std::string_view text, const Tokenizer& tokenizer) {
  size_t offset = 0;
  if (tokenizer.kind() == TokenizerKind::kBytes || is_valid_utf8(text, &offset)) return;
  throw_error<DataError>(
      "prompt: its byte {} (0x{:02X}) is not UTF-8; type it in a terminal that is, or convert it (iconv -t "
      "UTF-8)",
      offset + 1, static_cast<uint8_t>(text[offset]));
}

/// Where the pieces of a text go: past the stop strings to the generation and to the caller.
class Output {
 public:
  Output(const GenerateOptions& options, const TextCallback& write, std::string& text)
      : stops_(options.stop), write_(write), text_(text) {}

  /// @return  why the text ends here, or kLength if it does not.
  StopReason add(std::string_view piece) {
    const size_t before = text_.size();
    const bool found = stops_.add(piece, text_);
    if (!tell(before)) return StopReason::kCaller;
    return found ? StopReason::kStopString : StopReason::kLength;
  }
  void finish() {
    const size_t before = text_.size();
    stops_.finish(text_);
    tell(before);
  }

 private:
  bool tell(size_t before) const {
    if (!write_ || text_.size() == before) return true;
    return write_(std::string_view(text_).substr(before));
  }

  StopStrings stops_;
  const TextCallback& write_;
  std::string& text_;
};

}  // namespace

void Continuation::take(int32_t id, std::string& text) {
  const size_t before = text.size();
  writer_.write(model_->vocabulary.token(id), text);
  if (drop_space_ && text.size() > before) {
    if (text[before] == ' ') text.erase(before, 1);
    drop_space_ = false;
  }
  reader_.read(std::span(&id, 1));
}

std::string quoted_token(const std::string& token) {
  return nlohmann::json(token).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string token_list(std::span<const std::string> tokens, size_t count) {
  std::string list;
  for (const std::string& token : tokens.first(std::min(count, tokens.size()))) {
    list += (list.empty() ? "" : ", ") + quoted_token(token);
  }
  return tokens.size() > count ? list + ", ..." : list;
}

std::vector<int32_t> likeliest(LanguageReader& reader, size_t k) {
  std::vector<int32_t> best = largest(reader.scores(), k + 1);
  std::erase(best, Vocabulary::kUnknown);
  best.resize(std::min(best.size(), k));
  return best;
}

Prompt TextGenerator::read(std::string_view text) const {
  check_prompt(text, *model_->tokenizer);
  const std::vector<std::string> tokens = model_->tokenizer->tokens(text);
  Prompt prompt{.text = std::string(text),
                .ids = model_->vocabulary.ids(tokens),
                .reader = LanguageReader(*model_, *backend_, prepared_),
                .writer = TokenWriter(*model_->tokenizer)};
  prompt.unknown = unknown_tokens(tokens, prompt.ids);
  if (!tokens.empty() && std::count(prompt.ids.begin(), prompt.ids.end(), Vocabulary::kUnknown) ==
                             static_cast<std::ptrdiff_t>(tokens.size())) {
    throw_error<DataError>(
        "prompt: the model has never seen any of its tokens ({}); give one of {} that stood in the text it "
        "was "
        "trained on: rondo info shows some",
        token_list(prompt.unknown, 10),
        name_of(model_->tokenizer->kind()) == std::string_view("characters") ? "characters" : "words");
  }
  std::string read;
  for (const std::string& token : tokens) prompt.writer.write(token, read);
  const bool told = !read.empty() && is_space(read.back());
  prompt.space_given = !text.empty() && is_space(text.back()) && !told;
  prompt.reader.read(prompt.ids);
  return prompt;
}

Generation TextGenerator::generate(const Prompt& prompt, const GenerateOptions& options, uint64_t sample,
                                   const TextCallback& write) const {
  Generation made;
  Continuation continuation(*model_, prompt);
  Sampler sampler(options.sampling, model_->vocabulary.size(), Stream(options.seed, {sample}));
  if (options.ignore_end) sampler.forbid(model_->end());
  Output output(options, write, made.text);
  std::vector<int32_t> written = prompt.ids;
  const auto room = static_cast<size_t>(std::min(options.length, kRoom));
  written.reserve(written.size() + room);
  made.text.reserve(4 * room);
  std::string piece;
  for (int64_t step = 0; step < options.length && made.why == StopReason::kLength; ++step) {
    LanguageReader& reader = continuation.reader();
    const int32_t id = sampler.next(reader.scores(), written, static_cast<uint64_t>(step));
    if (options.log_probability) made.log_probability += reader.log_probability(id);
    if (id == model_->end()) {
      made.why = StopReason::kEnd;
      break;
    }
    written.push_back(id);
    piece.clear();
    continuation.take(id, piece);
    made.why = output.add(piece);
  }
  if (made.why == StopReason::kLength || made.why == StopReason::kEnd) {
    piece.clear();
    continuation.finish(piece);
    const StopReason found = output.add(piece);
    if (found == StopReason::kLength) {
      output.finish();
    } else {
      made.why = found;
    }
  }
  made.ids.assign(written.begin() + static_cast<std::ptrdiff_t>(prompt.ids.size()), written.end());
  return made;
}

}  // namespace rondo
