#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/system_errors.h"

namespace rondo {
namespace {

constexpr size_t kChunk = size_t{1} << 16;

std::string_view advice_to_read(int error) {
  switch (error) {
    case ENOENT:
      return "; check the name";
    case EACCES:
      return "; check its permissions (ls -l)";
    case EISDIR:
      return "; give a file inside it";
    default:
      return "";
  }
}

[[noreturn]] void fail_to_read(const std::string& path, int error) {
  throw_error<IoError>("cannot read {}: {}{}", input_name(path), reason(error), advice_to_read(error));
}

int open_to_read(const std::string& path) {
  if (path == "-") return STDIN_FILENO;
  int error = EINVAL;
  if (!has_zero(path)) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) return descriptor;
    error = errno;
  }
  fail_to_read(path, error);
}

bool is_regular(int descriptor) {
  struct stat status = {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

struct ByteReader::State {
  explicit State(const std::string& name)
      : path(name), descriptor(open_to_read(name)), regular(is_regular(descriptor)), input(kChunk) {}
  ~State() {
    if (unzipping) inflateEnd(&zip);
    if (descriptor > STDIN_FILENO) close(descriptor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  size_t read_descriptor(std::span<char> buffer);
  void refill();
  void recognise();
  size_t take(std::span<char> buffer);
  size_t unzip(std::span<char> buffer);
  bool begin_member();

  std::string path;
  int descriptor;
  bool regular;
  std::vector<char> input;  // input[begin .. end) is read and not yet used
  size_t begin = 0;
  size_t end = 0;
  bool recognised = false;
  bool unzipping = false;
  bool in_member = false;  // between a gzip header and its checksum
  z_stream zip = {};
};

size_t ByteReader::State::read_descriptor(std::span<char> buffer) {
  ssize_t count = 0;
  do {
    count = ::read(descriptor, buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) fail_to_read(path, errno);
  return static_cast<size_t>(count);
}

// Appends to what is there, or begins again where nothing is left.
void ByteReader::State::refill() {
  if (begin == end) begin = end = 0;
  end += read_descriptor({input.data() + end, input.size() - end});
}

// gzip begins with 1f 8b (RFC 1952); no text in UTF-8 does.
void ByteReader::State::recognise() {
  recognised = true;
  const auto byte = [this](size_t i) { return static_cast<unsigned char>(input[i]); };
  refill();
  if (end == 1 && byte(0) == 0x1F) refill();
  if (end < 2 || byte(0) != 0x1F || byte(1) != 0x8B) return;
  constexpr int kGzip = 16;
  if (inflateInit2(&zip, MAX_WBITS + kGzip) != Z_OK) throw_error<IoError>("cannot read {}: no memory", path);
  unzipping = in_member = true;
}

// Bytes of a plain file: those that recognise() has read, then straight into the buffer.
size_t ByteReader::State::take(std::span<char> buffer) {
  if (begin == end) return read_descriptor(buffer);
  const size_t count = std::min(buffer.size(), end - begin);
  std::memcpy(buffer.data(), input.data() + begin, count);
  begin += count;
  return count;
}

// After a member: false at the end of the file, zeros that fill up a tape's block being skipped as gzip does;
// true where another member stands (cat a.gz b.gz).
bool ByteReader::State::begin_member() {
  while (true) {
    while (begin < end && input[begin] == 0) ++begin;
    if (begin < end) break;
    refill();
    if (begin == end) return false;
  }
  inflateReset(&zip);
  return in_member = true;
}

size_t ByteReader::State::unzip(std::span<char> buffer) {
  zip.next_out = reinterpret_cast<Bytef*>(buffer.data());
  zip.avail_out = static_cast<uInt>(std::min<size_t>(buffer.size(), size_t{1} << 30));
  const uInt wanted = zip.avail_out;
  while (zip.avail_out == wanted) {
    if (!in_member && !begin_member()) return 0;
    if (begin == end) refill();
    if (begin == end) throw_error<DataError>("{}: gzip data ends too early; is the file complete?", path);
    zip.next_in = reinterpret_cast<Bytef*>(input.data() + begin);
    zip.avail_in = static_cast<uInt>(end - begin);
    const int result = inflate(&zip, Z_NO_FLUSH);
    begin = end - zip.avail_in;
    if (result == Z_STREAM_END) {
      in_member = false;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw_error<DataError>("{}: gzip data is damaged ({})", path, zip.msg ? zip.msg : "unknown");
    }
  }
  return wanted - zip.avail_out;
}

ByteReader::ByteReader(const std::string& path) : state_(std::make_unique<State>(path)) {
  if (path == "-") return;  // whoever types is not made to wait
  struct stat status = {};
  if (fstat(state_->descriptor, &status) == 0 && S_ISDIR(status.st_mode)) fail_to_read(path, EISDIR);
}
ByteReader::~ByteReader() = default;
ByteReader::ByteReader(ByteReader&&) noexcept = default;

size_t ByteReader::read(std::span<char> buffer) {
  if (buffer.empty()) return 0;
  if (!state_->recognised) state_->recognise();
  size_t count = 0;
  while (count < buffer.size()) {
    const auto rest = buffer.subspan(count);
    const size_t more = state_->unzipping ? state_->unzip(rest) : state_->take(rest);
    count += more;
    if (more == 0 || !state_->regular) break;
  }
  return count;
}

const std::string& ByteReader::path() const { return state_->path; }

LineReader::LineReader(const std::string& path) : reader_(path) {}

std::optional<std::string> LineReader::next() {
  size_t end = buffer_.find('\n', position_);
  while (end == std::string::npos && !ended_) {
    buffer_.erase(0, std::exchange(position_, 0));
    const size_t old = buffer_.size();
    buffer_.resize(old + kChunk);
    const size_t count = reader_.read({buffer_.data() + old, kChunk});
    buffer_.resize(old + count);
    ended_ = count == 0;
    end = buffer_.find('\n', old);  // not again from the line's begin: a long line would cost its square
  }
  const bool last = end == std::string::npos;
  std::string_view line = std::string_view(buffer_).substr(position_, last ? end : end - position_);
  position_ = last ? buffer_.size() : end + 1;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line_ == 0 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (last && line.empty()) return std::nullopt;
  if (line.ends_with('\r')) line.remove_suffix(1);
  ++line_;
  return std::string(line);
}

std::string read_file(const std::string& path, int64_t limit) {
  ByteReader reader(path);
  std::string bytes;
  const auto most = static_cast<size_t>(std::max<int64_t>(0, limit));
  struct stat status = {};
  if (path != "-" && stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.reserve(std::min(static_cast<size_t>(status.st_size), most) + 1);
  }
  size_t size = 0;
  while (true) {
    // One byte beyond the limit tells a file that fills it from one that exceeds it.
    const size_t room = std::min(std::max(kChunk, bytes.capacity() - size), most - size + 1);
    bytes.resize(size + room);
    const size_t count = reader.read({bytes.data() + size, room});
    size += count;
    if (size > most) throw_error<DataError>("{}: more than {} bytes, which is the limit here", path, most);
    if (count == 0) break;
  }
  bytes.resize(size);
  return bytes;
}

bool file_exists(const std::string& path) {
  struct stat status = {};
  return !has_zero(path) && stat(path.c_str(), &status) == 0;
}

bool same_file(const std::string& one, const std::string& other) {
  std::error_code none;
  return one == other || std::filesystem::equivalent(one, other, none);
}

void check_not_overwritten(const std::string& target, std::string_view option,
                           std::span<const std::string> read) {
  if (target.empty()) return;
  for (const std::string& source : read) {
    if (source.empty() || !same_file(source, target)) continue;
    throw_error<ConfigError>("{} is read and would be overwritten; give another --{}", source, option);
  }
}

void remove_file(const std::string& path) {
  if (has_zero(path)) throw_error<IoError>("cannot remove {}: {}", path, reason(EINVAL));
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw_error<IoError>("cannot remove {}: {}", path, reason(errno));
  }
}

}  // namespace rondo
