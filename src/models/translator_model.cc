#include "models/translator_model.h"

#include <algorithm>

namespace rondo {

std::vector<int32_t> TextCoder::encode(std::string_view text) const {
  std::vector<int32_t> ids = vocabulary.ids(tokenizer->tokens(text));
  std::replace(ids.begin(), ids.end(), end(), Vocabulary::kUnknown);
  return ids;
}

std::string TextCoder::decode(std::span<const int32_t> ids) const {
  std::vector<std::string> tokens;
  const int32_t last = end();
  for (const int32_t id : ids) {
    if (id != last) tokens.push_back(vocabulary.token(id));
  }
  return tokenizer->join(tokens);
}

std::vector<int32_t> TranslatorModel::encode_source(std::string_view text) const {
  std::vector<int32_t> ids = source.encode(text);
  ids.push_back(source.end());
  return ids;
}

}  // namespace rondo
