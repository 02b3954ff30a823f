#include "models/translator_model.h"

namespace rondo {

std::string TextCoder::decode(std::span<const int32_t> ids) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids) {
    if (id != end()) tokens.push_back(vocabulary.token(id));
  }
  return tokenizer->join(tokens);
}

std::vector<int32_t> TranslatorModel::encode_source(std::string_view text) const {
  std::vector<int32_t> ids = source.encode(text);
  ids.push_back(source.end());
  return ids;
}

}  // namespace rondo
