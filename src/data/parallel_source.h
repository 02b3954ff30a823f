// The kinds of files behind read_parallel(), one factory each.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/parallel_corpus.h"
#include "data/text_lines.h"

namespace rondo {

/// What the two sides of a table are called: in its header (lower case, in order of preference), in options
/// and in messages.
struct PairWording {
  std::span<const std::string_view> source_words, target_words;
  const char *source_option, *target_option;  ///< "source-column"
  const char* rows;                           ///< "sentences and translations"
  const char* columns;                        ///< "a sentence and its translation"
  const char* advice;                         ///< what to do where there is one column alone
};

/// Gives pairs as they stand in the files, empty sides and all.
class ParallelSource {
 public:
  virtual ~ParallelSource() = default;
  virtual std::optional<SentencePair> next() = 0;
  virtual int64_t replaced_lines() const = 0;
  /// What was detected, in words.
  const std::string& format() const { return format_; }

 protected:
  std::string format_;
};

std::unique_ptr<ParallelSource> make_two_files(const ParallelOptions& options);
/// A table of both sides, CSV, TSV or JSON lines, by its name or its first line.
/// @throws as read_parallel().
std::unique_ptr<ParallelSource> open_table(const std::string& path, const ParallelFormat& format,
                                           const PairWording& words);
std::unique_ptr<ParallelSource> make_parallel_table(TextLines lines, const ParallelFormat& format,
                                                    const PairWording& words);
std::unique_ptr<ParallelSource> make_parallel_json(TextLines lines, const ParallelFormat& format,
                                                   const PairWording& words);

}  // namespace rondo
