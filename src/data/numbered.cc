#include "data/numbered.h"

#include <algorithm>
#include <mutex>

#include "base/errors.h"
#include "data/wording.h"

namespace rondo {
namespace {

constexpr int64_t kExamplesPerTask = 256;
constexpr int64_t kTasksPerThread = 8;  // of a block: texts that are in memory at a time

/// Lends each task a table that no other task has.
class TableStock {
 public:
  explicit TableStock(std::vector<TokenTable>& tables) : tables_(tables) {
    for (size_t i = tables.size(); i-- > 0;) free_.push_back(static_cast<int32_t>(i));
  }
  int32_t take() {
    const std::lock_guard lock(mutex_);
    const int32_t table = free_.back();
    free_.pop_back();
    return table;
  }
  void give_back(int32_t table) {
    const std::lock_guard lock(mutex_);
    free_.push_back(table);
  }
  TokenTable& operator[](int32_t table) { return tables_[static_cast<size_t>(table)]; }

 private:
  std::mutex mutex_;
  std::vector<TokenTable>& tables_;
  std::vector<int32_t> free_;
};

void number_chunk(std::span<Example> examples, const Tokenizer& tokenizer, TokenTable& table,
                  NumberedCorpus::Chunk& chunk) {
  for (Example& example : examples) {
    const size_t before = chunk.tokens.size();
    tokenizer.each_token(example.text,
                         [&](std::string_view token) { chunk.tokens.push_back(table.number(token)); });
    chunk.lengths.push_back(static_cast<int32_t>(chunk.tokens.size() - before));
    example.text = std::string();
  }
  chunk.tokens.shrink_to_fit();
}

/// Tokenises the examples from `first` on.
void number_rest(NumberedCorpus& corpus, size_t first, const Tokenizer& tokenizer, ThreadPool& pool) {
  const std::span<Example> examples = std::span(corpus.source.examples).subspan(first);
  for (const Example& example : examples) {
    if (!trim(example.text).empty()) continue;
    if (corpus.source.empty_texts++ == 0) corpus.first_empty_line = example.line;
  }
  const auto size = static_cast<int64_t>(examples.size());
  const int64_t tasks = (size + kExamplesPerTask - 1) / kExamplesPerTask;
  const size_t old = corpus.chunks.size();
  corpus.chunks.resize(old + tasks);
  TableStock stock(corpus.tables);
  pool.run(tasks, [&](int64_t i) {
    NumberedCorpus::Chunk& chunk = corpus.chunks[old + i];
    chunk.table = stock.take();
    const int64_t begin = i * kExamplesPerTask;
    number_chunk(examples.subspan(begin, std::min(kExamplesPerTask, size - begin)), tokenizer,
                 stock[chunk.table], chunk);
    stock.give_back(chunk.table);
  });
}

/// Calls each(i, tokens, table) for every example; a `visit` of a chunk's end lets the caller free it.
template <class Corpus, class Each, class ChunkEnds>
void each_example(Corpus& corpus, Each each, ChunkEnds chunk_ends) {
  size_t i = 0;
  for (auto& chunk : corpus.chunks) {
    std::span<const int32_t> tokens = chunk.tokens;
    for (const int32_t length : chunk.lengths) {
      each(i++, tokens.first(length), static_cast<size_t>(chunk.table));
      tokens = tokens.subspan(length);
    }
    chunk_ends(chunk);
  }
}

bool is_held_out(const std::vector<bool>& held_out, size_t i) { return !held_out.empty() && held_out[i]; }

VocabularyCounter count_tokens(const NumberedCorpus& corpus, const std::vector<bool>& held_out,
                               int64_t max_texts) {
  std::vector<std::vector<int64_t>> counts;
  for (const TokenTable& table : corpus.tables) counts.emplace_back(table.size(), 0);
  int64_t texts = 0;
  each_example(
      corpus,
      [&](size_t i, std::span<const int32_t> tokens, size_t table) {
        if (is_held_out(held_out, i) || (max_texts > 0 && texts >= max_texts)) return;
        ++texts;
        for (const int32_t token : tokens) ++counts[table][token];
      },
      [](const NumberedCorpus::Chunk&) {});
  VocabularyCounter counter;
  for (size_t t = 0; t < counts.size(); ++t) {
    for (int32_t token = 0; token < corpus.tables[t].size(); ++token) {
      if (counts[t][token] > 0) counter.add(corpus.tables[t].token(token), counts[t][token]);
    }
  }
  return counter;
}

/// Takes the ids of one example, cut to max_length.
void add_ids(std::span<const int32_t> tokens, const std::vector<int32_t>& ids, int64_t max_length,
             EncodedCorpus& part) {
  if (max_length > 0 && static_cast<int64_t>(tokens.size()) > max_length) {
    tokens = tokens.first(max_length);
    ++part.truncated;
  }
  for (const int32_t token : tokens) {
    part.ids.push_back(ids[token]);
    if (ids[token] == Vocabulary::kUnknown) ++part.unknown;
  }
  part.offsets.push_back(static_cast<int64_t>(part.ids.size()));
}

/// The room that both parts need, so that nothing grows while the chunks go.
void reserve(const NumberedCorpus& corpus, const std::vector<bool>& held_out, EncodedCorpus& train,
             EncodedCorpus& dev) {
  size_t tokens[2] = {0, 0}, examples[2] = {0, 0};
  each_example(
      corpus,
      [&](size_t i, std::span<const int32_t> own, size_t) {
        tokens[is_held_out(held_out, i)] += own.size();
        ++examples[is_held_out(held_out, i)];
      },
      [](const NumberedCorpus::Chunk&) {});
  for (EncodedCorpus* part : {&train, &dev}) {
    const size_t p = part == &dev;
    part->ids.reserve(tokens[p]);
    part->offsets.reserve(examples[p] + 1);
    part->labels.reserve(examples[p]);
    part->label_offsets.reserve(examples[p] + 1);
    part->lines.reserve(examples[p]);
  }
}

}  // namespace

int32_t TokenTable::number(std::string_view token) {
  const size_t mask = slots_.size() - 1;
  const auto hash = static_cast<uint32_t>(TokenHash()(token));
  size_t at = hash & mask;
  for (; slots_[at].number >= 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && this->token(slots_[at].number) == token) return slots_[at].number;
  }
  const int32_t number = size();
  slots_[at] = {hash, number};
  bytes_.append(token);
  begins_.push_back(bytes_.size());
  if (2 * begins_.size() > slots_.size()) grow();
  return number;
}

void TokenTable::grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.number < 0) continue;
    size_t at = slot.hash & mask;
    while (slots_[at].number >= 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

NumberedCorpus number_file(const std::string& path, const ReadOptions& options, const Tokenizer& tokenizer,
                           ThreadPool& pool, Profile* profile) {
  const Profile::Scope reading(profile, Profile::Section::kReading);
  ExampleReader reader(path, options, ExampleReader::Labels::kRequired);
  NumberedCorpus corpus{.source = {.path = path, .format = reader.format()}};
  corpus.tables.resize(pool.threads());
  const auto block = static_cast<size_t>(kExamplesPerTask * kTasksPerThread * pool.threads());
  std::vector<Example>& examples = corpus.source.examples;
  size_t numbered = 0;
  for (bool more = true; more;) {
    std::optional<Example> example = reader.next();
    more = example.has_value();
    if (more) examples.push_back(std::move(*example));
    if (more && examples.size() - numbered < block) continue;
    const Profile::Scope tokenising(profile, Profile::Section::kTokenising);
    number_rest(corpus, numbered, tokenizer, pool);
    numbered = examples.size();
  }
  corpus.source.replaced_lines = reader.replaced_lines();
  if (examples.empty()) {
    throw_error<DataError>("{}: no examples ({}), expected rows of labels and texts", path,
                           corpus.source.format);
  }
  return corpus;
}

NumberedCorpus number_corpus(LabelledCorpus corpus, const Tokenizer& tokenizer, ThreadPool& pool) {
  NumberedCorpus numbered{.source = std::move(corpus)};
  numbered.source.empty_texts = 0;
  numbered.tables.resize(pool.threads());
  number_rest(numbered, 0, tokenizer, pool);
  return numbered;
}

Vocabulary build_vocabulary(const NumberedCorpus& corpus, const std::vector<bool>& held_out,
                            const VocabularyLimits& limits, TieOrder ties) {
  const VocabularyCounter counter = count_tokens(corpus, held_out, limits.max_texts);
  Vocabulary vocabulary = counter.build(limits.min_count, limits.max_size, ties);
  if (vocabulary.size() < 2) {
    throw_error<DataError>(
        "{}: no token is left of {} different ones ({} in all); lower min-count ({}), or check --text-column "
        "(read as {})",
        corpus.source.path, counter.distinct(), counter.total(), limits.min_count, corpus.source.format);
  }
  return vocabulary;
}

std::pair<EncodedCorpus, EncodedCorpus> encode(NumberedCorpus& corpus, const std::vector<bool>& held_out,
                                               const Vocabulary& vocabulary, const LabelSet& labels,
                                               const EncodeOptions& options) {
  std::vector<std::vector<int32_t>> ids;
  for (const TokenTable& table : corpus.tables) {
    std::vector<int32_t>& own = ids.emplace_back(table.size());
    for (int32_t token = 0; token < table.size(); ++token) own[token] = vocabulary.id(table.token(token));
  }
  corpus.tables.clear();
  std::pair<EncodedCorpus, EncodedCorpus> parts;
  reserve(corpus, held_out, parts.first, parts.second);
  each_example(
      corpus,
      [&](size_t i, std::span<const int32_t> tokens, size_t table) {
        EncodedCorpus& part = is_held_out(held_out, i) ? parts.second : parts.first;
        add_ids(tokens, ids[table], options.max_length, part);
        add_labels(corpus.source, corpus.source.examples[i], labels, options, part);
      },
      [](NumberedCorpus::Chunk& chunk) { chunk = {}; });
  corpus.chunks.clear();
  return parts;
}

}  // namespace rondo
