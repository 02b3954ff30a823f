#include "layers/linear_cross_entropy.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {

namespace {

// Whole tiles of the product and, for bfloat16, whole pairs of its sums over rows: the sums of one product
// over all rows.
int64_t block_rows(int64_t vocabulary) {
  constexpr int64_t kTile = 8;
  const int64_t row_bytes = static_cast<int64_t>(sizeof(float)) * std::max<int64_t>(vocabulary, 1);
  const int64_t rows = std::max<int64_t>(1, kLogitBytes / row_bytes);
  return rows < kTile ? rows : rows / kTile * kTile;
}

// One block of rows of a pass: their logits, probabilities and gradients by the logits, one in the other's
// place.
struct Block {
  int64_t first, rows;
  std::span<const int32_t> targets;
  Matrix logits;
};

// A block's elements as rows of one column, and where the targets stand among them.
Matrix elements_of(const Block& block) {
  return {block.logits.data, block.logits.type, block.logits.size(), 1, 1};
}
std::vector<int32_t> targets_in(const Block& block) {
  std::vector<int32_t> at(static_cast<size_t>(block.rows));
  for (size_t r = 0; r < at.size(); ++r) {
    at[r] = static_cast<int32_t>(static_cast<int64_t>(r) * block.logits.columns + block.targets[r]);
  }
  return at;
}

// What smoothing adds to the loss of each row: smoothing * (x[target] - mean of x), x its logits.
Tensor smoothing_part(Backend& backend, const Block& block, double smoothing) {
  Tensor part({block.rows, 1}, block.logits.type);
  backend.gather_rows(elements_of(block), targets_in(block), part.matrix());
  Tensor share({1, block.logits.columns}, block.logits.type);
  share.fill(-1.0 / static_cast<double>(block.logits.columns));
  backend.product(
      {.a = block.logits, .b = share.matrix(), .c = part.matrix(), .transpose_b = true, .accumulate = true});
  backend.scale(part.matrix(), smoothing);
  return part.reshape({1, block.rows});
}

/// Calls body(Block) for each block of rows, the probabilities and the losses made.
template <class Body>
void each_block(Backend& backend, const Product& logits, std::span<const int32_t> targets, Matrix losses,
                double smoothing, const Body& body) {
  const int64_t rows = logits.a.rows, vocabulary = logits.b.rows;
  const Tensor buffer({std::min(block_rows(vocabulary), std::max<int64_t>(rows, 1)), vocabulary},
                      logits.a.type);
  for (int64_t first = 0; first < rows; first += buffer.dim(0)) {
    const int64_t count = std::min(buffer.dim(0), rows - first);
    const Block block{.first = first,
                      .rows = count,
                      .targets = targets.subspan(static_cast<size_t>(first), static_cast<size_t>(count)),
                      .logits = buffer.matrix().rows_at(0, count)};
    Product part = logits;
    part.a = logits.a.rows_at(first, count);
    part.c = block.logits;
    backend.product(part);
    const Tensor more = smoothing > 0 ? smoothing_part(backend, block, smoothing) : Tensor();
    backend.softmax_cross_entropy(block.logits, block.targets, block.logits, losses.columns_at(first, count));
    if (more) backend.copy(more.matrix(), losses.columns_at(first, count), true);
    body(block);
  }
}

Product logits_of(const LinearCrossEntropy& pass) {
  return {.a = pass.x.matrix(),
          .b = pass.w.matrix(),
          .bias = pass.b.matrix(),
          .transpose_b = true,
          .precision = pass.precision};
}

void check(ConstMatrix x, ConstMatrix w, std::span<const int32_t> targets) {
  if (x.columns != w.columns) {
    throw_error<ShapeError>("linear_cross_entropy: x must be [R, {}], got [{}, {}]", w.columns, x.rows,
                            x.columns);
  }
  if (static_cast<int64_t>(targets.size()) != x.rows) {
    throw_error<ShapeError>("linear_cross_entropy: {} targets for {} rows", targets.size(), x.rows);
  }
}

// What the forward pass leaves for the backward pass; an empty one is not wanted.
struct Kept {
  Tensor x, w, b;
};

Kept make_kept(const LinearCrossEntropy& pass) {
  const bool records = pass.x.tape().options().recording;
  const auto zeros = [&](const Variable& variable) {
    if (!records || !variable.needs_gradient()) return Tensor();
    return Tensor::zeros(variable.shape(), variable.value().type());
  };
  return {zeros(pass.x), zeros(pass.w), zeros(pass.b)};
}

// d_logits = scale * (probabilities - (1 - smoothing) [k == target] - smoothing / V), in their place.
void softmax_gradient(Backend& backend, const Block& block, double scale, double smoothing) {
  Tensor shares({block.rows, 1}, block.logits.type);
  shares.fill(smoothing - 1);
  backend.scatter_add_rows(shares.matrix(), targets_in(block), elements_of(block));
  if (smoothing > 0) {
    shares.fill(1);
    Tensor all({1, block.logits.columns}, block.logits.type);
    all.fill(-smoothing / static_cast<double>(block.logits.columns));
    backend.product({.a = shares.matrix(), .b = all.matrix(), .c = block.logits, .accumulate = true});
  }
  backend.scale(block.logits, scale);
}

void add_gradients(Backend& backend, const LinearCrossEntropy& pass, const Block& block, const Kept& kept) {
  if (!kept.x && !kept.w && !kept.b) return;
  softmax_gradient(backend, block, pass.scale, pass.smoothing);
  if (kept.x) {
    backend.product({.a = block.logits,
                     .b = pass.w.matrix(),
                     .c = kept.x.matrix().rows_at(block.first, block.rows),
                     .precision = pass.precision});
  }
  if (kept.w) {
    backend.product({.a = block.logits,
                     .b = pass.x.matrix().rows_at(block.first, block.rows),
                     .c = kept.w.matrix(),
                     .transpose_a = true,
                     .accumulate = true,
                     .precision = pass.precision});
  }
  if (kept.b) backend.add_column_sums(block.logits, kept.b.matrix());
}

Tensor scaled_sum(Backend& backend, const Tensor& values, double scale) {
  Tensor weights(values.shape(), values.type());
  weights.fill(scale);
  Tensor total({1, 1}, values.type());
  backend.product({.a = values.matrix(), .b = weights.matrix(), .c = total.matrix(), .transpose_b = true});
  return total.reshape({1});
}

void give(Backend& backend, const Gradients& g, size_t i, const Tensor& gradient) {
  if (!gradient) return;
  if (g.scalar() != 1) backend.scale(gradient.matrix(), g.scalar());
  g.give(i, gradient, backend);
}

}  // namespace

Variable linear_cross_entropy(const LinearCrossEntropy& pass) {
  check(pass.x.matrix(), pass.w.matrix(), pass.targets);
  Tape& tape = pass.x.tape();
  Backend& backend = tape.backend();
  const Tensor losses({1, pass.x.matrix().rows}, pass.x.value().type());
  const Kept kept = make_kept(pass);
  each_block(backend, logits_of(pass), pass.targets, losses.matrix(), pass.smoothing,
             [&](const Block& block) { add_gradients(backend, pass, block, kept); });
  return tape.make_result(scaled_sum(backend, losses, pass.scale), {pass.x, pass.w, pass.b},
                          [&backend, kept](const Gradients& g) {
                            give(backend, g, 0, kept.x);
                            give(backend, g, 1, kept.w);
                            give(backend, g, 2, kept.b);
                          });
}

void linear_cross_entropies(Backend& backend, const Product& logits, std::span<const int32_t> targets,
                            Matrix losses) {
  check(logits.a, logits.b, targets);
  each_block(backend, logits, targets, losses, 0, [](const Block&) {});
}

void linear_log_probabilities(Backend& backend, const Product& logits) {
  backend.product(logits);
  const int64_t most = std::min(block_rows(logits.c.columns), std::max<int64_t>(logits.c.rows, 1));
  const Tensor probabilities({most, logits.c.columns}, logits.c.type);
  const Tensor losses({1, most}, logits.c.type);
  const std::vector<int32_t> targets(static_cast<size_t>(most), 0);
  const Tensor minus_ones({1, logits.c.columns}, logits.c.type);
  minus_ones.fill(-1);
  for (int64_t first = 0; first < logits.c.rows; first += most) {
    const int64_t rows = std::min(most, logits.c.rows - first);
    const Matrix block = logits.c.rows_at(first, rows);
    const Matrix loss = losses.matrix().columns_at(0, rows);
    backend.softmax_cross_entropy(block, std::span(targets).first(static_cast<size_t>(rows)),
                                  probabilities.matrix().rows_at(0, rows), loss);
    // log sum exp(x) = loss of column 0 + x[0]; taken from every column.
    const Matrix column{loss.data, loss.type, rows, 1, 1};
    backend.copy(block.columns_at(0, 1), column, true);
    backend.product({.a = column, .b = minus_ones.matrix(), .c = block, .accumulate = true});
  }
}

}  // namespace rondo
