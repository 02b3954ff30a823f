// Digits by rows as a diagnostic, and where they come from.
#include "diagnostics/mnist.h"

#include <cmath>

#include "base/errors.h"
#include "base/files.h"
#include "base/random.h"
#include "diagnostics/diagnostics.h"

namespace rondo::diagnostics {

namespace {

constexpr int64_t kSide = Digits::kSide;
constexpr int64_t kPixels = Digits::kPixels;
constexpr int64_t kTestSequences = 500;

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

/// What follows the header of an idx file. @throws DataError if its kind or its size is another.
std::string read_idx(const std::string& path, uint32_t kind, size_t header, size_t item) {
  std::string bytes = read_file(path);
  if (bytes.size() < header || big_endian(bytes, 0) != kind) {
    throw_error<DataError>("{}: no idx file of kind {}", path, kind);
  }
  if (bytes.size() - header != size_t{big_endian(bytes, 4)} * item) {
    throw_error<DataError>("{}: {} bytes, expected {} items of {}", path, bytes.size(), big_endian(bytes, 4),
                           item);
  }
  return bytes.substr(header);
}

}  // namespace

Digits read_digits(const std::string& folder, const std::string& part) {
  Digits digits{.pixels = read_idx(folder + "/" + part + "-images-idx3-ubyte.gz", 2051, 16, kPixels),
                .labels = read_idx(folder + "/" + part + "-labels-idx1-ubyte.gz", 2049, 8, 1)};
  if (digits.labels.empty() || static_cast<int64_t>(digits.pixels.size()) != digits.size() * kPixels) {
    throw_error<DataError>("{}: {} labels do not fit {} bytes of pictures", folder, digits.size(),
                           digits.pixels.size());
  }
  return digits;
}

namespace {

class Mnist final : public Problem {
 public:
  explicit Mnist(const std::string& folder)
      : training_(read_digits(folder, "train")), test_(read_digits(folder, "t10k")) {}
  std::string name() const override { return "mnist"; }
  int64_t inputs() const override { return kSide; }
  int64_t outputs() const override { return 10; }
  double memoryless_loss() const override { return std::log(10.0); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    const Stream stream(seed, {12, static_cast<uint64_t>(update)});
    std::vector<int64_t> chosen;
    for (int64_t n = 0; n < sequences; ++n) {
      chosen.push_back(static_cast<int64_t>(
          stream.below(static_cast<uint64_t>(n), static_cast<uint64_t>(training_.size()))));
    }
    return batch_of(training_, chosen);
  }

  std::vector<Batch> test() const override {
    std::vector<Batch> batches;
    for (int64_t begin = 0; begin < test_.size(); begin += kTestSequences) {
      std::vector<int64_t> chosen;
      for (int64_t i = begin; i < std::min(begin + kTestSequences, test_.size()); ++i) chosen.push_back(i);
      batches.push_back(batch_of(test_, chosen));
    }
    return batches;
  }

 private:
  static Batch batch_of(const Digits& digits, const std::vector<int64_t>& chosen) {
    const auto sequences = static_cast<int64_t>(chosen.size());
    Batch batch{.x = Tensor({kSide * sequences, kSide}), .sequences = sequences};
    for (int64_t n = 0; n < sequences; ++n) {
      const int64_t digit = chosen[static_cast<size_t>(n)];
      batch.classes.push_back(digits.labels[static_cast<size_t>(digit)]);
      for (int64_t i = 0; i < kPixels; ++i) {
        const auto pixel = static_cast<uint8_t>(digits.pixels[static_cast<size_t>(digit * kPixels + i)]);
        batch.x.data<float>()[((i / kSide) * sequences + n) * kSide + i % kSide] =
            static_cast<float>(pixel) / 255;
      }
    }
    return batch;
  }

  Digits training_, test_;
};

}  // namespace

std::unique_ptr<Problem> make_mnist(const std::string& folder) { return std::make_unique<Mnist>(folder); }

}  // namespace rondo::diagnostics
