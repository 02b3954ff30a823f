// The equations of one step of a cell as text, with the options in use: what `rondo info` prints.
#pragma once

#include <string>

#include "layers/recurrent_options.h"

namespace rondo {

/// One line an equation, indented by two spaces; s() is the logistic function, * is elementwise.
std::string equations(const RecurrentOptions& options);

/// What c' is in such an lstm, "f*c + i*g", and what its output is, "o*tanh(c')".
std::string lstm_cell(const CellKind& kind);
std::string lstm_output(const CellKind& kind);

}  // namespace rondo
