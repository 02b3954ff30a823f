// A peer of the benchmark: one program that answers bench/run line by line, in JSON on standard input and
// output.
//   {"do": "prepare", "case": {...}, "inputs": "FILE"}  ->  {"ok": true}, or {"ok": false, "why": "..."}
//   {"do": "check", "outputs": "FILE"}                  ->  writes what one pass gives
//   {"do": "time", "seconds": 0.05}                     ->  {"seconds": of one call, "calls": how many}
// bench/suite/cases.py says what a case is and bench/suite/inputs.py how both files lie in memory.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace rondo::bench {

/// One row of the table: a recurrent stack over a batch.
struct Case {
  std::string name, kind, cell, mode, precision, variant;
  int64_t hidden = 0, input = 0, batch = 0, steps = 0, layers = 1, directions = 1;
  int64_t vocabulary = 0, classes = 0;  ///< of a lesson
  std::vector<int64_t> lengths;         ///< falling; the longest is `steps`
  int threads = 1;

  bool training() const { return mode == "train"; }
  /// One call a step, the state carried by the caller.
  bool streaming() const { return mode == "stream"; }
  int64_t gates() const { return cell == "rnn" ? 1 : cell == "gru" ? 3 : 4; }
  int64_t output() const { return directions * hidden; }
  int64_t input_of(int64_t layer) const { return layer == 0 ? input : output(); }
  /// Numbers of weights and biases of one direction of a layer.
  int64_t weights_of(int64_t layer) const { return gates() * hidden * (input_of(layer) + hidden + 2); }
};

Case read_case(const nlohmann::json& json);

/// Parameters of one direction, with PyTorch's layout and order of gates.
struct Weights {
  float *w_ih, *w_hh, *b_ih, *b_hh;
};

/// The file of random numbers that all peers work on.
struct Inputs {
  std::vector<float> values;
  std::vector<Weights> weights;  ///< index layer*directions + direction
  float* x = nullptr;            ///< [T, B, I], zeros behind a sequence's end
  float* d_y = nullptr;          ///< [T, B, directions*H], zeros behind a sequence's end
};

std::vector<float> read_floats(const std::string& path);
void write_floats(const std::string& path, std::span<const float> values);
Inputs read_inputs(const Case& c, const std::string& path);
/// Where the weights of each direction stand in a run of numbers that begins at `values`.
std::vector<Weights> lay_out_weights(const Case& c, float* values);

class Peer {
 public:
  virtual ~Peer() = default;
  /// @throws std::runtime_error for a case that this peer cannot run.
  virtual void prepare(const Case& c, const std::string& inputs) = 0;
  virtual void run() = 0;
  /// y [T, B, directions*H]; training adds d_x [T, B, I] and the gradients of the weights as they are laid
  /// out.
  virtual std::vector<float> outputs() = 0;
  virtual nlohmann::json versions() const = 0;
  /// GF/s of one thread at most, or 0 where this peer does not know.
  virtual double peak(const std::string& precision);
};

/// Answers until standard input ends.
int serve(Peer& peer);

}  // namespace rondo::bench
