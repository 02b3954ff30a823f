// Traces as one page of figures that needs no network: heat maps of gates and states, units along the text,
// gradients, attention, what the model says.
//   LookPage page = look_page(traces, {});  write_file("look.html", page.html);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "inspect/trace.h"

namespace rondo {

struct LookPageOptions {
  int64_t units = 0;               ///< most units of each layer; 0: as many as fit
  int64_t most_bytes = 2'000'000;  ///< of the page, where leaving units out can reach it
};

struct LookPage {
  std::string html;
  std::string left_out;  ///< which units are not on the page, as the page tells it; or empty
};

/// Units that vary least along the text are left out where all do not fit; at least four of each layer stay.
LookPage look_page(std::span<const TextTrace> traces, const LookPageOptions& options = {});

/// The script that defines render_look(root, json), which draws the JSON of traces_json() into an element,
/// and the style of what it draws, for a page that shows looks of its own.
const std::string& look_script();
std::string_view look_style();

}  // namespace rondo
