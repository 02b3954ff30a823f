#include "text/sentencepiece_training.h"

#include <sentencepiece_trainer.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <unordered_map>

#include "base/errors.h"
#include "text/unicode.h"

namespace rondo {
namespace {

// The trainer's suffix array has 32-bit indices.
constexpr size_t kMostBytes = 256U << 20;
// Longer lines are cut: the trainer would leave them out.
constexpr size_t kLineBytes = 4000;
constexpr const char* kLineLimit = "4192";  // the trainer's own

// It leaves out a line with its mark of unknown characters, and takes NUL and the sign for a space for its
// own.
bool is_reserved(char32_t code) { return code == 0 || code == 0x2581 || code == 0x2585; }

/// Whether SentencePiece's normalisation is sure to leave something of it: it ends the process if no text
/// does.
bool is_visible(char32_t code) {
  if (code == 0xFFFD || is_reserved(code)) return false;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      return true;
  }
}

/// The lines of texts one by one, made safe for the trainer.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  Lines(const std::vector<std::string>& texts, size_t stride, bool exact)
      : texts_(texts), stride_(stride), exact_(exact) {
    Next();
  }
  bool done() const override { return done_; }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

  void Next() override {
    while (text_ < texts_.size() && position_ >= texts_[text_].size()) {
      text_ += stride_;
      position_ = 0;
    }
    done_ = text_ >= texts_.size();
    if (!done_) read_line(texts_[text_]);
  }

 private:
  // Exact pieces may hold line ends: only the length cuts.
  void read_line(std::string_view text) {
    line_.clear();
    while (position_ < text.size() && line_.size() < kLineBytes) {
      const size_t begin = position_;
      const char32_t code = next_code_point(text, position_);
      if (code == '\n' && !exact_) return;
      line_.append(is_reserved(code) ? " " : text.substr(begin, position_ - begin));
    }
  }

  const std::vector<std::string>& texts_;
  size_t stride_;
  bool exact_;
  size_t text_ = 0, position_ = 0;
  std::string line_;
  bool done_ = false;
};

bool has_visible(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    if (is_visible(next_code_point(text, position))) return true;
  }
  return false;
}

size_t check_texts(const std::vector<std::string>& texts) {
  bool visible = false;
  size_t bytes = 0;
  for (const std::string& text : texts) {
    require_utf8(text);
    visible = visible || has_visible(text);
    bytes += text.size();
  }
  if (!visible) {
    throw_error<ConfigError>("subwords: the texts hold no letter, digit or sign to make pieces of");
  }
  return bytes;
}

using Arguments = std::unordered_map<std::string, std::string>;

Arguments arguments_of(const SubwordOptions& options) {
  Arguments arguments{{"vocab_size", std::to_string(options.vocabulary)},
                      {"model_type", name_of(options.kind)},
                      {"character_coverage", fmt::format("{}", options.character_coverage)},
                      {"max_sentence_length", kLineLimit},
                      {"unk_id", "0"},
                      {"eos_id", "1"},
                      {"bos_id", "-1"},
                      {"pad_id", "-1"},
                      {"num_threads", "1"},  // sums of its threads are the pieces' scores
                      {"minloglevel", "3"}};
  if (options.exact) {
    arguments.insert({{"normalization_rule_name", "identity"}, {"remove_extra_whitespaces", "false"}});
  }
  return arguments;
}

/// The number after `words` in a message of the trainer.
std::optional<int64_t> number_after(std::string_view message, std::string_view words) {
  const size_t at = message.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  int64_t number = 0;
  const char* begin = message.data() + at + words.size();
  if (std::from_chars(begin, message.data() + message.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

[[noreturn]] void fail(const SubwordOptions& options, const std::string& message) {
  if (const auto most = number_after(message, "Please set it to a value <= ")) {
    if (*most < SubwordOptions::kFewest) {
      throw_error<ConfigError>(
          "subwords: these texts have so few different words that they give {} pieces at most; "
          "take --tokenizer words or characters",
          *most);
    }
    throw_error<ConfigError>("subwords: {} pieces are too many for these texts; take {} at most",
                             options.vocabulary, *most);
  }
  if (const auto least = number_after(message, " vs ")) {
    throw_error<ConfigError>(
        "subwords: {} pieces are too few: the characters of these texts alone take {}; take more",
        options.vocabulary, *least);
  }
  throw_error<ConfigError>("subwords: SentencePiece cannot train on these texts ({})", message);
}

}  // namespace

std::string train_sentencepiece(const std::vector<std::string>& texts, const SubwordOptions& options) {
  if (options.vocabulary < 4 || options.vocabulary > 1'000'000) {
    throw_error<ConfigError>("subwords: {} pieces; take 4 to 1000000", options.vocabulary);
  }
  const size_t stride = check_texts(texts) / kMostBytes + 1;
  Lines lines(texts, stride, options.exact);
  std::string model, problem;
  try {
    const auto status = sentencepiece::SentencePieceTrainer::Train(arguments_of(options), &lines, &model);
    if (status.ok()) return model;
    problem = status.message();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  fail(options, problem);
}

}  // namespace rondo
