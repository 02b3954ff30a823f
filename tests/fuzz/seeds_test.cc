// The fuzzers' functions over their seeds, cut and altered: what they find in hours with clang starts here in
// a second.
#include "../../fuzz/seeds.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/random.h"
#include "storage/test_files.h"

// CMake gives each fuzzer's function a name of its own.
extern "C" {
int fuzz_requests(const uint8_t* bytes, size_t size);
int fuzz_model_file(const uint8_t* bytes, size_t size);
int fuzz_http(const uint8_t* bytes, size_t size);
}

namespace rondo {
namespace {

using Fuzzer = int (*)(const uint8_t* bytes, size_t size);

void run(Fuzzer fuzzer, const std::string& bytes) {
  EXPECT_EQ(fuzzer(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0);
}

/// Each seed whole, its beginnings, and with single bytes that are others; `count` of each.
void run_seeds(Fuzzer fuzzer, const std::string& noun, size_t count) {
  const TestFolder folder;
  fuzz::write_seeds(folder.file(""));
  size_t seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.file(noun))) {
    const std::string seed = get_bytes(entry.path());
    const Stream random(++seeds);
    run(fuzzer, seed);
    for (size_t i = 0; i < count; ++i) {
      run(fuzzer, seed.substr(0, seed.size() * i / count));
      std::string altered = seed;
      altered[random.bits(2 * i) % seed.size()] = static_cast<char>(random.bits(2 * i + 1));
      run(fuzzer, altered);
    }
  }
  EXPECT_GE(seeds, 5U);
}

TEST(Fuzzers, RequestsTakeTheirSeeds) { run_seeds(fuzz_requests, "requests", 50); }
TEST(Fuzzers, ModelFilesTakeTheirSeeds) { run_seeds(fuzz_model_file, "model_file", 50); }
TEST(Fuzzers, HttpTakesItsSeeds) { run_seeds(fuzz_http, "http", 30); }

}  // namespace
}  // namespace rondo
