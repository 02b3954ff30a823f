#include "training/tagger_corpus.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/files.h"
#include "data/split.h"
#include "data/wording.h"
#include "models/character_reader.h"
#include "models/tag_scheme.h"
#include "models/word_forms.h"
#include "training/pretrained.h"

namespace rondo {

namespace {

// A character that occurs once teaches the unknown one.
constexpr int64_t kCharacterCount = 2;

ConllFile read_sentences(const std::string& path, const ConllOptions& options) {
  ConllFile file(path, options);
  if (file.sentences().empty()) {
    throw_error<DataError>("{}: no sentences; a word a line is expected, with its tag in the last column",
                           input_name(path));
  }
  if (!file.has_tags()) {
    throw_error<DataError>("{}: no tags, a word and its tag a line are expected; --tag-column says where",
                           input_name(path));
  }
  return file;
}

const char* format_of(const ConllFile& file) { return file.is_conllu() ? "CoNLL-U" : "columns"; }

std::vector<std::string> labels_in(const std::vector<ConllSentence>& sentences) {
  std::set<std::string> labels;
  for (const ConllSentence& sentence : sentences) labels.insert(sentence.tags.begin(), sentence.tags.end());
  return {labels.begin(), labels.end()};
}

/// The first place where tags break a scheme: which sentence, and which word of it; -1 where all fit.
struct SchemeBreak {
  int64_t sentence = -1, word = 0;
};

SchemeBreak find_break(const std::vector<ConllSentence>& sentences, TagScheme scheme,
                       const std::vector<std::string>& labels) {
  const LabelSet set(labels, /*multi=*/false);
  const CrfConstraints constraints(scheme, labels);
  for (size_t i = 0; i < sentences.size(); ++i) {
    std::vector<int32_t> numbers;
    for (const std::string& tag : sentences[i].tags) numbers.push_back(set.index(tag));
    const int64_t at = constraints.first_break(numbers);
    if (at >= 0) return {static_cast<int64_t>(i), std::min<int64_t>(at, std::ssize(numbers) - 1)};
  }
  return {};
}

// "train.conll:12: tag I-PER of 'Ada', word 3 of the sentence, breaks the scheme bio"
std::string break_text(const std::string& name, const ConllSentence& sentence, int64_t word,
                       const char* scheme) {
  const auto w = static_cast<size_t>(word);
  return fmt::format("{}:{}: tag {} of '{}', word {} of the sentence that begins there, breaks the scheme {}",
                     name, sentence.line, shorten(sentence.tags[w]), shorten(sentence.tokens[w]), word + 1,
                     scheme);
}

SchemeChoice choice_of(TagScheme scheme) {
  if (scheme == TagScheme::kNone) return SchemeChoice::kNone;
  return scheme == TagScheme::kBio ? SchemeChoice::kBio : SchemeChoice::kBioes;
}

// Data in BIO is checked, then converted; @return the labels that the model learns.
std::vector<std::string> convert(const TaggerTask& task, std::vector<ConllSentence>& sentences,
                                 const std::vector<std::string>& labels) {
  const std::string name = input_name(task.files.input);
  if (scheme_of(labels) != TagScheme::kBio) {
    throw_error<DataError>("{}: --convert bioes: its tags are not BIO, as O B-PER I-PER; leave it out", name);
  }
  const SchemeBreak at = find_break(sentences, TagScheme::kBio, labels);
  if (at.sentence >= 0) {
    const ConllSentence& sentence = sentences[static_cast<size_t>(at.sentence)];
    throw_error<DataError>("{}; --convert needs BIO", break_text(name, sentence, at.word, "bio"));
  }
  std::set<std::string> converted;
  for (const ConllSentence& sentence : sentences) {
    for (std::string& tag : to_bioes(sentence.tags)) converted.insert(std::move(tag));
  }
  return {converted.begin(), converted.end()};
}

// What --scheme auto means for these labels, or whether the one that was asked for holds.
void settle_scheme(TaggerTask& task, const std::vector<ConllSentence>& sentences,
                   const std::vector<std::string>& labels, std::vector<std::string>& warnings) {
  SchemeChoice& choice = task.model.scheme;
  const std::string name = input_name(task.files.input);
  const bool automatic = choice == SchemeChoice::kAuto;
  if (automatic) {
    const bool softmax = task.model.output == TaggerOutput::kSoftmax;
    choice = softmax ? SchemeChoice::kNone : choice_of(scheme_of(labels));
  }
  SchemeBreak at;
  try {
    at = find_break(sentences, task.model.tag_scheme(), labels);
  } catch (const ConfigError& error) {
    throw_error<DataError>("{}: --scheme {}: {}", name, name_of(choice), error.what());
  }
  if (at.sentence < 0) return;
  const std::string text =
      break_text(name, sentences[static_cast<size_t>(at.sentence)], at.word, name_of(choice));
  if (!automatic) throw_error<DataError>("{}; mend it, or leave --scheme out", text);
  warnings.push_back(text + "; tags may follow each other in any order (--scheme none)");
  choice = SchemeChoice::kNone;
}

void settle_labels(TaggerTask& task, std::vector<ConllSentence>& sentences, TaggerCorpus& corpus) {
  std::vector<std::string> labels = labels_in(sentences);
  if (labels.size() < 2) {
    throw_error<DataError>(
        "{}: every word has the tag {}, there is nothing to tell apart; --tag-column says where tags are",
        input_name(task.files.input), shorten(labels.front()));
  }
  if (task.model.convert == TagConversion::kBioes) {
    labels = convert(task, sentences, labels);
    const bool softmax = task.model.output == TaggerOutput::kSoftmax;
    SchemeChoice& choice = task.model.scheme;
    if (choice == SchemeChoice::kAuto) choice = softmax ? SchemeChoice::kNone : SchemeChoice::kBioes;
  } else {
    settle_scheme(task, sentences, labels, corpus.warnings);
  }
  corpus.labels = LabelSet(std::move(labels), /*multi=*/false);
}

void split(const TaggerTask& task, std::vector<ConllSentence> sentences, TaggerCorpus& corpus) {
  LabelledCorpus shape{.path = input_name(task.files.input)};
  shape.examples.resize(sentences.size());
  const std::vector<bool> held_out =
      choose_dev(shape, task.corpus.dev_fraction, static_cast<uint64_t>(task.loop.seed));
  for (size_t i = 0; i < sentences.size(); ++i) {
    (held_out[i] ? corpus.dev : corpus.train).push_back(std::move(sentences[i]));
  }
  corpus.dev_format = "held out of the input";
}

void count_words(const TaggerTask& task, TaggerCorpus& corpus) {
  VocabularyCounter words, characters;
  for (const ConllSentence& sentence : corpus.train) {
    for (const std::string& token : sentence.tokens) {
      words.add(looked_up(token, task.model), 1);
      characters.add(characters_of(token, task.model.max_characters));
    }
  }
  std::vector<std::string> tokens = words.build(task.corpus.min_count, task.corpus.max_vocabulary).tokens();
  if (task.corpus.all_vectors) {
    std::set<std::string> known(tokens.begin(), tokens.end());
    for (const std::string& word : vector_words(task.corpus.vectors)) {
      // Under another form it would stand in the vocabulary without its vector.
      if (looked_up(word, task.model) == word && known.insert(word).second) tokens.push_back(word);
    }
  }
  corpus.words = Vocabulary::from_tokens(std::move(tokens));
  for (int32_t id = 0; id < corpus.words.size(); ++id) {
    corpus.rare.push_back(id != Vocabulary::kUnknown && words.count(corpus.words.token(id)) == 1 ? 1 : 0);
  }
  std::vector<std::string> alphabet = {Vocabulary::kUnknownToken, CharacterReader::kEdgeToken};
  const Vocabulary frequent = characters.build(kCharacterCount, 0);
  if (task.model.characters != CharacterPart::kNone) {
    alphabet.insert(alphabet.end(), frequent.tokens().begin() + 1, frequent.tokens().end());
  }
  corpus.characters = Vocabulary::from_tokens(std::move(alphabet));
}

void read_vectors_of(TaggerTask& task, TaggerCorpus& corpus) {
  const std::string& path = task.corpus.vectors;
  if (path.empty()) return;
  corpus.vectors =
      read_pretrained({path, TaggerOptions().embedding}, corpus.words, task.model.embedding, corpus.warnings);
}

}  // namespace

TaggerCorpus read_tagger_corpus(TaggerTask& task) {
  TaggerCorpus corpus;
  const ConllOptions& conll = task.corpus.conll;
  const ConllFile file = read_sentences(task.files.input, conll);
  corpus.format = format_of(file);
  corpus.columns = {.conllu = file.is_conllu(), .token = conll.token_column, .tag = conll.tag_column};
  std::vector<ConllSentence> sentences = file.sentences();
  settle_labels(task, sentences, corpus);
  if (task.files.dev.empty()) {
    split(task, std::move(sentences), corpus);
  } else {
    corpus.train = std::move(sentences);
    const ConllFile dev = read_sentences(task.files.dev, conll);
    corpus.dev_format = format_of(dev);
    corpus.dev = dev.sentences();
  }
  count_words(task, corpus);
  read_vectors_of(task, corpus);
  return corpus;
}

}  // namespace rondo
