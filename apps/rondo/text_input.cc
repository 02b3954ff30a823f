#include "text_input.h"

#include <algorithm>

#include "base/errors.h"
#include "base/files.h"
#include "console.h"
#include "inference/text_generator.h"
#include "text/unicode.h"

namespace rondo::app {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A word with a slash, or an ending such as .tx or .mp3: perhaps the name of a file, mistyped.
bool looks_like_file(const std::string& word) {
  if (word.find('/') != std::string::npos) return true;
  constexpr size_t kLongest = 5;
  const size_t dot = word.rfind('.');
  if (dot == std::string::npos || dot == 0 || word.size() - dot - 1 > kLongest) return false;
  const auto ending = word.begin() + static_cast<std::ptrdiff_t>(dot) + 1;
  return std::any_of(ending, word.end(), is_letter) &&
         std::all_of(ending, word.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace

bool names_file(const std::string& input, const std::string& verb, const std::string& options) {
  if (input == "-" || file_exists(input)) return true;
  const bool one_word = input.find_first_of(" \t\n") == std::string::npos;
  for (const char* ending : {".txt", ".csv", ".tsv", ".jsonl", ".conll", ".conllu", ".gz"}) {
    if (one_word && input.ends_with(ending)) {
      throw_error<IoError>(
          "{}: no such file; if it is a text, give it on standard input: echo '{}' | rondo {} MODEL -{}",
          input, input, verb, options);
    }
  }
  // An ending such as .en is that of a language, and a translator's texts are sentences.
  if (one_word && verb == "translate" && looks_like_file(input)) {
    throw_error<IoError>("{}: no such file; a text of one word goes in by: echo '{}' | rondo translate MODEL",
                         input, input);
  }
  if (one_word && looks_like_file(input))
    say("warning: {}: no such file; it is taken as a text\n", quoted_token(input));
  return false;
}

std::string checked_text(const std::string& text, bool replace_invalid) {
  size_t offset = 0;
  if (is_valid_utf8(text, &offset)) return text;
  if (replace_invalid) return replace_invalid_utf8(text);
  throw_error<DataError>("the text's byte {} is not UTF-8; convert it, or give --replace-invalid", offset);
}

std::vector<std::string> label_options() { return {"label-column", "text-column", "label-separator"}; }

std::vector<std::string> table_options() {
  std::vector<std::string> names = label_options();
  names.insert(names.end(), {"header", "quotes"});
  return names;
}

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' || c == '\r' ? ' ' : c;
  return text;
}

}  // namespace rondo::app
