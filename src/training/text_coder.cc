#include "training/text_coder.h"

#include <algorithm>

#include "data/documents.h"
#include "text/sentencepiece_training.h"

namespace rondo {

namespace {

Vocabulary counted(const CoderOptions& options, const Tokenizer& tokenizer,
                   const std::vector<std::string>& texts) {
  VocabularyCounter counter;
  for (const std::string& text : texts) counter.add(tokenizer.tokens(text));
  // The end token takes one place; 0 is no limit.
  const int64_t most = options.max_vocabulary == 0 ? 0 : std::max<int64_t>(1, options.max_vocabulary - 1);
  const bool keeps_rare = options.tokenizer == TokenizerKind::kCharacters;
  return with_end_token(counter.build(keeps_rare ? 1 : options.min_count, most));
}

}  // namespace

TextCoder build_coder(const CoderOptions& options, const std::vector<std::string>& texts) {
  const bool subwords = options.tokenizer == TokenizerKind::kSentencePiece;
  const std::string model =
      subwords ? train_sentencepiece(texts, {.vocabulary = options.subwords}) : std::string();
  TextCoder coder{.tokenizer = make_tokenizer(options.tokenizer, model), .vocabulary = {}};
  if (subwords) {
    coder.vocabulary = with_end_token(Vocabulary::from_sentencepiece(model));
  } else if (options.tokenizer == TokenizerKind::kBytes) {
    coder.vocabulary = with_end_token(Vocabulary::bytes());
  } else {
    coder.vocabulary = counted(options, *coder.tokenizer, texts);
  }
  return coder;
}

}  // namespace rondo
