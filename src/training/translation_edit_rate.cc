#include "training/translation_edit_rate.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <tuple>
#include <utility>

namespace rondo {
namespace {

using Words = std::vector<int32_t>;
using WordSpan = std::span<const int32_t>;

constexpr int64_t kMaxShiftSize = 10;
constexpr int64_t kMaxShiftDistance = 50;
constexpr int64_t kBeamWidth = 25;
constexpr int64_t kMaxCandidates = 1000;
constexpr int32_t kInfinity = 1 << 30;

enum class Edit : uint8_t { kNone, kKeep, kSubstitute, kInsert, kDelete };

struct Cell {
  int32_t cost = kInfinity;
  Edit edit = Edit::kNone;
};

/// The cells [begin, begin + cells.size()) of one row of the distance matrix; all others are infinite.
struct Row {
  int64_t begin = 0;
  std::vector<Cell> cells;

  Cell at(int64_t column) const {
    const int64_t i = column - begin;
    return i < 0 || i >= std::ssize(cells) ? Cell{} : cells[i];
  }
};

/// Levenshtein's matrix from a hypothesis (rows) to a reference (columns) near its diagonal. An object is
/// used for many hypotheses of one length, so that its rows are allocated once.
class EditMatrix {
 public:
  explicit EditMatrix(WordSpan reference) : reference_(reference) {}

  void compute(WordSpan hypothesis) {
    rows_.resize(hypothesis.size() + 1);
    rows_[0].cells.resize(reference_.size() + 1);
    for (int32_t j = 0; j < std::ssize(rows_[0].cells); ++j) rows_[0].cells[j] = {j, Edit::kInsert};
    fill_behind(0, rows_[0], hypothesis);
  }

  /// The same for the distance only, where the first `same` words are those of `other`'s hypothesis.
  void compute_from(const EditMatrix& other, int64_t same, WordSpan hypothesis) {
    rows_.resize(hypothesis.size() + 1);
    fill_behind(same, other.rows_[same], hypothesis);
  }

  int64_t distance() const { return rows_.back().cells.back().cost; }

  /// The edits from the last to the first.
  std::vector<Edit> backward_edits() const {
    std::vector<Edit> edits;
    int64_t i = std::ssize(rows_) - 1;
    int64_t j = rows_.back().begin + std::ssize(rows_.back().cells) - 1;
    while (i > 0 || j > 0) {
      const Edit edit = rows_[i].at(j).edit;
      edits.push_back(edit);
      if (edit != Edit::kInsert) --i;
      if (edit != Edit::kDelete) --j;
    }
    return edits;
  }

 private:
  /// The rows behind row `done`, which is `first`.
  void fill_behind(int64_t done, const Row& first, WordSpan hypothesis) {
    const auto columns = std::ssize(reference_) + 1;
    const double ratio =
        hypothesis.empty() ? 1
                           : static_cast<double>(reference_.size()) / static_cast<double>(hypothesis.size());
    // So much longer a reference leaves rows without overlap unless the beam widens.
    const int64_t beam =
        kBeamWidth < ratio / 2 ? static_cast<int64_t>(std::ceil(ratio / 2 + kBeamWidth)) : kBeamWidth;
    for (int64_t i = done + 1; i < std::ssize(rows_); ++i) {
      const auto diagonal = static_cast<int64_t>(std::floor(static_cast<double>(i) * ratio));
      const bool last = i + 1 == std::ssize(rows_);
      Row& row = rows_[i];
      row.begin = std::max<int64_t>(0, diagonal - beam);
      row.cells.resize((last ? columns : std::min(columns, diagonal + beam)) - row.begin);
      fill(row, i - 1 == done ? first : rows_[i - 1], hypothesis[i - 1]);
    }
  }

  void fill(Row& row, const Row& above, int32_t word) const {
    const int64_t begin = row.begin;
    const int64_t end = begin + std::ssize(row.cells);
    for (int64_t j = begin; j < end; ++j) {
      Cell best;
      const auto consider = [&best](int32_t cost, Edit edit) {
        if (cost < best.cost) best = {cost, edit};
      };
      // Of equal costs the first stays: Tercom prefers it so.
      if (j > 0) {
        const bool same = word == reference_[j - 1];
        consider(above.at(j - 1).cost + (same ? 0 : 1), same ? Edit::kKeep : Edit::kSubstitute);
      }
      consider(above.at(j).cost + 1, Edit::kDelete);
      if (j > begin) consider(row.cells[j - begin - 1].cost + 1, Edit::kInsert);
      row.cells[j - begin] = best;
    }
  }

  WordSpan reference_;
  std::vector<Row> rows_;
};

/// Which hypothesis word each reference word lies at (-1: before all), and which words of both are wrong.
struct Alignment {
  std::vector<int64_t> hypothesis_of;
  std::vector<bool> wrong_hypothesis, wrong_reference;

  explicit Alignment(const std::vector<Edit>& backward) {
    int64_t position = -1;
    for (auto edit = backward.rbegin(); edit != backward.rend(); ++edit) {
      const bool wrong = *edit != Edit::kKeep;
      if (*edit != Edit::kInsert) {
        ++position;
        wrong_hypothesis.push_back(wrong);
      }
      if (*edit != Edit::kDelete) {
        hypothesis_of.push_back(position);
        wrong_reference.push_back(wrong);
      }
    }
  }
};

bool any(const std::vector<bool>& flags, int64_t begin, int64_t length) {
  return std::any_of(flags.begin() + begin, flags.begin() + begin + length, [](bool flag) { return flag; });
}

/// `words` with the block [begin, begin + length) moved to `target`, a position of the old sequence; one
/// inside the block moves it right by as much.
Words shifted(const Words& words, int64_t begin, int64_t length, int64_t target) {
  Words result = words;
  const auto first = result.begin();
  if (target < begin) {
    std::rotate(first + target, first + begin, first + begin + length);
  } else {
    const int64_t end = target > begin + length ? target : std::min(length + target, std::ssize(words));
    std::rotate(first + begin, first + begin + length, first + end);
  }
  return result;
}

/// The greedy search for the shifts of one pair.
class ShiftSearch {
 public:
  ShiftSearch(WordSpan hypothesis, WordSpan reference)
      : words_(hypothesis.begin(), hypothesis.end()),
        reference_(reference),
        matrix_(reference),
        candidate_(reference) {}

  int64_t edits() {
    int64_t shifts = 0;
    while (shift_once()) ++shifts;
    return shifts + matrix_.distance();
  }

 private:
  /// Larger is better: saved edits, then length, then the earlier block, then the earlier target.
  using Rank = std::tuple<int64_t, int64_t, int64_t, int64_t>;

  bool shift_once() {
    matrix_.compute(words_);
    const Alignment alignment(matrix_.backward_edits());
    best_.reset();
    for (int64_t h = 0; h < std::ssize(words_) && candidates_ < kMaxCandidates; ++h) {
      const int64_t end = std::min(std::ssize(reference_), h + kMaxShiftDistance + 1);
      for (int64_t r = std::max<int64_t>(0, h - kMaxShiftDistance); r < end; ++r) {
        try_blocks(h, r, alignment);
        if (candidates_ >= kMaxCandidates) return false;
      }
    }
    if (!best_ || std::get<0>(best_->first) <= 0) return false;
    words_ = std::move(best_->second);
    return true;
  }

  /// All equal blocks that start at hypothesis word `h` and reference word `r`.
  void try_blocks(int64_t h, int64_t r, const Alignment& alignment) {
    const int64_t most = std::min({kMaxShiftSize, std::ssize(words_) - h, std::ssize(reference_) - r});
    for (int64_t length = 1; length <= most && words_[h + length - 1] == reference_[r + length - 1];
         ++length) {
      if (!any(alignment.wrong_hypothesis, h, length) || !any(alignment.wrong_reference, r, length)) continue;
      const int64_t place = alignment.hypothesis_of[r];
      if (h <= place && place < h + length) continue;  // it would move within itself
      try_targets(h, r, length, alignment);
      if (candidates_ >= kMaxCandidates) return;
    }
  }

  void try_targets(int64_t h, int64_t r, int64_t length, const Alignment& alignment) {
    int64_t previous = -1;
    for (int64_t offset = -1; offset < length; ++offset) {
      const int64_t target = r + offset == -1 ? 0 : alignment.hypothesis_of[r + offset] + 1;
      if (target == previous) continue;
      previous = target;
      Words words = shifted(words_, h, length, target);
      candidate_.compute_from(matrix_, std::min(h, target), words);
      const Rank rank{matrix_.distance() - candidate_.distance(), length, -h, -target};
      ++candidates_;
      if (!best_ || rank > best_->first) best_ = {rank, std::move(words)};
    }
  }

  Words words_;
  WordSpan reference_;
  EditMatrix matrix_;     // of words_
  EditMatrix candidate_;  // of words_ with one shift more
  int64_t candidates_ = 0;
  std::optional<std::pair<Rank, Words>> best_;
};

}  // namespace

int64_t translation_edits(std::span<const int32_t> hypothesis, std::span<const int32_t> reference) {
  if (reference.empty()) return std::ssize(hypothesis);
  return ShiftSearch(hypothesis, reference).edits();
}

}  // namespace rondo
