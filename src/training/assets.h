// Files of this folder that are part of the program: CMake turns them into code when it builds.
#pragma once

#include <string_view>

namespace rondo::training {

/// run_page.html: the page of a run, but for its figures.
std::string_view run_page_html();

}  // namespace rondo::training
