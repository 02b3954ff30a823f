// The commands `gradients` and `clipping`: tables for people and pictures.
#pragma once

#include <string>

#include "base/options.h"
#include "diagnostics/gradients.h"

namespace rondo::diagnostics {

enum class TableFormat { kTsv, kJsonl };

}  // namespace rondo::diagnostics

namespace rondo {

template <>
inline constexpr auto kNames<diagnostics::TableFormat> = std::array{
    std::pair{diagnostics::TableFormat::kTsv, "tsv"}, std::pair{diagnostics::TableFormat::kJsonl, "jsonl"}};

}  // namespace rondo

namespace rondo::diagnostics {

struct GradientsCommand {
  GradientOptions gradients;
  int64_t every = 10;
  TableFormat format = TableFormat::kTsv;
  int64_t threads = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    gradients.visit(v);
    v("every", every, "tsv: steps between the rows of the table", Range{1, 100000});
    v("format", format, "of the table: tsv, or jsonl with all steps");
    v("threads", threads, "0: one a processor", Range{0, 4096});
  }
};

struct ClippingCommand {
  Options run{.cell = Cell::kRnn, .updates = 200, .optimizer = OptimizerRule::kSgd, .lr = 1e-2};
  int64_t length = 100;
  TableFormat format = TableFormat::kTsv;
  int64_t threads = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    run.visit(v);
    v("length", length, "steps of adding", Range{2, 100000});
    v("format", format, "of the table");
    v("threads", threads, "0: one a processor", Range{0, 4096});
  }
};

/// Writes the table to standard output, the progress of trainings to standard error.
void run_gradients(const GradientsCommand& command);
void run_clipping(const ClippingCommand& command);

}  // namespace rondo::diagnostics
