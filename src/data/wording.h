// Small pieces of text: trimmed, parted, and cut to what fits into a message.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

/// `text` without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// The parts of a list, trimmed, without the empty ones: "title, description" gives two.
std::vector<std::string> split_list(std::string_view list, std::string_view separator);

/// At most `limit` bytes of UTF-8 text, with "..." in place of what is cut: what is quoted from a file in a
/// message may be a megabyte long.
std::string shorten(std::string_view text, size_t limit = 60);

/// The first names, shortened: "a, b, c, ...".
std::string short_list(std::span<const std::string> names);

}  // namespace rondo
