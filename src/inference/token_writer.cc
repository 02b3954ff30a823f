#include "inference/token_writer.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "text/unicode.h"

namespace rondo {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581, how SentencePiece writes a space

// Bytes of the character that begins with this one; 0 if none does.
size_t length_of(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Whether more bytes can make a character of these, which are not one yet.
// Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
bool may_become_character(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (bytes.empty() || bytes.size() >= length_of(at(0))) return false;
  for (size_t i = 1; i < bytes.size(); ++i) {
    uint8_t low = 0x80, high = 0xBF;
    if (i == 1 && at(0) == 0xE0) low = 0xA0;
    if (i == 1 && at(0) == 0xED) high = 0x9F;
    if (i == 1 && at(0) == 0xF0) low = 0x90;
    if (i == 1 && at(0) == 0xF4) high = 0x8F;
    if (at(i) < low || at(i) > high) return false;
  }
  return true;
}

}  // namespace

TokenWriter::TokenWriter(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {
  if (tokenizer.kind() != TokenizerKind::kSentencePiece) return;
  // Any letter will do that this model does not take for a control symbol.
  for (anchor_.assign(1, 'a'); anchor_[0] < 'z'; ++anchor_[0]) {
    anchor_size_ = tokenizer.join(std::span(&anchor_, 1)).size();
    if (anchor_size_ > 0) break;
  }
  const std::string byte = "<0x41>";
  byte_pieces_ = tokenizer.join(std::span(&byte, 1)) == "A";
}

void TokenWriter::write(std::string_view token, std::string& text) {
  if (tokenizer_->kind() == TokenizerKind::kSentencePiece) return write_piece(token, text);
  if (tokenizer_->kind() == TokenizerKind::kBytes) {
    if (const auto byte = byte_of_token(token)) return write_byte(static_cast<char>(*byte), text);
    for (const char byte : token) write_byte(byte, text);
    return;
  }
  const Spacing spacing = tokenizer_->spacing(token);
  if (!first_ && space_may_follow_ && spacing.before) text += ' ';
  first_ = false;
  text.append(token);
  space_may_follow_ = spacing.behind;
}

// As Tokenizer::join replaces what is no UTF-8: `bytes` a maximal beginning of a character by one U+FFFD,
// SentencePiece each byte by one.
void TokenWriter::write_byte(char byte, std::string& text) {
  cut_.push_back(byte);
  if (may_become_character(cut_)) return;
  if (is_valid_utf8(cut_)) {
    text.append(cut_);
    cut_.clear();
    return;
  }
  cut_.pop_back();
  if (cut_.empty()) {
    text.append(kReplacement);
    return;
  }
  flush_cut(text);
  write_byte(byte, text);
}

void TokenWriter::flush_cut(std::string& text) {
  const bool each = tokenizer_->kind() == TokenizerKind::kSentencePiece;
  for (size_t count = each ? cut_.size() : std::min<size_t>(cut_.size(), 1); count > 0; --count) {
    text.append(kReplacement);
  }
  cut_.clear();
}

// What a piece reads depends on whether anything stands before it: SentencePiece drops the first space.
void TokenWriter::write_piece(std::string_view piece, std::string& text) {
  if (is_byte_piece(piece)) {
    first_ = false;
    return write_byte(static_cast<char>(*byte_of_token(piece)), text);
  }
  flush_cut(text);
  if (!first_) {
    text.append(joined(anchor_, piece), anchor_size_);
    return;
  }
  const std::string read = joined(space_, piece);
  first_ = read.empty();
  text.append(read);
  if (first_ && space_.empty() && piece.starts_with(kSpaceSymbol)) space_ = piece;
}

std::string TokenWriter::joined(const std::string& before, std::string_view piece) const {
  std::vector<std::string> pieces;
  if (!before.empty()) pieces.push_back(before);
  pieces.emplace_back(piece);
  return tokenizer_->join(pieces);
}

// A name in this form can also be an ordinary piece.
bool TokenWriter::is_byte_piece(std::string_view piece) const {
  return byte_pieces_ && byte_of_token(piece) && !joined(anchor_, piece).ends_with(piece);
}

void TokenWriter::finish(std::string& text) {
  flush_cut(text);
  first_ = true;
  space_.clear();
}

}  // namespace rondo
