// What the attention kernels of every backend demand of their operands.
#pragma once

#include "kernels/attention.h"

namespace rondo::reference {

/// @throws ShapeError unless the operands fit.
void check_attention(const AttentionForward& pass);
void check_attention(const AttentionBackward& pass);

}  // namespace rondo::reference
