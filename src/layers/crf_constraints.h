// Which labels may follow which in a scheme of tags: no I-PER after O.
//   CrfConstraints constraints(TagScheme::kBio, {"O", "B-PER", "I-PER"});  constraints.allows(0, 2) == false
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rondo {

/// none: every label may follow every other.
/// BIO: B-X begins a span of type X, I-X continues one, O is outside.
/// BIOES: B-X begins a span of two words or more, I-X continues and E-X ends it; S-X is a span of one word.
/// A scheme without types has the labels B, I, E, S and O.
/// Source: Ramshaw & Marcus 1995; Ratinov & Roth 2009.
enum class TagScheme : uint8_t { kNone, kBio, kBioes };

class CrfConstraints {
 public:
  CrfConstraints() = default;
  /// @param labels  in the order of their numbers.
  /// @throws ConfigError if a label is none of the scheme's.
  CrfConstraints(TagScheme scheme, std::span<const std::string> labels);

  TagScheme scheme() const { return scheme_; }
  /// Whether nothing is forbidden.
  bool empty() const { return labels_.empty(); }
  /// Of how many labels; 0 without a scheme.
  int64_t num_labels() const { return static_cast<int64_t>(labels_.size()); }
  bool allows(int32_t from, int32_t to) const;
  bool allows_first(int32_t label) const;
  bool allows_last(int32_t label) const;

  /// The first step of a sequence of label numbers that the scheme forbids, its length if it must not end
  /// there, -1 if all is allowed.
  int64_t first_break(std::span<const int32_t> labels) const;

 private:
  struct Label {
    std::string name;
    char part;         ///< of B I O E S
    std::string type;  ///< PER
  };
  bool opens(const Label& label) const;      ///< a span that must or may go on
  bool continues(const Label& label) const;  ///< a span that was begun before

  TagScheme scheme_ = TagScheme::kNone;
  std::vector<Label> labels_;
};

}  // namespace rondo
