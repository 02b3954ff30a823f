// Files of this folder that are part of the program: CMake turns them into code when it builds.
#pragma once

#include <string_view>

namespace rondo::serve {

/// openapi.json: what the server answers, as OpenAPI 3.1.
std::string_view openapi_json();
/// playground.html: the page at /, with {{look_style}} and {{look_script}} where the figures' belong.
std::string_view playground_html();

}  // namespace rondo::serve
