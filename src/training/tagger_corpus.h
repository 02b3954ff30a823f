// The sentences that a tagger learns from and is measured on, and the vocabularies that they give.
#pragma once

#include <string>
#include <vector>

#include "data/conll.h"
#include "data/labels.h"
#include "text/vectors.h"
#include "text/vocabulary.h"
#include "training/tagger_options.h"

namespace rondo {

struct TaggerCorpus {
  std::vector<ConllSentence> train, dev;
  std::string format, dev_format;
  ConllColumns columns;  ///< of the first of them
  LabelSet labels;       ///< as the model learns them: converted
  Vocabulary words, characters;
  std::vector<uint8_t> rare;  ///< by word: 1 if it occurs once in what is learnt from
  Vectors vectors;            ///< of --vectors
  std::vector<std::string> warnings;
};

/// Reads the files and settles what they decide: the options' scheme, and the size of the embeddings where
/// there are vectors.
/// @throws DataError: a file without tags or with one tag alone, tags that break the scheme asked for
/// (`train.conll:12: ...`); ConfigError for options that do not fit.
TaggerCorpus read_tagger_corpus(TaggerTask& task);

}  // namespace rondo
