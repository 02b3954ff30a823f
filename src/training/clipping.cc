#include "training/clipping.h"

#include <algorithm>
#include <cmath>

namespace rondo {

double gradient_norm(Backend& backend, const ParameterSet& parameters) {
  double sum = 0;
  for (const Parameter& parameter : parameters.all()) {
    if (!parameter.learns()) continue;
    const Tensor& gradient = parameter.sparse ? parameter.row_gradient.values : parameter.gradient;
    if (gradient.size() > 0) sum += backend.sum_of_squares(gradient.matrix());
  }
  return std::sqrt(sum);
}

double clip_scale(double norm, double limit) {
  return limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0;
}

}  // namespace rondo
