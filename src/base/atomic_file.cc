#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/errors.h"
#include "base/files.h"
#include "base/random.h"
#include "base/system_errors.h"

namespace rondo {
namespace {

constexpr size_t kChunk = size_t{1} << 16;

std::string_view advice_to_write(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or choose another folder";
    case EACCES:
    case EPERM:
    case EROFS:
    case EFBIG:
      return "; choose another file or folder";
    case ENOENT:
    case ENOTDIR:
      return "; make the folder first or choose another";
    case EISDIR:
      return "; give a file inside it";
    default:
      return "";
  }
}

// /dev/stdout as the stream that it names: opened anew it would begin at offset 0 again.
int descriptor_named(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  constexpr std::string_view kFolder = "/dev/fd/";
  int number = -1;
  if (!path.starts_with(kFolder)) return -1;
  const char* const end = path.data() + path.size();
  const auto [stop, error] = std::from_chars(path.data() + kFolder.size(), end, number);
  return error == std::errc() && stop == end ? number : -1;
}

// Six letters and digits, so that two writers of one target do not meet.
std::string unlikely_name() {
  static std::atomic<uint64_t> calls{0};
  const auto now = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  const Stream stream(now, {static_cast<uint64_t>(getpid()), calls++});
  std::string name(6, '0');
  for (size_t i = 0; i < name.size(); ++i) {
    name[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[stream.below(i, 36)];
  }
  return name;
}

// The file at the end of a chain of links, so that the link itself is not replaced.
std::string follow_links(const std::string& path) {
  char* const resolved = realpath(path.c_str(), nullptr);
  if (!resolved) return path;
  std::string result(resolved);
  free(resolved);
  return result;
}

// Makes the new name itself last through a power cut. File systems that cannot do this say EINVAL.
int synchronise_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return 0;  // a folder that may be written but not listed
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error == EINVAL ? 0 : error;
}

}  // namespace

AtomicFile::AtomicFile(std::string target) : target_(std::move(target)), real_(target_) {
  if (target_.empty() || has_zero(target_)) fail(target_.empty() ? ENOENT : EINVAL);
  const int named = descriptor_named(target_);
  struct stat status = {};
  if (named < 0 && stat(target_.c_str(), &status) != 0) {
    open_partial(-1);
  } else if (named < 0 && S_ISREG(status.st_mode)) {
    if (access(target_.c_str(), W_OK) != 0) fail(errno);  // rename() would not ask
    real_ = follow_links(target_);
    open_partial(static_cast<int>(status.st_mode & 0777));
  } else {  // a folder fails here by EISDIR
    descriptor_ = named >= 0 ? fcntl(named, F_DUPFD_CLOEXEC, 0)
                             : open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) fail(errno);
  }
}

// O_EXCL, not mkstemp(): the system applies the umask, which a library cannot read without changing it.
void AtomicFile::open_partial(int mode) {
  for (int attempt = 0; attempt < 100 && descriptor_ < 0; ++attempt) {
    partial_ = fmt::format("{}.{}.partial", real_, unlikely_name());
    descriptor_ = open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode < 0 ? 0644 : 0600);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) fail(errno);
  if (mode >= 0) static_cast<void>(fchmod(descriptor_, static_cast<mode_t>(mode)));
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  if (!partial_.empty()) unlink(partial_.c_str());
}

void AtomicFile::fail(int error) const {
  throw_error<IoError>("cannot write {}: {}{}", target_.empty() ? "a file without a name" : target_,
                       reason(error), advice_to_write(error));
}

void AtomicFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<size_t>(count));
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
  buffer_.clear();
}

void AtomicFile::write(std::string_view bytes) {
  assert(descriptor_ >= 0 && "write() after commit()");
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kChunk);
    buffer_.append(part);
    bytes.remove_prefix(part.size());
    if (buffer_.size() >= kChunk) flush();
  }
}

void AtomicFile::commit() {
  assert(descriptor_ >= 0 && "commit() twice");
  flush();
  const bool in_place = partial_.empty();
  if (!in_place && fsync(descriptor_) != 0) fail(errno);  // a pipe or terminal has no fsync
  // From here the destructor has nothing to close; what fails must remove the partial file itself.
  const int closed = close(std::exchange(descriptor_, -1));
  if (in_place) {
    if (closed != 0) fail(errno);
    return;
  }
  if (closed != 0 || rename(partial_.c_str(), real_.c_str()) != 0) {
    const int error = errno;
    unlink(partial_.c_str());
    fail(error);
  }
  if (const int error = synchronise_folder_of(real_); error != 0) fail(error);
}

void write_file(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace rondo
