// What the fuzzers begin from: a small model file of every kind, a body of every form, and what clients send.
// They are made by the library that reads them: a change of the format changes them, too.
#pragma once

#include <filesystem>

namespace rondo::fuzz {

/// Writes folder/model_file/*, folder/requests/* and folder/http/*.
void write_seeds(const std::filesystem::path& folder);

}  // namespace rondo::fuzz
