#include "layers/embedding.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {

namespace {

std::vector<int32_t> distinct(std::span<const int32_t> ids) {
  std::vector<int32_t> rows(ids.begin(), ids.end());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

// Position of each id in `rows`, which holds every one of them.
std::vector<int32_t> positions(std::span<const int32_t> ids, const std::vector<int32_t>& rows) {
  std::vector<int32_t> result(ids.size());
  for (size_t r = 0; r < ids.size(); ++r) {
    result[r] = static_cast<int32_t>(std::lower_bound(rows.begin(), rows.end(), ids[r]) - rows.begin());
  }
  return result;
}

// A mask [U, D] that is one number a row: 0 or 1/(1-p) by the word type. Made as an outer product with ones.
Tensor type_mask(Tape& tape, std::span<const int32_t> types, int64_t dimension, double probability,
                 DType type) {
  const Stream stream = tape.next_stream();
  const auto rows = static_cast<int64_t>(types.size());
  Tensor factors({rows, 1});
  for (int64_t r = 0; r < rows; ++r) {
    const bool kept = stream.uniform(static_cast<uint64_t>(types[r])) >= probability;
    factors.data<float>()[r] = kept ? static_cast<float>(1 / (1 - probability)) : 0.0F;
  }
  Tensor ones({1, dimension}, type);
  ones.fill(1);
  Tensor mask({rows, dimension}, type);
  tape.backend().product({.a = factors.to(type).matrix(), .b = ones.matrix(), .c = mask.matrix()});
  return mask;
}

// The gradient of the rows `types`: the mask is that of the forward pass or empty.
Tensor masked(Backend& backend, ConstMatrix d_x, const Tensor& mask) {
  Tensor d_rows({d_x.rows, d_x.columns}, d_x.type);
  if (mask) {
    backend.multiply(d_x, mask.matrix(), d_rows.matrix(), false);
  } else {
    backend.copy(d_x, d_rows.matrix(), false);
  }
  return d_rows;
}

// Both sums over the rows of either.
RowGradient merged(Backend& backend, const RowGradient& a, const RowGradient& b) {
  RowGradient sum;
  std::set_union(a.rows.begin(), a.rows.end(), b.rows.begin(), b.rows.end(), std::back_inserter(sum.rows));
  sum.values = Tensor::zeros({static_cast<int64_t>(sum.rows.size()), a.values.dim(1)}, a.values.type());
  for (const RowGradient* part : {&a, &b}) {
    backend.scatter_add_rows(part->values.matrix(), positions(part->rows, sum.rows), sum.values.matrix());
  }
  return sum;
}

}  // namespace

Embedding::Embedding(ParameterSet& set, const EmbeddingShape& shape)
    : table_(set.add("embedding.weight", Tensor::zeros({shape.vocabulary, shape.dimension}, shape.type))) {
  table_.sparse = shape.sparse;
}

void Embedding::check(std::span<const int32_t> ids) const {
  const int64_t vocabulary = table_.value.dim(0);
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocabulary)
      throw_error<DataError>("embedding: id {} of a table of {} rows", id, vocabulary);
  }
}

Variable Embedding::sparse_result(Tape& tape, const Tensor& x, const Tensor& mask,
                                  std::vector<int32_t> types) const {
  Backend& backend = tape.backend();
  return tape.make_source(x, [&backend, &table = table_, mask, types = std::move(types)](const Gradients& g) {
    RowGradient gradient{types, masked(backend, g.result(), mask)};
    table.row_gradient =
        table.row_gradient.values ? merged(backend, table.row_gradient, gradient) : std::move(gradient);
  });
}

Variable Embedding::dense_result(Tape& tape, const Tensor& x, const Tensor& mask,
                                 std::vector<int32_t> types) const {
  Backend& backend = tape.backend();
  return tape.make_result(x, {tape.parameter(table_)},
                          [&backend, mask, types = std::move(types)](const Gradients& g) {
                            const Tensor d_rows = mask ? masked(backend, g.result(), mask) : Tensor();
                            backend.scatter_add_rows(mask ? d_rows.matrix() : g.result(), types, g.input(0));
                          });
}

DistinctRows Embedding::forward(Tape& tape, std::span<const int32_t> ids, double type_dropout) const {
  check(ids);
  Backend& backend = tape.backend();
  const int64_t dimension = table_.value.dim(1);
  const DType type = table_.value.type();
  const bool learns = table_.learns() && tape.options().recording;
  std::vector<int32_t> types = distinct(ids);
  // Also of a table that is frozen for now: rows may be behind from when it was not. And in a training pass
  // that records nothing, which one that records will repeat (recomputed_loss.cc).
  const bool trains = tape.options().recording || tape.options().training;
  if (table_.trainable && trains && table_.sparse && table_.before_read) table_.before_read(types);

  Tensor x({static_cast<int64_t>(types.size()), dimension}, type);
  backend.gather_rows(table_.value.matrix(), types, x.matrix());
  Tensor mask;
  if (type_dropout > 0 && tape.options().training) {
    mask = type_mask(tape, types, dimension, type_dropout, type);
    backend.multiply(x.matrix(), mask.matrix(), x.matrix(), false);
  }
  std::vector<int32_t> rows = positions(ids, types);
  if (!learns) return {tape.input(x), std::move(rows)};

  Variable vectors = table_.sparse ? sparse_result(tape, x, mask, std::move(types))
                                   : dense_result(tape, x, mask, std::move(types));
  return {vectors, std::move(rows)};
}

}  // namespace rondo
