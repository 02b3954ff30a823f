// One optimiser step as one sweep over a parameter, and the steps that rows of a table missed, by SIMD.
#pragma once

#include "base/threads.h"
#include "kernels/optimizer.h"

namespace rondo {

/// Backend::optimize for float32. @throws ShapeError if operands disagree.
void cpu_optimize(ThreadPool& pool, const OptimizerStep& step);

/// Backend::catch_up for float32, the same bits as cpu_optimize() step by step. Adam's division and root
/// end where the update has become too small to change the parameter: after that m and v alone move on.
void cpu_catch_up(ThreadPool& pool, const OptimizerCatchUp& missed);

}  // namespace rondo
