// The equations of one step of a cell as text, with the options in use: what `rondo info` prints.
#pragma once

#include <string>

#include "layers/recurrent_options.h"

namespace rondo {

/// One line an equation, indented by two spaces; s() is the logistic function, * is elementwise.
std::string equations(const RecurrentOptions& options);

}  // namespace rondo
