#include "console.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/errors.h"

namespace rondo::app {

namespace {

[[noreturn]] void fail() {
  if (errno == EPIPE) throw ReaderGone();
  throw_error<IoError>("cannot write to standard output: {}", std::strerror(errno));
}

}  // namespace

void put_text(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail();
}

void flush_output() {
  if (std::fflush(stdout) != 0) fail();
}

void say_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace rondo::app
