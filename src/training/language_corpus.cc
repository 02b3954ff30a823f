#include "training/language_corpus.h"

#include <algorithm>

#include "base/errors.h"
#include "base/files.h"
#include "storage/language_model_file.h"
#include "text/sentencepiece_training.h"

namespace rondo {

namespace {

// Before any text is read: the tokens are those of the model that this one begins from.
void begin_from(LanguageTask& task, LanguageCorpus& corpus) {
  const std::string& path = task.transfer.from;
  corpus.base = load_language_model(path);
  if (!task.corpus.sentencepiece.empty() || task.corpus.subwords > 0) {
    throw_error<ConfigError>("--sentencepiece and --subwords have no effect beside --from: {} has its own",
                             path);
  }
  LanguageModelOptions theirs = corpus.base->options();
  inherit_shape(OptionList(task.model), OptionList(theirs), task.transfer);
  task.leave_out_forget_bias();
  task.model.check();
}

// Of the tokenizer that is used, which may be that of the model to begin from.
void check_counts(const LanguageTask& task) {
  const LanguageCorpusOptions defaults;
  const TokenizerKind kind = task.model.tokenizer;
  const bool fixed = kind == TokenizerKind::kSentencePiece || kind == TokenizerKind::kBytes;
  const bool counted = task.corpus.min_count != defaults.min_count || task.corpus.max_vocabulary != 0;
  if (!fixed || !counted) return;
  throw_error<ConfigError>("--min-count and --max-vocabulary have no effect on {}: their vocabulary is fixed",
                           kind == TokenizerKind::kBytes ? "bytes" : "subwords");
}

std::string subword_model(const LanguageTask& task, const LanguageCorpus& corpus) {
  if (task.model.tokenizer != TokenizerKind::kSentencePiece) return "";
  if (corpus.base) return corpus.base->tokenizer->model();
  const LanguageCorpusOptions& options = task.corpus;
  if (options.subwords == 0) return read_file(options.sentencepiece);
  std::vector<std::string> texts = read_document_texts(task.files.input, options.documents);
  for (const std::string& path : options.also) {
    for (std::string& text : read_document_texts(path, options.documents)) texts.push_back(std::move(text));
  }
  return train_sentencepiece(texts, {.vocabulary = options.subwords, .exact = true});
}

Vocabulary vocabulary_of(const LanguageTask& task, const LanguageCorpus& corpus, const RawDocuments& raw,
                         std::span<const Piece> pieces) {
  const std::string& subwords = corpus.tokenizer->model();
  if (!subwords.empty())
    return corpus.base ? corpus.base->vocabulary : with_end_token(Vocabulary::from_sentencepiece(subwords));
  if (task.model.tokenizer == TokenizerKind::kBytes) {
    return corpus.base ? corpus.base->vocabulary : with_end_token(Vocabulary::bytes());
  }
  const LanguageCorpusOptions& options = task.corpus;
  const VocabularyCounter counter = count_tokens(raw, pieces);
  // The end token takes one place; 0 is no limit.
  const int64_t most = options.max_vocabulary == 0 ? 0 : std::max<int64_t>(1, options.max_vocabulary - 1);
  Vocabulary vocabulary = with_end_token(counter.build(options.min_count, most));
  // Unit vectors are as long as the vocabulary: tokens that it lacks stay unknown.
  if (corpus.base && corpus.base->options().one_hot()) return corpus.base->vocabulary;
  if (corpus.base) vocabulary = grown(corpus.base->vocabulary, vocabulary);
  // The unknown word, the end of a document and the end of a line tell nothing.
  const int64_t told = vocabulary.size() - 2 - (vocabulary.id("\n") != Vocabulary::kUnknown ? 1 : 0);
  if (told > 1) return vocabulary;
  throw_error<DataError>("{}: the text has {} different {}; a language model needs two to tell apart{}",
                         task.files.input, told, told == 1 ? "token" : "tokens",
                         options.min_count > 1        ? "; lower --min-count"
                         : options.max_vocabulary > 0 ? "; raise --max-vocabulary"
                                                      : "");
}

void split_corpus(const LanguageTask& task, const RawDocuments& raw, LanguageCorpus& corpus) {
  const LanguageCorpusOptions& options = task.corpus;
  const SplitPieces split = split_documents(raw.pieces, {.kind = options.dev_split,
                                                         .fraction = options.dev_fraction,
                                                         .seed = static_cast<uint64_t>(task.loop.seed),
                                                         .streams = task.loop.batch,
                                                         .chunk = std::max<int64_t>(1, task.unroll.chunk)});
  // Characters are those of the whole text: one that the training part lacks is no unknown word.
  const bool characters = task.model.tokenizer == TokenizerKind::kCharacters;
  corpus.vocabulary = vocabulary_of(task, corpus, raw, characters ? raw.pieces : split.train);
  corpus.train = number_documents(raw, split.train, corpus.vocabulary);
  corpus.dev = number_documents(raw, cut_pieces(split.dev, options.dev_parts), corpus.vocabulary);
  corpus.dev_description = split.description;
}

}  // namespace

LanguageCorpus read_language_corpus(LanguageTask& task) {
  LanguageCorpus corpus;
  const LanguageCorpusOptions& options = task.corpus;
  if (!task.transfer.from.empty()) begin_from(task, corpus);
  check_counts(task);
  corpus.tokenizer = make_tokenizer(task.model.tokenizer, subword_model(task, corpus));
  RawDocuments raw = read_documents(task.files.input, options.documents, *corpus.tokenizer);
  for (const std::string& path : options.also) {
    append_documents(path, options.documents, *corpus.tokenizer, raw);
  }
  corpus.format = raw.format;
  if (raw.replaced_lines > 0) {
    corpus.warnings.push_back(fmt::format("{}: bytes that are not UTF-8 replaced in {} lines",
                                          task.files.input, raw.replaced_lines));
  }
  if (task.unroll.carry == Carry::kAlways) raw.pieces = join_pieces(raw.pieces);
  if (task.files.dev.empty()) {
    split_corpus(task, raw, corpus);
    return corpus;
  }
  corpus.vocabulary = vocabulary_of(task, corpus, raw, raw.pieces);
  corpus.train = number_documents(raw, raw.pieces, corpus.vocabulary);
  raw = read_documents(task.files.dev, options.documents, *corpus.tokenizer);
  if (task.unroll.carry == Carry::kAlways) raw.pieces = join_pieces(raw.pieces);
  corpus.dev = number_documents(raw, cut_pieces(raw.pieces, options.dev_parts), corpus.vocabulary);
  corpus.dev_description = task.files.dev;
  return corpus;
}

}  // namespace rondo
