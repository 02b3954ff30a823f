#include "data/text_lines.h"

#include <utility>

#include "base/errors.h"
#include "text/unicode.h"

namespace rondo {
namespace {

bool begins_as_utf16(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
}

[[noreturn]] void throw_invalid(const std::string& name, int64_t line, std::string_view text, size_t offset) {
  if (line == 1 && begins_as_utf16(text)) {
    throw_error<DataError>("{}: the file is UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8",
                           name);
  }
  throw_error<DataError>(
      "{}:{}: byte {} (0x{:02X}) is not UTF-8; convert the file (iconv -f WINDOWS-1252 -t UTF-8) or set "
      "--replace-invalid",
      name, line, offset + 1, static_cast<unsigned char>(text[offset]));
}

}  // namespace

TextLines::TextLines(const std::string& path, InvalidBytes invalid)
    : reader_(path), name_(input_name(path)), invalid_(invalid) {}

bool TextLines::load() {
  if (!reader_) return false;
  std::optional<std::string> line = reader_->next();
  if (!line) return false;
  size_t offset = 0;
  if (invalid_ != InvalidBytes::kKeep && !is_valid_utf8(*line, &offset)) {
    if (invalid_ == InvalidBytes::kRefuse) throw_invalid(name_, reader_->line(), *line, offset);
    *line = replace_invalid_utf8(*line);
    ++replaced_lines_;
  }
  ahead_.push_back(std::move(*line));
  return true;
}

std::optional<std::string> TextLines::next() {
  if (ahead_.empty() && !load()) return std::nullopt;
  std::string line = std::move(ahead_.front());
  ahead_.pop_front();
  ++line_;
  return line;
}

const std::string* TextLines::peek(size_t distance) {
  while (ahead_.size() <= distance) {
    if (!load()) return nullptr;
  }
  return &ahead_[distance];
}

int64_t TextLines::count_to_end() {
  if (!reader_) return line_ + static_cast<int64_t>(ahead_.size());
  while (reader_->next()) continue;
  return reader_->line();
}

TextLines TextLines::sample(size_t count) {
  if (count > 0) peek(count - 1);
  TextLines copy;
  copy.ahead_.assign(ahead_.begin(), ahead_.begin() + std::min(count, ahead_.size()));
  copy.name_ = name_;
  copy.line_ = line_;
  return copy;
}

}  // namespace rondo
