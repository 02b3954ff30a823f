// What one core can do at most, measured: the figure that a share of the peak refers to.
#pragma once

#include <string>

namespace rondo::bench {

/// GF/s of the best tile over operands in the first cache, whatever surrounds it. 0 for a precision that has
/// no kernel of its own here.
double measured_peak(const std::string& precision);

}  // namespace rondo::bench
