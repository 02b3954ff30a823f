// What is wrong with the bytes of a file, before anything is read from it: encodings, control characters,
// marks.
//   check_raw_lines("train.csv", diagnosis);
#pragma once

#include <string>
#include <string_view>

#include "inspect/finding.h"

namespace rondo {

/// Whether a line holds UTF-8 that was read as Windows-1252 and written as UTF-8 again (mojibake): pairs such
/// as U+00C3 U+00A9 for e with an acute accent. @param line  valid UTF-8.
bool has_mojibake(std::string_view line);

/// Lines that are not UTF-8, byte order marks, control characters, U+FFFD, mojibake, markup left over
/// (HTML entities and tags). Reads the file once; gzip is opened. @throws IoError.
void check_raw_lines(const std::string& path, Diagnosis& diagnosis);

}  // namespace rondo
