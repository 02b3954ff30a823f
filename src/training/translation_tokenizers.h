// How translation metrics part a sentence into tokens, as sacrebleu's tokenizers of the same names.
//   cut_for_bleu("It's 5.", BleuTokenizer::k13a) == "It's 5 ."
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"

namespace rondo {

/// k13a: mteval-v13a's ASCII rules, WMT's choice. kIntl: mteval-v14's, by Unicode categories (those of the
/// utf8proc that is installed). kChar: every code point. kNone: at white space only.
enum class BleuTokenizer { k13a, kNone, kChar, kIntl };

template <>
inline constexpr auto kNames<BleuTokenizer> =
    std::array{std::pair{BleuTokenizer::k13a, "13a"}, std::pair{BleuTokenizer::kNone, "none"},
               std::pair{BleuTokenizer::kChar, "char"}, std::pair{BleuTokenizer::kIntl, "intl"}};

/// @throws ConfigError that lists the names.
BleuTokenizer parse_bleu_tokenizer(std::string_view name);

/// The tokens of valid UTF-8 text, with one space between two.
std::string cut_for_bleu(std::string_view text, BleuTokenizer tokenizer);

/// The parts of valid UTF-8 text between what Python's str.split() takes for white space.
std::vector<std::string_view> split_at_space(std::string_view text);
std::string join_words(const std::vector<std::string_view>& words, std::string_view between);

}  // namespace rondo
