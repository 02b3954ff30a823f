#include "text/sentencepiece_check.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/errors.h"

namespace rondo {
namespace {

[[noreturn]] void reject(const char* problem) {
  throw_error<FormatError>("sentencepiece: the model is damaged ({}); take a fresh copy of the file",
                           problem);
}

/// Reads the fields of a protocol buffer message, without its schema.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  /// Moves to the next field; false at the end.
  bool next() {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    field_ = key >> 3;
    bytes_ = {};
    switch (key & 7) {
      case 0:
        varint();
        break;
      case 1:
        bytes(8);
        break;
      case 2:
        bytes_ = bytes(varint());
        break;
      case 5:
        bytes(4);
        break;
      default:
        reject("a field of unknown type");
    }
    is_bytes_ = (key & 7) == 2;
    return true;
  }

  /// The bytes of the present field if it is number `field` and holds bytes.
  bool holds(uint64_t field) const { return is_bytes_ && field_ == field; }
  std::string_view content() const { return bytes_; }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    reject("a number that does not end");
  }

  std::string_view bytes(uint64_t length) {
    if (length > rest_.size()) reject("it is cut");
    const std::string_view result = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return result;
  }

  std::string_view rest_;
  std::string_view bytes_;
  uint64_t field_ = 0;
  bool is_bytes_ = false;
};

/// Walks the double array (darts-clone's) of a normalisation, whose keys lead to positions in the string of
/// replacements. Every step that the library could make must stay inside.
class TrieCheck {
 public:
  TrieCheck(std::string_view trie, size_t replacements_size)
      : units_(trie.size() / 4), most_matches_(units_.size(), kUnseen), limit_(replacements_size) {
    if (units_.empty() || trie.size() % 4 != 0) reject("the normalisation rules have a wrong size");
    for (size_t i = 0; i < units_.size(); ++i) {  // little-endian, wherever the bytes stand
      std::memcpy(&units_[i], trie.data() + 4 * i, 4);
    }
  }

  void run() { visit(0, 0); }

 private:
  static constexpr int kUnseen = -1;
  static constexpr int kOpen = -2;
  static constexpr int kMaxMatches = 32;  // what the library has room for
  static constexpr int kMaxDepth = 512;

  static bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
  static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & 1U << 9) >> 6); }
  static uint32_t label(uint32_t unit) { return unit & (1U << 31 | 0xFF); }
  static uint32_t value(uint32_t unit) { return unit & ~(1U << 31); }

  /// The most keys that one text can match from the unit at `position` on.
  int visit(uint32_t position, int depth) {
    if (most_matches_[position] == kOpen || depth > kMaxDepth)
      reject("the normalisation rules go in circles");
    if (most_matches_[position] != kUnseen) return most_matches_[position];
    most_matches_[position] = kOpen;
    const uint32_t base = position ^ offset(units_[position]);
    if ((base | 0xFF) >= units_.size()) reject("the normalisation rules point outside");
    const bool ends_key = depth > 0 && has_leaf(units_[position]);
    if (ends_key && value(units_[base]) > limit_) reject("the normalisation rules point outside");
    int matches = 0;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      if (label(units_[base ^ byte]) == byte) matches = std::max(matches, visit(base ^ byte, depth + 1));
    }
    matches += ends_key ? 1 : 0;
    if (matches > kMaxMatches) reject("too many normalisation rules begin alike");
    return most_matches_[position] = matches;
  }

  std::vector<uint32_t> units_;
  std::vector<int> most_matches_;
  size_t limit_;
};

/// Layout: size of the trie in 4 bytes, the trie, the replacements (each ended by a NUL).
void check_rules(std::string_view rules) {
  if (rules.empty()) return;
  uint32_t trie_size = 0;
  if (rules.size() < sizeof trie_size) reject("the normalisation rules are cut");
  std::memcpy(&trie_size, rules.data(), sizeof trie_size);
  rules.remove_prefix(sizeof trie_size);
  if (trie_size >= rules.size()) reject("the normalisation rules are cut");
  TrieCheck(rules.substr(0, trie_size), rules.size() - trie_size).run();
}

/// The bytes fields numbered `field` of `message`, each given to `check`.
template <class Check>
void each(std::string_view message, uint64_t field, const Check& check) {
  for (MessageReader reader(message); reader.next();) {
    if (reader.holds(field)) check(reader.content());
  }
}

}  // namespace

void check_sentencepiece_model(std::string_view model) {
  // Field numbers of sentencepiece_model.proto.
  constexpr uint64_t kPieces = 1;
  constexpr uint64_t kNormalizer = 3;
  constexpr uint64_t kDenormalizer = 5;
  constexpr uint64_t kPieceText = 1;
  constexpr uint64_t kRules = 2;
  each(model, kPieces, [](std::string_view piece) {
    each(piece, kPieceText, [](std::string_view text) {
      if (text.find('\0') != std::string_view::npos) reject("a piece holds a NUL byte");
    });
  });
  for (const uint64_t field : {kNormalizer, kDenormalizer}) {
    each(model, field, [](std::string_view spec) { each(spec, kRules, check_rules); });
  }
}

}  // namespace rondo
