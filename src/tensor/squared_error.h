// The mean squared error, for outputs that are numbers.
//   Variable loss = mean_squared_error(linear.forward(state), targets);  tape.backward(loss);
#pragma once

#include "tensor/tape.h"

namespace rondo {

/// mean over all elements of (y - targets)^2.  y and targets of one shape -> [1]; differentiable in y.
/// @throws ShapeError if the shapes differ or there is no element.
Variable mean_squared_error(const Variable& y, const Tensor& targets);

}  // namespace rondo
