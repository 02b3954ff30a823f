#include "data/documents.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"
#include "data/example_source.h"
#include "data/text_lines.h"
#include "text/unicode.h"

namespace rondo {

namespace {

int64_t count_code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
}

// Takes documents line by line.
class DocumentSink {
 public:
  virtual ~DocumentSink() = default;
  virtual void add(std::string_view text) = 0;
  /// @param break_characters  what parted this document from the next one.
  virtual void end(int64_t break_characters) = 0;
  /// Whether a text need not be UTF-8.
  virtual bool takes_any_bytes() const { return false; }
  int64_t replaced_lines = 0;
  std::string format;
};

class TextSink final : public DocumentSink {
 public:
  void add(std::string_view text) override { texts.emplace_back(text); }
  void end(int64_t) override {}
  std::vector<std::string> texts;
};

class DocumentBuilder final : public DocumentSink {
 public:
  DocumentBuilder(const Tokenizer& tokenizer, RawDocuments& raw) : tokenizer_(tokenizer), raw_(raw) {}

  bool takes_any_bytes() const override { return tokenizer_.kind() == TokenizerKind::kBytes; }

  // Characters of a line count for its tokens one each, or where they are no characters all for the last.
  void add(std::string_view text) override {
    const size_t first = raw_.tokens.size();
    tokenizer_.each_token(text,
                          [&](std::string_view token) { raw_.tokens.push_back(raw_.table.number(token)); });
    const size_t count = raw_.tokens.size() - first;
    const int64_t characters = count_code_points(text) + waiting_;
    const bool one_each = static_cast<int64_t>(count) == characters;
    raw_.characters.resize(raw_.tokens.size(), one_each ? 1 : 0);
    waiting_ = 0;
    if (one_each) return;
    if (count == 0) {
      waiting_ = characters;
    } else {
      raw_.characters.back() = static_cast<int32_t>(characters);
    }
  }

  void end(int64_t break_characters) override {
    const int64_t begin = raw_.pieces.empty() ? 0 : raw_.pieces.back().end;
    if (static_cast<int64_t>(raw_.tokens.size()) == begin) {
      ++raw_.empty;
      waiting_ = 0;
      return;
    }
    raw_.tokens.push_back(RawDocuments::kEnd);
    raw_.characters.push_back(static_cast<int32_t>(waiting_ + break_characters));
    waiting_ = 0;
    raw_.pieces.push_back({.begin = begin, .end = static_cast<int64_t>(raw_.tokens.size())});
  }

 private:
  const Tokenizer& tokenizer_;
  RawDocuments& raw_;
  int64_t waiting_ = 0;  // characters of lines without a token
};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\f\v") == std::string_view::npos; }

// UTF-16 without its mark is valid UTF-8, every other byte of it zero.
void check_zeros(const TextLines& lines, std::string_view line) {
  if (line.find('\0') == std::string_view::npos) return;
  throw_error<DataError>(
      "{}:{}: a byte of zero, which no text has; is it UTF-16? convert it: iconv -f UTF-16LE -t UTF-8; or "
      "read "
      "it as it is with --replace-invalid",
      lines.name(), lines.line());
}

void read_lines(const std::string& path, const DocumentOptions& options, DocumentSink& sink) {
  const InvalidBytes invalid = options.read.replace_invalid ? InvalidBytes::kReplace
                               : sink.takes_any_bytes()     ? InvalidBytes::kKeep
                                                            : InvalidBytes::kRefuse;
  TextLines lines(path, invalid);
  bool open = false;  // a document of blank-line that has lines already
  while (auto line = lines.next()) {
    if (!options.read.replace_invalid) check_zeros(lines, *line);
    if (options.documents == DocumentUnit::kLine) {
      if (is_blank(*line)) continue;
      sink.add(*line);
      sink.end(1);
    } else if (options.documents == DocumentUnit::kBlankLine && is_blank(*line)) {
      if (open) sink.end(1);
      open = false;
    } else {
      *line += '\n';
      sink.add(*line);
      open = true;
    }
  }
  if (open) sink.end(0);
  sink.replaced_lines = lines.replaced_lines();
}

void read_examples(const std::string& path, const DocumentOptions& options, DocumentSink& sink) {
  ExampleReader reader(path, options.read, ExampleReader::Labels::kOptional);
  sink.format = "an example a document; " + reader.format();
  while (const auto example = reader.next()) {
    sink.add(example->text);
    sink.end(0);
  }
  sink.replaced_lines = reader.replaced_lines();
}

// By the name, as the reader of examples takes it: plain text and unknown names are one document.
DocumentUnit unit_of(const std::string& path, const DocumentOptions& options) {
  if (options.documents != DocumentUnit::kAuto) return options.documents;
  if (options.read.format != TextFormat::kAuto && options.read.format != TextFormat::kLines) {
    return DocumentUnit::kExample;
  }
  return names_examples(path) ? DocumentUnit::kExample : DocumentUnit::kFile;
}

const char* words_of(DocumentUnit unit) {
  switch (unit) {
    case DocumentUnit::kBlankLine:
      return "documents between blank lines";
    case DocumentUnit::kLine:
      return "a line a document";
    default:
      return "the file is one document";
  }
}

void read_into(const std::string& path, const DocumentOptions& options, DocumentSink& sink) {
  DocumentOptions known = options;
  known.documents = unit_of(path, options);
  if (known.documents == DocumentUnit::kExample) return read_examples(path, known, sink);
  const ReadOptions& read = options.read;
  if (!read.label_column.empty() || !read.text_column.empty() || !read.label_separator.empty() ||
      read.header != Header::kAuto || !read.quotes) {
    throw_error<ConfigError>(
        "{}: --label-column, --text-column, --label-separator, --header and --no-quotes have no effect on "
        "plain "
        "text; for a table give --documents example and --format csv",
        path);
  }
  sink.format = words_of(known.documents);
  read_lines(path, known, sink);
}

SplitPieces split_end(std::span<const Piece> pieces, double fraction) {
  int64_t total = 0;
  for (const Piece& piece : pieces) total += piece.size();
  int64_t left = static_cast<int64_t>(static_cast<double>(total) * (1 - fraction));
  SplitPieces split{
      .train = {}, .dev = {}, .description = fmt::format("the last {:g} % of the tokens", 100 * fraction)};
  for (const Piece& piece : pieces) {
    const int64_t taken = std::clamp<int64_t>(left, 0, piece.size());
    left -= taken;
    if (taken > 0) split.train.push_back({piece.begin, piece.begin + taken, piece.starts_document});
    if (taken < piece.size()) {
      split.dev.push_back({piece.begin + taken, piece.end, taken == 0 && piece.starts_document});
    }
  }
  return split;
}

SplitPieces split_random(std::span<const Piece> pieces, double fraction, uint64_t seed) {
  constexpr uint64_t kDevStream = 11;
  std::vector<int32_t> order(pieces.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, Stream(seed, {kDevStream}));
  const auto count =
      static_cast<size_t>(std::max(1.0, std::round(fraction * static_cast<double>(pieces.size()))));
  std::vector<bool> goes(pieces.size(), false);
  for (size_t i = 0; i < std::min(count, pieces.size()); ++i) goes[static_cast<size_t>(order[i])] = true;
  SplitPieces split{.train = {},
                    .dev = {},
                    .description = fmt::format("{:g} % of the documents, drawn by the seed", 100 * fraction)};
  for (size_t i = 0; i < pieces.size(); ++i) (goes[i] ? split.dev : split.train).push_back(pieces[i]);
  return split;
}

SplitPieces split_interleaved(std::span<const Piece> pieces, const DevSplitOptions& options) {
  const Piece all = join_pieces(pieces).front();
  const int64_t chunks = all.size() / (options.streams * options.chunk);
  const auto kept = static_cast<int64_t>(static_cast<double>(chunks) * (1 - options.fraction));
  SplitPieces split{
      .train = {},
      .dev = {},
      .description = fmt::format("the last {} of the {} chunks of {} tokens of each of {} streams",
                                 chunks - kept, chunks, options.chunk, options.streams)};
  for (int64_t b = 0; b < options.streams && chunks > 0; ++b) {
    const int64_t begin = all.begin + b * chunks * options.chunk;
    const int64_t cut = begin + kept * options.chunk;
    if (kept > 0) split.train.push_back({begin, cut, b == 0 && all.starts_document});
    if (kept < chunks) split.dev.push_back({cut, begin + chunks * options.chunk, kept == 0 && b == 0});
  }
  return split;
}

}  // namespace

RawDocuments read_documents(const std::string& path, const DocumentOptions& options,
                            const Tokenizer& tokenizer) {
  RawDocuments raw;
  append_documents(path, options, tokenizer, raw);
  return raw;
}

void append_documents(const std::string& path, const DocumentOptions& options, const Tokenizer& tokenizer,
                      RawDocuments& raw) {
  const size_t before = raw.pieces.size();
  DocumentBuilder builder(tokenizer, raw);
  read_into(path, options, builder);
  // What a second file is, where it is something else.
  if (raw.format.empty()) {
    raw.format = builder.format;
  } else if (raw.format != builder.format) {
    raw.format += fmt::format("; {}: {}", path, builder.format);
  }
  raw.replaced_lines += builder.replaced_lines;
  if (raw.pieces.size() == before) throw_error<DataError>("{}: there is no text in it", path);
}

std::vector<std::string> read_document_texts(const std::string& path, const DocumentOptions& options) {
  TextSink sink;
  read_into(path, options, sink);
  return std::move(sink.texts);
}

RawDocuments number_texts(std::span<const std::string> texts, const Tokenizer& tokenizer) {
  RawDocuments raw;
  DocumentBuilder builder(tokenizer, raw);
  for (const std::string& text : texts) {
    builder.add(text);
    builder.end(0);
  }
  return raw;
}

SplitPieces split_documents(std::span<const Piece> pieces, const DevSplitOptions& options) {
  DevSplit kind = options.kind;
  if (kind == DevSplit::kAuto) kind = pieces.size() == 1 ? DevSplit::kEnd : DevSplit::kRandom;
  SplitPieces split = kind == DevSplit::kEnd      ? split_end(pieces, options.fraction)
                      : kind == DevSplit::kRandom ? split_random(pieces, options.fraction, options.seed)
                                                  : split_interleaved(pieces, options);
  if (!split.train.empty() && !split.dev.empty()) return split;
  if (kind == DevSplit::kRandom && pieces.size() == 1) {
    throw_error<DataError>(
        "--dev-split random: there is one document; give --dev-split end, or --documents line");
  }
  throw_error<DataError>(
      "the text is too short to hold out {}: {} tokens in {} documents; give --dev FILE, another "
      "--dev-fraction or a smaller --batch and --chunk",
      split.description, pieces.empty() ? 0 : pieces.back().end - pieces.front().begin, pieces.size());
}

std::vector<Piece> join_pieces(std::span<const Piece> pieces) {
  std::vector<Piece> joined;
  for (const Piece& piece : pieces) {
    if (!joined.empty() && joined.back().end == piece.begin) {
      joined.back().end = piece.end;
    } else {
      joined.push_back(piece);
    }
  }
  return joined;
}

std::vector<Piece> cut_pieces(std::span<const Piece> pieces, int64_t parts) {
  int64_t total = 0;
  for (const Piece& piece : pieces) total += piece.size();
  const int64_t most = std::max<int64_t>(1, (total + parts - 1) / parts);
  std::vector<Piece> cut;
  for (const Piece& piece : pieces) {
    const int64_t count = (piece.size() + most - 1) / most;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t begin = piece.begin + piece.size() * i / count;
      cut.push_back({begin, piece.begin + piece.size() * (i + 1) / count, i == 0 && piece.starts_document});
    }
  }
  return cut;
}

VocabularyCounter count_tokens(const RawDocuments& raw, std::span<const Piece> pieces) {
  std::vector<int64_t> counts(static_cast<size_t>(raw.table.size()), 0);
  for (const Piece& piece : pieces) {
    for (int64_t i = piece.begin; i < piece.end; ++i) {
      if (raw.tokens[static_cast<size_t>(i)] >= 0)
        ++counts[static_cast<size_t>(raw.tokens[static_cast<size_t>(i)])];
    }
  }
  VocabularyCounter counter;
  for (int32_t i = 0; i < raw.table.size(); ++i) {
    if (counts[static_cast<size_t>(i)] > 0) counter.add(raw.table.token(i), counts[static_cast<size_t>(i)]);
  }
  return counter;
}

Vocabulary with_end_token(const Vocabulary& vocabulary) {
  if (vocabulary.id(Vocabulary::kEndToken) != Vocabulary::kUnknown) return vocabulary;
  std::vector<std::string> tokens = vocabulary.tokens();
  tokens.insert(tokens.begin() + 1, Vocabulary::kEndToken);
  return Vocabulary::from_tokens(std::move(tokens));
}

TokenStream number_documents(const RawDocuments& raw, std::span<const Piece> pieces,
                             const Vocabulary& vocabulary) {
  const int32_t end = vocabulary.id(Vocabulary::kEndToken);
  std::vector<int32_t> ids(static_cast<size_t>(raw.table.size()));
  for (int32_t i = 0; i < raw.table.size(); ++i)
    ids[static_cast<size_t>(i)] = vocabulary.id(raw.table.token(i));
  const auto id_at = [&](int64_t position) {
    const int32_t token = raw.tokens[static_cast<size_t>(position)];
    return token == RawDocuments::kEnd ? end : ids[static_cast<size_t>(token)];
  };
  TokenStream stream;
  for (const Piece& piece : pieces) {
    stream.first_inputs.push_back(piece.starts_document || piece.begin == 0 ? end : id_at(piece.begin - 1));
    for (int64_t i = piece.begin; i < piece.end; ++i) {
      stream.ids.push_back(id_at(i));
      stream.unknown += stream.ids.back() == Vocabulary::kUnknown ? 1 : 0;
      stream.characters += raw.characters[static_cast<size_t>(i)];
    }
    stream.offsets.push_back(stream.size());
  }
  return stream;
}

}  // namespace rondo
