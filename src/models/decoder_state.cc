#include "models/decoder_state.h"

#include <cstring>

#include "base/errors.h"
#include "tensor/operations.h"

namespace rondo {

Tensor select_rows(const Tensor& x, std::span<const int32_t> rows) {
  if (!x) return {};
  const Tensor y({static_cast<int64_t>(rows.size()), x.dim(1)}, x.type());
  const int64_t bytes = x.dim(1) * size_of(x.type());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= x.dim(0)) {
      throw_error<ShapeError>("decoder: row {} of a state of {}", rows[i], x.dim(0));
    }
    std::memcpy(static_cast<char*>(y.raw()) + static_cast<int64_t>(i) * bytes,
                static_cast<const char*>(x.raw()) + rows[i] * bytes, static_cast<size_t>(bytes));
  }
  return y;
}

DecoderState select_rows(const DecoderState& state, std::span<const int32_t> rows) {
  DecoderState result;
  for (const Tensor& h : state.h) result.h.push_back(select_rows(h, rows));
  for (const Tensor& c : state.c) result.c.push_back(select_rows(c, rows));
  result.fed = select_rows(state.fed, rows);
  return result;
}

Variable first_rows(const Variable& x, int64_t count) {
  return x.matrix().rows == count ? x : slice(x, {.rows = count});
}

RecurrentState first_rows(const RecurrentState& state, int64_t count) {
  RecurrentState result;
  for (const Variable& h : state.h) result.h.push_back(first_rows(h, count));
  for (const Variable& c : state.c) result.c.push_back(first_rows(c, count));
  return result;
}

RecurrentState gather_rows(const RecurrentState& state, const std::vector<int32_t>& rows) {
  RecurrentState result;
  for (const Variable& h : state.h) result.h.push_back(gather({h, rows}));
  for (const Variable& c : state.c) result.c.push_back(gather({c, rows}));
  return result;
}

Packing one_step(int64_t rows) { return Packing(std::vector<int64_t>(static_cast<size_t>(rows), 1)); }

}  // namespace rondo
