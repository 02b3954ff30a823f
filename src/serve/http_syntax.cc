#include "serve/http_syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace rondo::serve {

namespace {

constexpr size_t kLongestLine = 8192;  // between chunks

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token(char c) {
  const char small = lower(c);
  return is_digit(c) || (small >= 'a' && small <= 'z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// No control character but the tab. Bytes above ASCII are nobody's syntax.
bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// A line without its CR LF.
std::optional<std::string> read_line(const ReadBytes& read) {
  std::string line;
  for (char byte = 0; line.size() < kLongestLine && read(&byte, 1) == 1;) {
    if (byte == '\n') {
      if (line.empty() || line.back() != '\r') return std::nullopt;
      line.pop_back();
      return line;
    }
    if (!line.empty() && line.back() == '\r') return std::nullopt;
    if (byte != '\r' && !is_text(byte)) return std::nullopt;
    line += byte;
  }
  return std::nullopt;
}

/// The number before "; extension".
std::optional<uint64_t> chunk_size(std::string_view line) {
  uint64_t size = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), end, size, 16);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest = trimmed({stop, static_cast<size_t>(end - stop)});
  if (!rest.empty() && rest.front() != ';') return std::nullopt;
  return size;
}

}  // namespace

bool HeadSyntax::take(char byte) {
  if (place_ == Place::kLineFeed) {
    place_ = next_;
    return byte == '\n';
  }
  if (byte == '\r') return end_line();
  switch (place_) {
    case Place::kRequestLine:
      return byte >= ' ' && byte <= '~';
    case Place::kName:
      return take_name(byte);
    case Place::kValue:
      return take_value(byte);
    default:
      return false;
  }
}

bool HeadSyntax::end_line() {
  const Place ended = place_;
  place_ = Place::kLineFeed;
  next_ = Place::kName;
  if (ended == Place::kName) {
    next_ = Place::kEnd;
    return name_.empty();
  }
  const std::string_view value = trimmed(value_);
  bool good = ended != Place::kEnd && !(frames_ && value.empty());
  if (frames_ && name_ == "content-length") good = good && std::all_of(value.begin(), value.end(), is_digit);
  frames_ = false;
  name_.clear();
  value_.clear();
  return good;
}

bool HeadSyntax::take_name(char byte) {
  if (byte == ':') {
    frames_ = name_ == "content-length" || name_ == "transfer-encoding";
    place_ = Place::kValue;
    return !name_.empty();
  }
  name_ += lower(byte);
  return is_token(byte);
}

bool HeadSyntax::take_value(char byte) {
  if (frames_) value_ += byte;
  return is_text(byte);
}

BodyEnd read_length(const ReadBytes& read, size_t length, std::string& body) {
  std::array<char, 16384> piece;
  while (length > 0) {
    const ssize_t count = read(piece.data(), std::min(length, piece.size()));
    if (count <= 0) return BodyEnd::kBroken;
    body.append(piece.data(), static_cast<size_t>(count));
    length -= static_cast<size_t>(count);
  }
  return BodyEnd::kWhole;
}

BodyEnd read_chunks(const ReadBytes& read, size_t most, std::string& body) {
  for (;;) {
    const std::optional<std::string> head = read_line(read);
    const std::optional<uint64_t> size = head ? chunk_size(*head) : std::nullopt;
    if (!size) return BodyEnd::kBroken;
    if (*size > most - body.size()) return BodyEnd::kTooLarge;
    if (*size == 0) break;
    if (read_length(read, *size, body) != BodyEnd::kWhole) return BodyEnd::kBroken;
    const std::optional<std::string> after = read_line(read);
    if (!after || !after->empty()) return BodyEnd::kBroken;
  }
  for (;;) {  // trailers
    const std::optional<std::string> line = read_line(read);
    if (!line) return BodyEnd::kBroken;
    if (line->empty()) return BodyEnd::kWhole;
  }
}

}  // namespace rondo::serve
