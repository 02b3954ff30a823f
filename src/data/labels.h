// The labels of a task and their numbers.
//   LabelSet labels(train);  labels.index("Sports") == 1;  labels.name(1) == "Sports"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/labelled.h"
#include "text/vocabulary.h"

namespace rondo {

/// Names in a fixed order: by bytes, or by value if all are whole numbers (1 2 10).
class LabelSet {
 public:
  LabelSet() = default;
  /// The labels of a corpus; multi() if an example has more or fewer than one.
  /// @throws DataError if there is only one label: nothing could be learned from it.
  explicit LabelSet(const LabelledCorpus& corpus);
  /// The labels of a stored model, in its order. @throws DataError if a name is empty or stands twice.
  LabelSet(std::vector<std::string> names, bool multi);

  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(int64_t index) const { return names_.at(index); }
  /// Whether a text may have several labels, or none.
  bool multi() const { return multi_; }
  /// The number of a label, or kUnseen.
  int32_t index(std::string_view name) const;

  static constexpr int32_t kUnseen = -1;

 private:
  void number_names();

  std::vector<std::string> names_;
  TokenMap<int32_t> indices_;
  bool multi_ = false;
};

/// A label that a corpus has and the model lacks.
struct UnseenLabel {
  std::string name;
  int64_t examples = 0;
  int64_t first_line = 0;
};

/// The labels of `corpus` that are not in `labels`, by their first line: to be reported before evaluation.
std::vector<UnseenLabel> unseen_labels(const LabelledCorpus& corpus, const LabelSet& labels);

}  // namespace rondo
