#include "training/pretrained.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {

Vectors read_pretrained(const PretrainedFile& file, const Vocabulary& words, int64_t& embedding,
                        std::vector<std::string>& warnings) {
  Vectors vectors = read_vectors(file.path, words);
  if (embedding != file.usual && embedding != vectors.dimension) {
    throw_error<ConfigError>("--embedding {}: the vectors of {} have {} numbers; leave --embedding out",
                             embedding, file.path, vectors.dimension);
  }
  embedding = vectors.dimension;
  if (vectors.num_found * 2 < words.size()) {
    warnings.push_back(
        fmt::format("{}: vectors for {} of {} words only", file.path, vectors.num_found, words.size()));
  }
  return vectors;
}

void load_pretrained(const Vectors& vectors, Parameter& table) {
  float* rows = table.value.data<float>();
  for (size_t id = 0; id < vectors.found.size(); ++id) {
    const auto row = static_cast<int64_t>(id) * vectors.dimension;
    if (vectors.found[id]) std::copy_n(vectors.values.begin() + row, vectors.dimension, rows + row);
  }
}

}  // namespace rondo
