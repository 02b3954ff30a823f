#include "data/encoded.h"

#include <algorithm>

#include "base/errors.h"
#include "data/wording.h"

namespace rondo {
namespace {

// Examples a task. Fixed, so that no result can depend on the number of threads.
constexpr int64_t kExamplesPerTask = 256;

struct Chunk {
  std::vector<int32_t> ids;
  std::vector<int64_t> lengths;
  int64_t unknown = 0;
  int64_t truncated = 0;
};

int64_t num_chunks(std::span<const Example> examples) {
  return (static_cast<int64_t>(examples.size()) + kExamplesPerTask - 1) / kExamplesPerTask;
}

std::span<const Example> chunk_of(std::span<const Example> examples, int64_t chunk) {
  const size_t begin = chunk * kExamplesPerTask;
  return examples.subspan(begin, std::min<size_t>(kExamplesPerTask, examples.size() - begin));
}

[[noreturn]] void throw_unseen(const LabelledCorpus& corpus, const Example& example, const std::string& name,
                               const LabelSet& labels) {
  const std::string near = nearest(shorten(name), labels.names());
  throw_error<DataError>("{}:{}: the label '{}' is none of the model's {}: {}{}", corpus.path, example.line,
                         shorten(name), labels.size(), short_list(labels.names()),
                         near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

Chunk encode_chunk(std::span<const Example> examples, const Tokenizer& tokenizer,
                   const Vocabulary& vocabulary, int64_t max_length) {
  Chunk chunk;
  for (const Example& example : examples) {
    int64_t length = 0;
    tokenizer.each_token(example.text, [&](std::string_view token) {
      if (++length > max_length && max_length > 0) return;
      chunk.ids.push_back(vocabulary.id(token));
      if (chunk.ids.back() == Vocabulary::kUnknown) ++chunk.unknown;
    });
    const bool cut = max_length > 0 && length > max_length;
    chunk.lengths.push_back(cut ? max_length : length);
    chunk.truncated += cut;
  }
  return chunk;
}

void append(const Chunk& chunk, EncodedCorpus& encoded) {
  encoded.ids.insert(encoded.ids.end(), chunk.ids.begin(), chunk.ids.end());
  for (const int64_t length : chunk.lengths) encoded.offsets.push_back(encoded.offsets.back() + length);
  encoded.unknown += chunk.unknown;
  encoded.truncated += chunk.truncated;
}

}  // namespace

std::vector<int64_t> EncodedCorpus::lengths() const {
  std::vector<int64_t> lengths(size());
  for (int64_t i = 0; i < size(); ++i) lengths[i] = length(i);
  return lengths;
}

void add_labels(const LabelledCorpus& corpus, const Example& example, const LabelSet& labels,
                const EncodeOptions& options, EncodedCorpus& encoded) {
  for (const std::string& name : example.labels) {
    const int32_t index = labels.index(name);
    if (index == LabelSet::kUnseen && !options.allow_unseen) throw_unseen(corpus, example, name, labels);
    encoded.labels.push_back(index);
  }
  encoded.label_offsets.push_back(static_cast<int64_t>(encoded.labels.size()));
  encoded.lines.push_back(example.line);
}

EncodedCorpus encode(const LabelledCorpus& corpus, const Tokenizer& tokenizer, const Vocabulary& vocabulary,
                     const LabelSet& labels, const EncodeOptions& options, ThreadPool& pool) {
  if (options.max_length < 0) {
    throw_error<ConfigError>("max-length must be 0 (no limit) or more, got {}", options.max_length);
  }
  EncodedCorpus encoded;
  for (const Example& example : corpus.examples) add_labels(corpus, example, labels, options, encoded);
  std::vector<Chunk> chunks(num_chunks(corpus.examples));
  pool.run(num_chunks(corpus.examples), [&](int64_t i) {
    chunks[i] = encode_chunk(chunk_of(corpus.examples, i), tokenizer, vocabulary, options.max_length);
  });
  encoded.offsets.reserve(corpus.examples.size() + 1);
  for (Chunk& chunk : chunks) {
    append(chunk, encoded);
    chunk = {};  // a large corpus should not stand in memory twice
  }
  return encoded;
}

}  // namespace rondo
