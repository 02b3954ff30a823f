// Reading a safetensors file: everything is checked against the size of the file before memory is taken.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "storage/dtypes.h"
#include "storage/header.h"
#include "storage/safetensors.h"

namespace rondo {

namespace {

// As the reference implementation: no header is longer.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

/// Bytes of known number.
class Source {
 public:
  virtual ~Source() = default;
  virtual uint64_t size() const = 0;
  virtual void read_at(uint64_t offset, void* target, uint64_t count) = 0;
};

class MemorySource : public Source {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  void read_at(uint64_t offset, void* target, uint64_t count) override {
    bytes_.copy(static_cast<char*>(target), count, offset);
  }

 private:
  std::string_view bytes_;
};

class FileSource : public Source {
 public:
  explicit FileSource(const std::string& path) : path_(path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
      throw_error<IoError>("{}: cannot be read: {}", path, error ? error.message() : "no such file");
    }
    // A pipe or a device has no size to check the header against.
    if (!std::filesystem::is_regular_file(status)) {
      throw_error<IoError>("{}: it is no regular file; a model is read from a file on disk", path);
    }
    size_ = std::filesystem::file_size(path, error);
    stream_.open(path, std::ios::binary);
    if (error || !stream_) throw_error<IoError>("{}: cannot be opened; may you read it?", path);
  }

  uint64_t size() const override { return size_; }

  void read_at(uint64_t offset, void* target, uint64_t count) override {
    if (offset != position_) stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(static_cast<char*>(target), static_cast<std::streamsize>(count));
    if (!stream_) throw_error<IoError>("{}: reading stopped near byte {} of {}", path_, offset, size_);
    position_ = offset + count;
  }

 private:
  const std::string& path_;
  std::ifstream stream_;
  uint64_t size_ = 0;
  uint64_t position_ = 0;
};

std::string read_header(Source& source, const std::string& path) {
  if (source.size() < 8) {
    throw_error<FormatError>(
        "{}: not a model of Rondo: {} bytes are too few, or the file is cut; copy it again", path,
        source.size());
  }
  unsigned char bytes[8];
  source.read_at(0, bytes, 8);
  uint64_t length = 0;
  for (int i = 0; i < 8; ++i) length |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (length > kMaxHeaderBytes) {
    throw_error<FormatError>(
        "{}: not a model of Rondo: its header would have {} bytes, this is no safetensors file", path,
        length);
  }
  if (length > source.size() - 8) {
    throw_error<FormatError>("{}: its header ends at byte {} of {}: the file is cut; copy it again", path,
                             length + 8, source.size());
  }
  std::string header(length, '\0');
  source.read_at(8, header.data(), length);
  // The parser would skip white space in front of it; the format asks for the brace itself.
  if (!header.starts_with('{')) {
    throw_error<FormatError>(
        "{}: not a model of Rondo: its header does not begin with {{, this is no safetensors file", path);
  }
  return header;
}

DType dtype_of(const TensorEntry& entry, const std::string& path) {
  const std::optional<DType> type = dtype_from_name(entry.dtype);
  if (!type) {
    throw_error<FormatError>(
        "{}: tensor {} has the type {}; Rondo reads F32, F64, I32, U8 and I8: convert it", path,
        in_quotes(entry.name), in_quotes(entry.dtype));
  }
  return *type;
}

/// Bytes that the shape needs. Sizes of zero count as one in the test for overflow, so that no product of
/// some of the dimensions overflows later.
uint64_t bytes_of(const TensorEntry& entry, const std::string& path) {
  uint64_t total = static_cast<uint64_t>(size_of(dtype_of(entry, path)));
  bool empty = false;
  for (uint64_t size : entry.shape) {
    if (size == 0) empty = true;
    if (__builtin_mul_overflow(total, std::max<uint64_t>(size, 1), &total) || total > INT64_MAX / 16) {
      throw_error<FormatError>("{}: tensor {}: its shape [{}] is impossible", path, in_quotes(entry.name),
                               fmt::join(entry.shape, ", "));
    }
  }
  return empty ? 0 : total;
}

void check_extent(const TensorEntry& entry, uint64_t start, uint64_t file_size, const std::string& path) {
  const uint64_t begin = entry.data_offsets[0];
  const uint64_t end = entry.data_offsets[1];
  const uint64_t needed = bytes_of(entry, path);
  if (begin > end || end > INT64_MAX || end - begin != needed) {
    throw_error<FormatError>("{}: tensor {}: {} [{}] needs {} bytes, its data_offsets are [{}, {}]", path,
                             in_quotes(entry.name), entry.dtype, fmt::join(entry.shape, ", "), needed, begin,
                             end);
  }
  if (end > file_size - start) {
    throw_error<FormatError>("{}: tensor {} ends at byte {} of {}: the file is cut; copy it again", path,
                             in_quotes(entry.name), end + start, file_size);
  }
}

/// The tensors must fill the data from its first byte to the file's last.
void check_layout(const TensorHeader& header, uint64_t start, uint64_t file_size, const std::string& path) {
  std::vector<const TensorEntry*> sorted;
  for (const TensorEntry& entry : header.entries) {
    check_extent(entry, start, file_size, path);
    sorted.push_back(&entry);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const TensorEntry* a, const TensorEntry* b) { return a->data_offsets < b->data_offsets; });
  uint64_t expected = 0;
  for (const TensorEntry* entry : sorted) {
    if (entry->data_offsets[0] != expected) {
      throw_error<FormatError>(
          "{}: tensor {} begins at byte {}, {} it", path, in_quotes(entry->name),
          entry->data_offsets[0] + start,
          entry->data_offsets[0] < expected ? "inside the one before" : "with a hole before");
    }
    expected = entry->data_offsets[1];
  }
  if (expected != file_size - start) {
    throw_error<FormatError>("{}: {} bytes follow the last tensor: the file is damaged; copy it again", path,
                             file_size - start - expected);
  }
}

Tensor read_tensor(const TensorEntry& entry, uint64_t start, Source& source, const std::string& path) {
  Shape shape(entry.shape.begin(), entry.shape.end());
  if (shape.empty()) shape.push_back(1);  // safetensors writes a single number without dimensions
  Tensor tensor(std::move(shape), dtype_of(entry, path));
  if (tensor.bytes() > 0) {
    source.read_at(start + entry.data_offsets[0], tensor.raw(), static_cast<uint64_t>(tensor.bytes()));
  }
  return tensor;
}

TensorFile read(Source& source, const std::string& path) {
  const std::string json = read_header(source, path);
  TensorHeader header = parse_tensor_header(json, path);
  const uint64_t start = 8 + json.size();
  check_layout(header, start, source.size(), path);
  TensorFile file;
  file.metadata = std::move(header.metadata);
  file.tensors.reserve(header.entries.size());
  for (const TensorEntry& entry : header.entries) {
    file.tensors.emplace_back(entry.name, read_tensor(entry, start, source, path));
  }
  return file;
}

}  // namespace

TensorFile read_tensor_file(const std::string& path) {
  FileSource source(path);
  return read(source, path);
}

TensorFile parse_tensor_file(std::string_view bytes, const std::string& path) {
  MemorySource source(bytes);
  return read(source, path);
}

}  // namespace rondo
