// The page's template, style and scripts, which are part of the program: CMake turns them into code when it
// builds.
#pragma once

#include <string_view>

namespace rondo::inspect {

/// page.html with {{style}}, {{script}} and {{numbers}} where those belong.
std::string_view page_html();
std::string_view page_css();
/// The parts of the script, in this order.
std::string_view colours_js();
std::string_view elements_js();
std::string_view entry_js();
std::string_view heat_map_js();
std::string_view charts_js();
std::string_view outputs_js();
std::string_view states_js();
std::string_view search_js();
std::string_view page_js();

}  // namespace rondo::inspect
