// The problems of the Grid LSTM's paper (Kalchbrenner, Danihelka & Graves 2015, section 4): parity, addition
// and memorisation, with fresh strings for every update.
#include <cmath>

#include "base/random.h"
#include "diagnostics/diagnostics.h"

namespace rondo::diagnostics {

namespace {

constexpr uint64_t kTestSeed = 0x7E57;  // no run's: training() mixes in the update from 1
constexpr int64_t kTestBatches = 10;
constexpr int64_t kTestSequences = 100;

Stream stream_of(uint64_t seed, int64_t update, int64_t sequence) {
  return Stream(seed, {13, static_cast<uint64_t>(update)}).sub(static_cast<uint64_t>(sequence));
}

// Unit vectors step by step, and what is to be told at some steps.
class Strings {
 public:
  Strings(int64_t steps, int64_t sequences, int64_t inputs)
      : batch_{.x = Tensor::zeros({steps * sequences, inputs}), .sequences = sequences}, inputs_(inputs) {}

  void show(int64_t step, int64_t sequence, int64_t symbol) {
    batch_.x.data<float>()[row(step, sequence) * inputs_ + symbol] = 1;
  }
  void ask(int64_t step, int64_t sequence, int64_t answer) {
    batch_.answers.push_back(static_cast<int32_t>(row(step, sequence)));
    batch_.classes.push_back(static_cast<int32_t>(answer));
  }
  Batch take() { return std::move(batch_); }

 private:
  int64_t row(int64_t step, int64_t sequence) const { return step * batch_.sequences + sequence; }
  Batch batch_;
  int64_t inputs_;
};

class GridProblem : public Problem {
 public:
  std::vector<Batch> test() const override {
    std::vector<Batch> batches;
    for (int64_t i = 0; i < kTestBatches; ++i) batches.push_back(training(kTestSeed, -1 - i, kTestSequences));
    return batches;
  }
};

// Inputs: the symbols, and behind them the blank.
class Memorisation final : public GridProblem {
 public:
  Memorisation(int64_t length, int64_t symbols) : length_(length), symbols_(symbols) {}
  std::string name() const override { return "memorisation"; }
  int64_t inputs() const override { return symbols_ + 1; }
  int64_t outputs() const override { return symbols_; }
  double memoryless_loss() const override { return std::log(static_cast<double>(symbols_)); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    Strings strings(2 * length_ + 1, sequences, inputs());
    for (int64_t n = 0; n < sequences; ++n) {
      const Stream stream = stream_of(seed, update, n);
      for (int64_t i = 0; i < length_; ++i) {
        const auto symbol =
            static_cast<int64_t>(stream.below(static_cast<uint64_t>(i), static_cast<uint64_t>(symbols_)));
        strings.show(i, n, symbol);
        strings.ask(length_ + 1 + i, n, symbol);
        strings.show(length_ + 1 + i, n, symbols_);
      }
      strings.show(length_, n, symbols_);
    }
    return strings.take();
  }

 private:
  int64_t length_, symbols_;
};

// Inputs: ten digits, and the bar that stands before each number and while the sum is told.
class Addition final : public GridProblem {
 public:
  explicit Addition(int64_t digits) : digits_(digits) {}
  std::string name() const override { return "addition"; }
  int64_t inputs() const override { return 11; }
  int64_t outputs() const override { return 10; }
  double memoryless_loss() const override { return std::log(10.0); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    const int64_t first_answer = 2 * (digits_ + 1) + 1;
    Strings strings(first_answer + digits_ + 1, sequences, inputs());
    for (int64_t n = 0; n < sequences; ++n) {
      const std::vector<int64_t> a = number(stream_of(seed, update, n).sub(0));
      const std::vector<int64_t> b = number(stream_of(seed, update, n).sub(1));
      strings.show(0, n, kBar);
      strings.show(digits_ + 1, n, kBar);
      strings.show(first_answer - 1, n, kBar);
      for (int64_t i = 0; i < digits_; ++i) {
        strings.show(1 + i, n, a[static_cast<size_t>(i)]);
        strings.show(digits_ + 2 + i, n, b[static_cast<size_t>(i)]);
      }
      const std::vector<int64_t> sum = sum_of(a, b);
      for (int64_t i = 0; i <= digits_; ++i) {
        strings.show(first_answer + i, n, kBar);
        strings.ask(first_answer + i, n, sum[static_cast<size_t>(i)]);
      }
    }
    return strings.take();
  }

 private:
  static constexpr int64_t kBar = 10;

  // Digits, the highest first; that is not 0.
  std::vector<int64_t> number(const Stream& stream) const {
    std::vector<int64_t> digits;
    for (int64_t i = 0; i < digits_; ++i) {
      const uint64_t lowest = i == 0 ? 1 : 0;
      digits.push_back(static_cast<int64_t>(lowest + stream.below(static_cast<uint64_t>(i), 10 - lowest)));
    }
    return digits;
  }

  // One digit more, the highest first.
  static std::vector<int64_t> sum_of(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
    std::vector<int64_t> sum(a.size() + 1);
    int64_t carry = 0;
    for (size_t i = a.size(); i-- > 0;) {
      const int64_t total = a[i] + b[i] + carry;
      sum[i + 1] = total % 10;
      carry = total / 10;
    }
    sum[0] = carry;
    return sum;
  }

  int64_t digits_;
};

// One step whose input is the whole string.
class Parity final : public GridProblem {
 public:
  explicit Parity(int64_t length) : length_(length) {}
  std::string name() const override { return "parity"; }
  int64_t inputs() const override { return length_; }
  int64_t outputs() const override { return 2; }
  double memoryless_loss() const override { return std::log(2.0); }

  Batch training(uint64_t seed, int64_t update, int64_t sequences) const override {
    Batch batch{.x = Tensor({sequences, length_}), .sequences = sequences};
    for (int64_t n = 0; n < sequences; ++n) {
      const Stream stream = stream_of(seed, update, n);
      int32_t parity = 0;
      for (int64_t i = 0; i < length_; ++i) {
        const auto bit = static_cast<int32_t>(stream.below(static_cast<uint64_t>(i), 2));
        batch.x.data<float>()[n * length_ + i] = static_cast<float>(bit);
        parity ^= bit;
      }
      batch.classes.push_back(parity);
    }
    return batch;
  }

 private:
  int64_t length_;
};

}  // namespace

std::unique_ptr<Problem> make_memorisation(int64_t length, int64_t symbols) {
  return std::make_unique<Memorisation>(length, symbols);
}
std::unique_ptr<Problem> make_addition(int64_t digits) { return std::make_unique<Addition>(digits); }
std::unique_ptr<Problem> make_parity(int64_t length) { return std::make_unique<Parity>(length); }

}  // namespace rondo::diagnostics
