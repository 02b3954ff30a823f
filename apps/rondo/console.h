// What the command writes: results to standard output, progress and warnings to standard error.
//   put("{}\t{:.4f}\n", label, probability);  say("warning: {}\n", text);
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace rondo::app {

/// The reader of standard output went away (| head): an end that needs no message.
struct ReaderGone {};

/// To standard output. @throws IoError; ReaderGone.
void put_text(const std::string& text);
/// Writes what is buffered; main() calls it last, so that a full disk is never taken for success.
void flush_output();

/// To standard error. A closed or full one is no reason to end a training: failures are ignored.
void say_text(const std::string& text);

template <class... Args>
void put(fmt::format_string<Args...> format, Args&&... arguments) {
  put_text(fmt::format(format, std::forward<Args>(arguments)...));
}

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... arguments) {
  say_text(fmt::format(format, std::forward<Args>(arguments)...));
}

}  // namespace rondo::app
