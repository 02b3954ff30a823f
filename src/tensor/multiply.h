// The product of two values element by element: gates that are no part of a cell, and masks.
//   Variable shown = multiply(context, gate);   // both [N, D]
#pragma once

#include "tensor/tape.h"

namespace rondo {

/// y = a * b, elementwise.  @throws ShapeError if their shapes differ.
Variable multiply(const Variable& a, const Variable& b);

/// y[r, c] = x[r, c] * factors[r, 0].  x [R, D], factors [R, 1].  @throws ShapeError for another R.
Variable multiply_rows(const Variable& x, const Variable& factors);

}  // namespace rondo
