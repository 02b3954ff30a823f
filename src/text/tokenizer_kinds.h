// The tokenizers one by one, behind make_tokenizer(): internal to this folder.
//   auto words = make_words_tokenizer();
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace rondo {

std::unique_ptr<Tokenizer> make_words_tokenizer();
std::unique_ptr<Tokenizer> make_basic_english_tokenizer();
std::unique_ptr<Tokenizer> make_keras_tokenizer();
std::unique_ptr<Tokenizer> make_characters_tokenizer();
std::unique_ptr<Tokenizer> make_bytes_tokenizer();
std::unique_ptr<Tokenizer> make_spaces_tokenizer();
/// @throws FormatError if `model` is no SentencePiece model.
std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::string model);

}  // namespace rondo
