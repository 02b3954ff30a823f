#include "training/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/errors.h"

namespace rondo {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw_error<IoError>("{}: {}", path, std::strerror(errno));
}

}  // namespace

RunLog::RunLog(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_);
  position_ = ::lseek(descriptor_, 0, SEEK_END);
  if (position_ < 0) {
    ::close(descriptor_);
    fail(path_);
  }
}

RunLog::~RunLog() { ::close(descriptor_); }

void RunLog::append(const nlohmann::json& record) {
  write(record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void RunLog::write(const std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_);
    done += static_cast<size_t>(count);
    position_ += count;
  }
}

void RunLog::sync() {
  // A pipe or a terminal cannot be synchronised, and need not be.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail(path_);
}

void RunLog::truncate_to(int64_t position) {
  const int64_t size = ::lseek(descriptor_, 0, SEEK_END);
  if (size < 0) fail(path_);
  if (position < 0 || position > size) {
    throw_error<FormatError>("{}: the run resumes at byte {}, but the log has {} bytes", path_, position,
                             size);
  }
  char last = '\n';
  if (position > 0 && ::pread(descriptor_, &last, 1, position - 1) != 1) fail(path_);
  if (last != '\n') throw_error<FormatError>("{}: byte {} is not the start of a line", path_, position);
  if (::ftruncate(descriptor_, position) != 0) fail(path_);
  position_ = position;
}

}  // namespace rondo
