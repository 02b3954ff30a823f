// Schemes of tags: which one a set of labels follows, and from BIO to BIOES and back.
//   scheme_of({"O", "B-PER", "I-PER"}) == TagScheme::kBio;  to_bioes({"B-PER", "O"}) gives S-PER O
#pragma once

#include <span>
#include <string>
#include <vector>

#include "layers/crf_constraints.h"

namespace rondo {

/// BIOES if all labels are its own and one begins with E or S, BIO if all are its own and one begins with B
/// or I, else none. It looks at names alone: sequences may still break the scheme.
TagScheme scheme_of(std::span<const std::string> labels);

/// A sequence in BIO as BIOES: a span's last word becomes E, a span of one word S.
std::vector<std::string> to_bioes(std::span<const std::string> tags);
/// E becomes I and S becomes B; the rest stays.
std::string to_bio(const std::string& tag);
std::vector<std::string> to_bio(std::span<const std::string> tags);

}  // namespace rondo
