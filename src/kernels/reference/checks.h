// What a kernel demands of its operands, checked at the boundary before anything is written.
//   const Checks checks("product", p.a.type);  checks.shape("c", p.c, m, n);
#pragma once

#include <cstdint>
#include <span>

#include "kernels/array.h"
#include "kernels/packed_rows.h"
#include "kernels/recurrent.h"

namespace rondo {
struct Product;
}

namespace rondo::reference {

class Checks {
 public:
  /// @param type  the scalar type that every operand must have.
  Checks(const char* kernel, DType type) : kernel_(kernel), type_(type) {}

  /// @throws ShapeError unless `m` is [rows, columns] of the kernel's type (`product: b must be [4, 3]
  /// float32, got [3, 4] float32`). A matrix without elements needs no address.
  void shape(const char* name, const ConstMatrix& m, int64_t rows, int64_t columns) const;
  void shape(const char* name, const ConstMatrix& m, int64_t rows, int64_t columns, DType type) const;
  /// The same for an operand that may be left out.
  void optional(const char* name, const ConstMatrix& m, int64_t rows, int64_t columns) const;

  /// @throws ShapeError unless the counts of steps fall, none is above the number of sequences.
  void packed(const PackedRows& rows) const;
  /// @throws ShapeError unless there are `count` ids, each in 0 .. bound-1.
  void ids(const char* name, std::span<const int32_t> ids, int64_t count, int64_t bound) const;

 private:
  const char* kernel_;
  DType type_;
};

/// @throws ShapeError unless the operands fit, or if both bias and accumulate are asked for.
void check_product(const Product& p);
/// @throws ShapeError unless every operand of the pass fits its kind and rows.
void check_recurrent(const RecurrentForward& pass);
void check_recurrent(const RecurrentBackward& pass);

void check_softmax(ConstMatrix logits, std::span<const int32_t> targets, Matrix probabilities, Matrix losses);
void check_softmax_backward(ConstMatrix probabilities, std::span<const int32_t> targets, ConstMatrix d_losses,
                            Matrix d_logits);
void check_attend(const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights, Matrix y);
void check_attend_backward(const PackedRows& rows, ConstMatrix weights, ConstMatrix x, ConstMatrix d_y,
                           Matrix d_scores, Matrix d_x);

}  // namespace rondo::reference
