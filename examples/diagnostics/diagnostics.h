// Small problems that show what a recurrent cell can carry over how many steps: adding, copy memory, MNIST by
// rows, and those of the Grid LSTM's paper, parity, addition and memorisation. An example of the library's
// layers without a corpus, and slow tests of it.
//   auto problem = make_adding(100);
//   std::vector<Point> curve = run(*problem, {.updates = 4000}, *open_device("cpu"), [](const Point&) {});
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "layers/recurrent_options.h"
#include "tensor/packing.h"
#include "training/optimizer.h"
#include "training/schedule.h"

namespace rondo::diagnostics {

/// Where the weights that read the state begin: drawn by the rule of --init, or one of these instead.
enum class FirstWeights { kDrawn, kOrthogonal, kIdentity };

}  // namespace rondo::diagnostics

namespace rondo {

template <>
inline constexpr auto kNames<diagnostics::FirstWeights> =
    std::array{std::pair{diagnostics::FirstWeights::kDrawn, "drawn"},
               std::pair{diagnostics::FirstWeights::kOrthogonal, "orthogonal"},
               std::pair{diagnostics::FirstWeights::kIdentity, "identity"}};

}  // namespace rondo

namespace rondo::diagnostics {

/// Sequences of one length. Either `values` are to be told at the end of each (a number), or `classes`: at
/// its end, or, where there are as many as rows, at every step, or at the rows `answers`.
struct Batch {
  Tensor x;  ///< [steps*N, inputs], all first steps first
  int64_t sequences = 0;
  std::vector<int32_t> classes;
  std::vector<int32_t> answers = {};  ///< the row of x that each class is told at
  Tensor values;                      ///< [N, 1]
};

class Problem {
 public:
  virtual ~Problem() = default;
  virtual std::string name() const = 0;
  virtual int64_t inputs() const = 0;
  virtual int64_t outputs() const = 0;
  /// What update number `update` of a run with this seed learns from.
  virtual Batch training(uint64_t seed, int64_t update, int64_t sequences) const = 0;
  /// The same for every run.
  virtual std::vector<Batch> test() const = 0;
  /// The test loss of the best answer that remembers nothing.
  virtual double memoryless_loss() const = 0;
};

/// The sum of the two marked ones of `length` numbers in [0, 1), one mark in each half; squared error.
/// Memoryless: always 1, at 1/6.
/// Source: Hochreiter & Schmidhuber 1997, in the form of Arjovsky, Shah & Bengio 2016.
std::unique_ptr<Problem> make_adding(int64_t length);

/// `length` times `inputs` numbers from N(0, 1), and another one is wanted: nothing to learn, for gradients
/// at first weights. Squared error; memoryless: 1.
std::unique_ptr<Problem> make_noise(int64_t length, int64_t inputs);

/// Ten symbols of eight, to be repeated `length` steps later when a marker asks for them; cross-entropy a
/// step over all length + 20. Memoryless: 10 ln 8 / (length + 20). Source: as adding.
std::unique_ptr<Problem> make_copy(int64_t length);

/// `length` symbols of `symbols`, then as many blanks and one, and the symbols are wanted again, in their
/// order, while the last of the blanks are read. Cross-entropy of the answers; memoryless: ln symbols.
std::unique_ptr<Problem> make_memorisation(int64_t length, int64_t symbols);

/// Two numbers of so many digits, digit by digit with a bar before each, then a bar, and the sum is wanted,
/// one digit more, the highest first; what was told is not fed back. Memoryless: ln 10 at most.
std::unique_ptr<Problem> make_addition(int64_t digits);

/// A string of `length` bits read in one step, and whether the number of ones is odd. Memoryless: ln 2.
std::unique_ptr<Problem> make_parity(int64_t length);

/// Handwritten digits read row by row: 28 steps of 28; cross-entropy. Memoryless: ln 10.
/// @param folder  with the four idx files of MNIST, gzipped.  @throws DataError; IoError.
std::unique_ptr<Problem> make_mnist(const std::string& folder);

struct Options {
  Cell cell = Cell::kLstm;
  Nonlinearity nonlinearity = Nonlinearity::kTanh;
  Reset reset = Reset::kAfter;
  bool peepholes = false;
  bool coupled = false;
  Ablation without = Ablation::kNone;
  int64_t hidden = 64;
  int64_t layers = 1;
  GridOptions grid;
  int64_t updates = 4000;
  int64_t batch = 50;
  OptimizerRule optimizer = OptimizerRule::kAdam;
  double lr = 2e-3;
  double clip = 1;
  double forget_bias = 1;
  Initialization init = Initialization::kTorch;
  FirstWeights recurrent = FirstWeights::kDrawn;
  double recurrent_scale = 1;
  int64_t evaluate_every = 500;
  double until = 2;
  int64_t seed = 1;
  ScheduleOptions schedule;

  template <class Visitor>
  void visit(Visitor& v) {
    v("cell", cell, "recurrent cell");
    v("nonlinearity", nonlinearity, "of cell rnn");
    v("reset", reset, "cell gru: reset gate after the recurrent product or before it");
    v("peepholes", peepholes, "cell lstm: gates see the cell state");
    v("coupled", coupled, "cell lstm: input gate = 1 - forget gate; cell gru: reset gate = 1 - update gate");
    v("without", without, "cell lstm: a gate that is 1, a tanh that is left out");
    v("hidden", hidden, "units", Range{1, 65536});
    v("layers", layers, "recurrent layers", Range{1, 1000});
    grid.visit(v);
    v("optimizer", optimizer, "rule by which gradients change the parameters");
    v("updates", updates, "updates at most", Range{1, 1e9});
    v("batch", batch, "sequences an update", Range{1, 1e6});
    v("lr", lr, "learning rate", Range{0, 1e3});
    v("clip", clip, "norm above which gradients are scaled down; 0: never", Range{0, 1e9});
    v("forget-bias", forget_bias, "initial forget bias (lstm and grid; init keras adds 1)", Range{-100, 100});
    v("init", init, "first weights: torch (uniform), keras (orthogonal where the state is read)");
    v("recurrent", recurrent, "first weights that read the state (cell rnn: orthogonal, identity)");
    v("recurrent-scale", recurrent_scale, "what they are multiplied by (not grid)", Range{0, 100});
    v("evaluate-every", evaluate_every, "updates between figures", Range{1, 1e9});
    v("until", until, "share of right answers that ends the run; above 1: never", Range{0, 2});
    v("seed", seed, "of weights and data", Range{0, 9e15});
    schedule.visit(v);
  }

  /// @throws ConfigError for first weights that the cell has not.
  void check() const {
    refuse_without_effect(recurrent != FirstWeights::kDrawn && cell != Cell::kRnn, "recurrent", "--cell rnn");
    refuse_without_effect(recurrent_scale != 1 && cell == Cell::kGrid, "recurrent-scale",
                          "--cell rnn, lstm or gru");
  }
};

/// A figure of the curve.
struct Point {
  int64_t update = 0;
  double loss = 0;      ///< on the test sequences
  double accuracy = 0;  ///< share of them that is right (adding: within 0.04; copy: of the symbols repeated)
};

/// Trains a recurrent stack with a linear layer on it; `tell` hears each point as it comes.
/// @return the curve; its last point is after the last update, or the first that is right often enough.
std::vector<Point> run(const Problem& problem, const Options& options, Backend& backend,
                       const std::function<void(const Point&)>& tell);

}  // namespace rondo::diagnostics
