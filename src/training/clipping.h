// The norm of all gradients together, and what to multiply them by so that it stays below a limit.
//   double norm = gradient_norm(backend, parameters);  double scale = clip_scale(norm, 1.0);
#pragma once

#include "kernels/backend.h"
#include "tensor/parameter.h"

namespace rondo {

/// sqrt(sum of g^2) over every parameter that learns, those of rows included; in double, parameters in their
/// order, so the same for any number of threads. Infinite or NaN where a gradient is.
double gradient_norm(Backend& backend, const ParameterSet& parameters);

/// min(1, limit / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_; 1 where limit is 0 (no clipping).
/// Source: Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks".
double clip_scale(double norm, double limit);

}  // namespace rondo
