#include "text_input.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/files.h"
#include "text/unicode.h"

namespace rondo::app {

bool names_file(const std::string& input, const std::string& verb) {
  if (input == "-" || file_exists(input)) return true;
  const bool one_word = input.find_first_of(" \t\n") == std::string::npos;
  for (const char* ending : {".txt", ".csv", ".tsv", ".jsonl", ".gz"}) {
    if (one_word && input.ends_with(ending)) {
      throw_error<IoError>(
          "{}: no such file; if it is a text, give it on standard input: echo '{}' | rondo {} MODEL -", input,
          input, verb);
    }
  }
  return false;
}

std::string checked_text(const std::string& text, bool replace_invalid) {
  size_t offset = 0;
  if (is_valid_utf8(text, &offset)) return text;
  if (replace_invalid) return replace_invalid_utf8(text);
  throw_error<DataError>("the text's byte {} is not UTF-8; convert it, or give --replace-invalid", offset);
}

std::string visible(const std::string& token) {
  const std::string quoted =
      nlohmann::json(token).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace rondo::app
