// Pretrained vectors where a network's words begin from random numbers.
//   Vectors vectors = read_pretrained({"glove.txt", TaggerOptions().embedding}, words, task.model.embedding,
//   warnings); load_pretrained(vectors, network.embedding().table());
#pragma once

#include <string>
#include <vector>

#include "tensor/parameter.h"
#include "text/vectors.h"

namespace rondo {

struct PretrainedFile {
  const std::string& path;
  int64_t usual;  ///< default of --embedding: any other width was chosen by the person
};

/// The vectors of the vocabulary's words; `embedding` becomes their width. Warns where more than half of the
/// words have none. @throws ConfigError if the person chose another width; as read_vectors().
Vectors read_pretrained(const PretrainedFile& file, const Vocabulary& words, int64_t& embedding,
                        std::vector<std::string>& warnings);

/// Copies those that were found into the rows of a table [V, dimension].
void load_pretrained(const Vectors& vectors, Parameter& table);

}  // namespace rondo
