#include "storage/safetensors.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/files.h"
#include "storage/dtypes.h"

namespace rondo {

// The format is little-endian, and numbers are written as they stand in memory.
static_assert(std::endian::native == std::endian::little);

namespace {

std::string_view bytes_of(const Tensor& tensor) {
  if (!tensor) return {};
  return {static_cast<const char*>(tensor.raw()), static_cast<size_t>(tensor.bytes())};
}

nlohmann::ordered_json describe(const std::string& name, const Tensor& tensor) {
  const std::string_view dtype = dtype_name(tensor.type());
  if (dtype.empty()) {
    throw_error<FormatError>("tensor \"{}\": complex numbers have no place in a file; convert it to float64",
                             name);
  }
  nlohmann::ordered_json entry;
  entry["dtype"] = dtype;
  entry["shape"] = tensor ? tensor.shape() : Shape{0};
  return entry;
}

// dump() is where nlohmann-json finds text that is not UTF-8.
std::string dump(const nlohmann::ordered_json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw_error<FormatError>("metadata and tensor names must be UTF-8");
  }
}

void append_length(std::string& bytes, uint64_t length) {
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(length >> (8 * i)));
}

// CRC-32 of text with its length in front, so that "ab" "c" is not "a" "bc".
uint32_t add_text(uint32_t crc, std::string_view text) {
  std::string length;
  append_length(length, text.size());
  crc = static_cast<uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(length.data()), length.size()));
  if (text.empty()) return crc;  // a null pointer would start the sum anew
  return static_cast<uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

}  // namespace

const Tensor& find_tensor(const NamedTensors& tensors, const std::string& name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.first == name; });
  if (found == tensors.end()) throw_error<FormatError>("tensor \"{}\" is missing", name);
  return found->second;
}

std::string tensor_file_header(const TensorFile& file) {
  // Built as text entry by entry: ordered_json looks a key up by going through all of them, and would hold
  // the vocabulary once more.
  std::string header = "{";
  for (const auto& [key, text] : file.metadata) {
    header += header.size() > 1 ? "," : "\"__metadata__\":{";
    header += dump(key) + ":";
    header += dump(text);
  }
  if (!file.metadata.empty()) header += '}';
  std::set<std::string_view> names = {"__metadata__"};
  int64_t begin = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (!names.insert(name).second) throw_error<FormatError>("tensor \"{}\" is given twice", name);
    nlohmann::ordered_json entry = describe(name, tensor);
    const int64_t end = begin + tensor.bytes();
    entry["data_offsets"] = {begin, end};
    if (header.size() > 1) header += ',';
    header += dump(name) + ":" + dump(entry);
    begin = end;
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

void write_tensor_file(const std::string& path, const TensorFile& file) {
  const std::string header = tensor_file_header(file);
  std::string start;
  append_length(start, header.size());
  AtomicFile target(path);
  target.write(start);
  target.write(header);
  for (const auto& [name, tensor] : file.tensors) target.write(bytes_of(tensor));
  target.commit();
}

std::string checksum(const TensorFile& file) {
  uint32_t crc = 0;
  for (const auto& [key, text] : file.metadata) {
    if (key != "checksum") crc = add_text(add_text(crc, key), text);
  }
  std::vector<const std::pair<std::string, Tensor>*> sorted;
  for (const auto& tensor : file.tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* tensor : sorted) {
    crc = add_text(crc, tensor->first);
    crc = add_text(crc, describe(tensor->first, tensor->second).dump());
    crc = add_text(crc, bytes_of(tensor->second));
  }
  return fmt::format("{:08x}", crc);
}

}  // namespace rondo
