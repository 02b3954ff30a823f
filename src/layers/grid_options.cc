#include "layers/grid_options.h"

namespace rondo {

CellKind kind_along(Along along, OutputGate gate) {
  if (along == Along::kLstm) return {.cell = Cell::kLstm, .tanh_outside = gate == OutputGate::kInside};
  return {.cell = Cell::kRnn, .relu = along == Along::kRelu, .linear = along == Along::kIdentity};
}

namespace {

// Rows of the weights of all dimensions.
double block_rows(const GridOptions& options, int64_t hidden) {
  int64_t blocks = kind_along(options.along_depth, options.output_gate).blocks();
  if (options.dimensions() > 1) blocks += kind_along(options.along_time, options.output_gate).blocks();
  return static_cast<double>(blocks) * static_cast<double>(hidden);
}

}  // namespace

double block_values(const GridOptions& options, int64_t hidden) {
  return block_rows(options, hidden) *
         (static_cast<double>(options.dimensions()) * static_cast<double>(hidden) + 1);
}

double block_operations(const GridOptions& options, int64_t hidden) {
  return 2 * block_rows(options, hidden) * static_cast<double>(options.dimensions()) *
         static_cast<double>(hidden);
}

}  // namespace rondo
