// Grid LSTMs written down once more, number by number in double as the paper prints them: what the layers are
// held against. It shares no code with them.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "layers/grid_block.h"

namespace rondo {

using Numbers = std::vector<double>;

struct OracleBlock {
  std::vector<Numbers> h, m;  ///< one a dimension; m empty without cells
};

class GridOracle {
 public:
  GridOracle(const ParameterSet& set, const GridShape& shape) : shape_(shape) {
    for (const Parameter& parameter : set.all()) parameters_[parameter.name] = &parameter.value;
  }

  /// h and m at the bottom of depth.
  std::pair<Numbers, Numbers> project(const Numbers& x) const {
    const Numbers both = affine("input", 0, x);
    const auto middle = both.begin() + shape_.hidden;
    return {Numbers(both.begin(), middle), Numbers(middle, both.end())};
  }

  OracleBlock block(int64_t layer, const OracleBlock& in) const {
    OracleBlock out = in;
    for (int64_t i = 0; i < shape_.dimensions(); ++i) {
      if (i != shape_.priority) transform(layer, i, in.h, in, out);
    }
    if (shape_.priority >= 0) transform(layer, shape_.priority, std::vector<Numbers>(out.h), in, out);
    return out;
  }

 private:
  Numbers affine(const std::string& name, int64_t layer, const Numbers& x) const {
    const std::string end = "_l" + std::to_string(shape_.tied_layers ? 0 : layer) + shape_.suffix;
    const Tensor& w = *parameters_.at("grid.weight_" + name + end);
    const Tensor& b = *parameters_.at("grid.bias_" + name + end);
    Numbers y;
    for (int64_t r = 0; r < w.dim(0); ++r) {
      double sum = b.at(r);
      for (size_t k = 0; k < x.size(); ++k) sum += w.at(r * w.dim(1) + static_cast<int64_t>(k)) * x[k];
      y.push_back(sum);
    }
    return y;
  }

  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  void transform(int64_t layer, int64_t i, const std::vector<Numbers>& seen, const OracleBlock& in,
                 OracleBlock& out) const {
    static const char* const kNames[3][3] = {{"depth"}, {"depth", "time"}, {"depth", "row", "column"}};
    Numbers H;
    for (const Numbers& h : seen) H.insert(H.end(), h.begin(), h.end());
    const Numbers a = affine(kNames[shape_.dimensions() - 1][i], layer, H);
    const auto d = static_cast<size_t>(shape_.hidden);
    const Along along = shape_.along[static_cast<size_t>(i)];
    for (size_t j = 0; j < d; ++j) {
      double& h = out.h[static_cast<size_t>(i)][j];
      if (along != Along::kLstm) {
        h = along == Along::kTanh ? std::tanh(a[j]) : along == Along::kRelu ? std::max(a[j], 0.0) : a[j];
        continue;
      }
      const double u = sigmoid(a[j]), f = sigmoid(a[d + j]), g = std::tanh(a[2 * d + j]),
                   o = sigmoid(a[3 * d + j]);
      double& m = out.m[static_cast<size_t>(i)][j];
      m = f * in.m[static_cast<size_t>(i)][j] + u * g;
      h = shape_.output_gate == OutputGate::kInside ? std::tanh(o * m) : o * std::tanh(m);
    }
  }

  GridShape shape_;
  std::map<std::string, const Tensor*> parameters_;
};

}  // namespace rondo
