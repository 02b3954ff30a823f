// A recurrent stack with a linear layer on it: the network of every diagnostic, and how it is trained.
//   Network network(*problem, options);  Variable y = network.forward(tape, batch);
//   tape.backward(loss_of(y, batch));
#pragma once

#include <functional>
#include <vector>

#include "diagnostics/diagnostics.h"
#include "layers/linear.h"
#include "layers/recurrent.h"

namespace rondo::diagnostics {

class Network {
 public:
  /// With its first weights, which options.seed determines.
  Network(const Problem& problem, const Options& options);
  ParameterSet& parameters() { return parameters_; }

  /// [N, outputs], or [rows, outputs] where the batch wants an answer at every step.
  /// @param traces  or null: where what the layers did is put, when the tape is tracing.
  Variable forward(Tape& tape, const Batch& batch, std::vector<RecurrentTrace>* traces = nullptr) const;

 private:
  ParameterSet parameters_;
  RecurrentStack recurrent_;
  Linear linear_;
};

/// What the batch asks for, as one number [1].
Variable loss_of(const Variable& y, const Batch& batch);

/// Loss and share of right answers on the test sequences.
Point measure(const Network& network, const std::vector<Batch>& test, Backend& backend);

/// Updates the network; `tell` hears each point as it comes. @return as run().
std::vector<Point> train(Network& network, const Problem& problem, const Options& options, Backend& backend,
                         const std::function<void(const Point&)>& tell);

}  // namespace rondo::diagnostics
