// What one core can do at most, measured: the figure that a share of the peak refers to.
#pragma once

#include "kernels/array.h"

namespace rondo::bench {

/// GF/s of the best tile over operands in the first cache, whatever surrounds it.
double measured_peak(Precision precision);

}  // namespace rondo::bench
