// Initial weights, each number by counter from the parameter's own stream.
#pragma once

#include "base/random.h"
#include "tensor/tensor.h"

namespace rondo {

/// Whose rules the initial weights follow; semantics are in RecurrentStack, Embedding and Linear.
enum class Initialization { kTorch, kKeras };

/// Uniform in [low, high).
void initialize_uniform(const Tensor& tensor, double low, double high, const Stream& stream);
void initialize_normal(const Tensor& tensor, double mean, double deviation, const Stream& stream);
/// U(+-sqrt(6 / (fan_in + fan_out))).  Source: Glorot & Bengio 2010.
void initialize_glorot(const Tensor& tensor, int64_t fan_in, int64_t fan_out, const Stream& stream);
/// Orthonormal columns [rows, columns], rows >= columns: Gram-Schmidt over normal numbers.  Source: Saxe et
/// al. 2013.
void initialize_orthogonal(const Tensor& tensor, const Stream& stream);

}  // namespace rondo
