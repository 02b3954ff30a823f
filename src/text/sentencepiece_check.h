// A look at a SentencePiece model before its library sees it.
//   check_sentencepiece_model(read_file("news.model"));
#pragma once

#include <string_view>

namespace rondo {

/// Checks what SentencePiece 0.1.97 takes on trust and reads out of bounds or aborts on: the double array of
/// the normalisation rules, whose offsets it follows unchecked, and pieces with a NUL byte.
/// @throws FormatError if `model` is no protocol buffer or holds such things.
void check_sentencepiece_model(std::string_view model);

}  // namespace rondo
