// Tokens to text as they come.
//   TokenWriter writer(*model.tokenizer);  std::string text;
//   for (const std::string& token : tokens) writer.write(token, text);   // text grows by what is sure
//   writer.finish(text);                                                 // == tokenizer.join(tokens)
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace rondo {

/// What it appended, all together, is Tokenizer::join() of all tokens. A character of several bytes is held
/// back until it is whole. A token costs the same however much was written; it allocates nothing but for
/// SentencePiece.
class TokenWriter {
 public:
  /// @param tokenizer  must outlive it.
  explicit TokenWriter(const Tokenizer& tokenizer);

  /// Appends to `text` what `token` makes sure.
  void write(std::string_view token, std::string& text);
  /// Appends what was held back: bytes that never became a character, as U+FFFD. Then it begins anew.
  void finish(std::string& text);

 private:
  void write_byte(char byte, std::string& text);
  void write_piece(std::string_view piece, std::string& text);
  void flush_cut(std::string& text);
  std::string joined(const std::string& before, std::string_view piece) const;
  bool is_byte_piece(std::string_view piece) const;

  const Tokenizer* tokenizer_;
  bool space_may_follow_ = true;  ///< the last token
  bool first_ = true;             ///< nothing that takes room was written yet
  std::string cut_;               ///< the beginning of a character
  std::string anchor_;      ///< SentencePiece: a visible piece, so that what follows is not at the beginning
  size_t anchor_size_ = 0;  ///< bytes of its text
  std::string space_;       ///< SentencePiece: the piece without text that the text began with, if any
  bool byte_pieces_ = false;  ///< SentencePiece: <0x41> stands for a byte
};

}  // namespace rondo
