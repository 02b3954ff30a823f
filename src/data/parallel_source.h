// The kinds of files behind read_parallel(), one factory each.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/parallel_corpus.h"
#include "data/text_lines.h"

namespace rondo {

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
std::unique_ptr<ParallelSource> make_parallel_table(TextLines lines, const ParallelFormat& format);
std::unique_ptr<ParallelSource> make_parallel_json(TextLines lines, const ParallelFormat& format);

}  // namespace rondo
