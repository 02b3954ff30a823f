// The adding problem, noise and copy memory: fresh sequences for every update.
#include <cmath>

#include "base/random.h"
#include "diagnostics/diagnostics.h"
#include "layers/initialize.h"

namespace rondo::diagnostics {

namespace {

constexpr uint64_t kTestSeed = 0x7E57;  // no run's: training() mixes in the update from 1
constexpr int64_t kTestBatches = 20;
constexpr int64_t kTestSequences = 100;

std::vector<Batch> test_batches(const Problem& problem) {
  std::vector<Batch> batches;
  for (int64_t i = 0; i < kTestBatches; ++i) {
    batches.push_back(problem.training(kTestSeed, -1 - i, kTestSequences));
  }
  return batches;
}

Stream stream_of(uint64_t seed, int64_t update) { return Stream(seed, {11, static_cast<uint64_t>(update)}); }

class Adding final : public Problem {
 public:
  explicit Adding(int64_t length) : length_(length) {}
  std::string name() const override { return "adding"; }
  int64_t inputs() const override { return 2; }
  int64_t outputs() const override { return 1; }
  double memoryless_loss() const override { return 1.0 / 6; }
  std::vector<Batch> test() const override { return test_batches(*this); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    Batch batch{.x = Tensor::zeros({length_ * sequences, 2}), .sequences = sequences};
    batch.values = Tensor::zeros({sequences, 1});
    const auto half = static_cast<uint64_t>(length_ / 2);
    for (int64_t n = 0; n < sequences; ++n) {
      const Stream stream = stream_of(seed, update).sub(static_cast<uint64_t>(n));
      const auto element = [&](int64_t t) { return batch.x.data<float>() + (t * sequences + n) * 2; };
      for (int64_t t = 0; t < length_; ++t) *element(t) = stream.uniform(static_cast<uint64_t>(t));
      const Stream marks = stream.sub(1);
      const int64_t places[] = {
          static_cast<int64_t>(marks.below(0, half)),
          static_cast<int64_t>(half + marks.below(1, static_cast<uint64_t>(length_) - half))};
      for (const int64_t t : places) {
        element(t)[1] = 1;
        batch.values.data<float>()[n] += *element(t);
      }
    }
    return batch;
  }

 private:
  int64_t length_;
};

class Noise final : public Problem {
 public:
  Noise(int64_t length, int64_t inputs) : length_(length), inputs_(inputs) {}
  std::string name() const override { return "noise"; }
  int64_t inputs() const override { return inputs_; }
  int64_t outputs() const override { return 1; }
  double memoryless_loss() const override { return 1; }
  std::vector<Batch> test() const override { return test_batches(*this); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    Batch batch{.x = Tensor({length_ * sequences, inputs_}), .sequences = sequences};
    batch.values = Tensor({sequences, 1});
    initialize_normal(batch.x, 0, 1, stream_of(seed, update).sub(0));
    initialize_normal(batch.values, 0, 1, stream_of(seed, update).sub(1));
    return batch;
  }

 private:
  int64_t length_, inputs_;
};

// Inputs: 0 is blank, 1 to 8 are the symbols, 9 asks for them.
class Copy final : public Problem {
 public:
  explicit Copy(int64_t length) : length_(length) {}
  std::string name() const override { return "copy"; }
  int64_t inputs() const override { return 10; }
  int64_t outputs() const override { return 9; }
  double memoryless_loss() const override {
    return kSymbols * std::log(8.0) / static_cast<double>(length_ + 2 * kSymbols);
  }
  std::vector<Batch> test() const override { return test_batches(*this); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    const int64_t steps = length_ + 2 * kSymbols;
    Batch batch{.x = Tensor::zeros({steps * sequences, inputs()}), .sequences = sequences};
    batch.classes.assign(static_cast<size_t>(steps * sequences), 0);
    for (int64_t n = 0; n < sequences; ++n) {
      const Stream stream = stream_of(seed, update).sub(static_cast<uint64_t>(n));
      for (int64_t t = 0; t < steps; ++t) {
        int32_t symbol = t == kSymbols + length_ - 1 ? 9 : 0;
        if (t < kSymbols) {
          symbol = 1 + static_cast<int32_t>(stream.below(static_cast<uint64_t>(t), 8));
          batch.classes[static_cast<size_t>((length_ + kSymbols + t) * sequences + n)] = symbol;
        }
        batch.x.data<float>()[(t * sequences + n) * inputs() + symbol] = 1;
      }
    }
    return batch;
  }

 private:
  static constexpr int64_t kSymbols = 10;
  int64_t length_;
};

}  // namespace

std::unique_ptr<Problem> make_adding(int64_t length) { return std::make_unique<Adding>(length); }
std::unique_ptr<Problem> make_noise(int64_t length, int64_t inputs) {
  return std::make_unique<Noise>(length, inputs);
}
std::unique_ptr<Problem> make_copy(int64_t length) { return std::make_unique<Copy>(length); }

}  // namespace rondo::diagnostics
