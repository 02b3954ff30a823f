// Files read whole or by line (gzip opened by itself), and written so that a crash loses nothing.
//   LineReader lines("news.csv.gz");  while (auto line = lines.next()) { ... }
//   AtomicFile file("model.rondo");  file.write(bytes);  file.commit();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rondo {

/// A stream of bytes from a file or, for "-", standard input; gzip is recognised by its first bytes.
/// @throws IoError if it cannot be opened or read; DataError if gzip data is cut or damaged.
class ByteReader {
 public:
  explicit ByteReader(const std::string& path);
  ~ByteReader();
  ByteReader(ByteReader&&) noexcept;

  /// Fills as much of `buffer` as there is; 0 at the end. A pipe or a terminal gives what has arrived, one
  /// byte at least, so that a line that was typed is answered at once.
  size_t read(std::span<char> buffer);
  const std::string& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How messages call an input: its path, or "standard input" for "-".
std::string input_name(const std::string& path);

/// The lines of a ByteReader without their LF or CRLF; a byte order mark at the start is dropped.
class LineReader {
 public:
  explicit LineReader(const std::string& path);
  /// The next line, or nothing at the end. A last line without a newline counts; the empty rest after a
  /// last newline does not.
  std::optional<std::string> next();
  /// Number of the line that next() gave last, from 1.
  int64_t line() const { return line_; }
  const std::string& path() const { return reader_.path(); }

 private:
  ByteReader reader_;
  std::string buffer_;
  size_t position_ = 0;
  int64_t line_ = 0;
  bool ended_ = false;
};

/// The whole file (gzip opened). @throws IoError; DataError above `limit` bytes.
std::string read_file(const std::string& path, int64_t limit = int64_t{1} << 36);

/// Whether the path leads to anything: a file, a folder, a device.
bool file_exists(const std::string& path);
/// Whether two paths are written alike or lead to the same thing.
bool same_file(const std::string& one, const std::string& other);
/// A slip such as -o news.csv must not cost what is read.
/// @param option  what names the target, for the message: "output".
/// @throws ConfigError if one of the files that are `read` is the target, by whatever name; empty names count
///         for nothing.
void check_not_overwritten(const std::string& target, std::string_view option,
                           std::span<const std::string> read);
/// Removes a file; one that is not there is no error. @throws IoError
void remove_file(const std::string& path);

/// A file written beside its target (TARGET.XXXXXX.partial), synchronised and renamed by commit(): the target
/// holds the old bytes or the new, never a mixture. Without commit() the partial file is removed.
/// A new file's mode is 0644 less the umask; one that is replaced keeps its permissions, and a symbolic link
/// stays a link. A device, a pipe, /dev/stdout, /dev/stderr and /dev/fd/N are written in place.
class AtomicFile {
 public:
  /// @throws IoError (no permission, no such folder).
  explicit AtomicFile(std::string target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// @throws IoError that names the target and says what to do, e.g. when no space is left.
  void write(std::string_view bytes);
  void commit();

 private:
  void open_partial(int mode);
  void flush();
  [[noreturn]] void fail(int error) const;

  std::string target_;   ///< as the caller named it, for messages
  std::string real_;     ///< the target with links followed
  std::string partial_;  ///< empty: the target is written in place
  std::string buffer_;   ///< small writes gather here
  int descriptor_ = -1;
};

/// Writes all of `bytes` by an AtomicFile.
void write_file(const std::string& path, std::string_view bytes);

}  // namespace rondo
