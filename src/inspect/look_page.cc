#include "inspect/look_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "inspect/assets.h"
#include "inspect/trace_json.h"

namespace rondo {

namespace {

constexpr int64_t kLeastUnits = 4;

int64_t widest(std::span<const TextTrace> traces) {
  int64_t width = 0;
  for (const TextTrace& trace : traces) {
    for (const LayerTrace& layer : trace.layers) {
      for (const TracedSeries& one : layer.series) width = std::max(width, one.values.shape().back());
    }
  }
  return width;
}

int64_t series_bytes(std::span<const TextTrace> traces, int64_t units) {
  int64_t bytes = 0;
  for (const TextTrace& trace : traces) {
    for (const LayerTrace& layer : trace.layers) bytes += rondo::series_bytes(layer, units);
  }
  return bytes;
}

// The most units a layer whose series fit into `room` bytes.
int64_t units_that_fit(std::span<const TextTrace> traces, int64_t room) {
  int64_t units = widest(traces);
  while (units > kLeastUnits && series_bytes(traces, units) > room) --units;
  return units;
}

// JSON in an element of script: nothing in a text may end it. The two separators end lines in old JavaScript.
std::string in_script(const std::string& json) {
  std::string text;
  text.reserve(json.size() + json.size() / 64);
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = std::string_view(json).substr(i, 3);
    if (json[i] == '<' || json[i] == '>' || json[i] == '&') {
      text += fmt::format("\\u{:04x}", static_cast<unsigned>(json[i]));
    } else if (rest == "\u2028" || rest == "\u2029") {
      text += rest == "\u2028" ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      text += json[i];
    }
  }
  return text;
}

// Each part once, and never one inside another: a text may hold the name of a part.
std::string assembled(std::string_view style, std::string_view numbers, std::string_view script) {
  std::string page;
  std::string_view rest = inspect::page_html();
  for (const auto& [name, part] :
       {std::pair{std::string_view("{{style}}"), style}, std::pair{std::string_view("{{numbers}}"), numbers},
        std::pair{std::string_view("{{script}}"), script}}) {
    const size_t at = rest.find(name);
    page.append(rest.substr(0, at)).append(part);
    rest.remove_prefix(at + name.size());
  }
  return page.append(rest);
}

std::string page_of(std::span<const TextTrace> traces, const TraceJsonOptions& options) {
  return assembled(look_style(), in_script(traces_json(traces, options)), look_script());
}

}  // namespace

const std::string& look_script() {
  // One function around all: a page that shows looks keeps its own names.
  static const std::string script = [] {
    std::string text = "(() => {\n\"use strict\";\n";
    for (const std::string_view part : {inspect::colours_js(), inspect::elements_js(), inspect::entry_js(),
                                        inspect::heat_map_js(), inspect::charts_js(), inspect::outputs_js(),
                                        inspect::states_js(), inspect::search_js(), inspect::page_js()}) {
      text.append(part).append("\n");
    }
    return text + "globalThis.render_look = render_look;\n})();\n";
  }();
  return script;
}

std::string_view look_style() { return inspect::page_css(); }

LookPage look_page(std::span<const TextTrace> traces, const LookPageOptions& options) {
  const int64_t width = widest(traces);
  int64_t units = options.units > 0 ? std::min(options.units, width) : width;
  if (options.units == 0) {
    const auto others = static_cast<int64_t>(page_of(traces, {.units = 1}).size()) - series_bytes(traces, 1);
    constexpr int64_t kNote = 1000;
    units = units_that_fit(traces, options.most_bytes - others - kNote);
  }
  LookPage page;
  if (units < width) {
    page.left_out = fmt::format(
        "Of each layer {} units are drawn, of {} in the widest: those whose memory varies most along the "
        "text. The "
        "saturation of gates is that of all units. rondo look --json writes all; --units chooses how many "
        "are drawn.",
        units, width);
  }
  TraceJsonOptions json{.units = units};
  if (!page.left_out.empty()) json.notes.push_back(page.left_out);
  page.html = page_of(traces, json);
  return page;
}

}  // namespace rondo
