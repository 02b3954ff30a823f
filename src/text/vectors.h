// Pretrained word vectors, as GloVe and word2vec (.vec) write them in text, plain or gzip.
//   Vectors vectors = read_vectors("glove.6B.100d.txt", vocabulary);
//   // vectors.values starts the embedding; vectors.num_found of vocabulary.size() words have a vector
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/vocabulary.h"

namespace rondo {

struct Vectors {
  int64_t dimension = 0;
  std::vector<float> values;   // [vocabulary size, dimension]; the rows of words not found are zero
  std::vector<uint8_t> found;  // [vocabulary size]; 1 if the word has a vector
  int64_t num_found = 0;
};

/// Streams `path` and keeps the rows of the vocabulary's words: memory is theirs, not the file's.
/// A line is a word and its numbers, parted by spaces or tabs; a first line of two whole numbers is
/// word2vec's header (count, dimension). The first vector's line sets the dimension where there is no header.
/// A word may hold spaces (GloVe 840B's ". . ."): the last `dimension` columns are the numbers.
/// A vocabulary word takes the vector of the same word, or else of its lower case (lower_case() of
/// text/unicode.h): "Paris" takes "paris". Of a word that stands twice in the file the first counts.
/// The numbers of words that nobody asked for are counted, not read.
/// @throws DataError with file and line: wrong number of columns, no number, not finite, fewer lines than
///   the header says, no vectors at all. IoError if the file cannot be read.
Vectors read_vectors(const std::string& path, const Vocabulary& vocabulary);

/// The words of such a file in its order; those that are no UTF-8 are left out, for no text has them.
/// @throws as read_vectors, but for the numbers, which are counted alone.
std::vector<std::string> vector_words(const std::string& path);

}  // namespace rondo
