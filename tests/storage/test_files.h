// Files for the tests of storage: written byte by byte, so that they may be wrong.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "storage/safetensors.h"

namespace rondo {

/// A folder that goes away with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rondo_storage_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  size_t num_files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::string get_bytes(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// 8 bytes of length, the header as given, the data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data = "") {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(uint64_t{header.size()} >> (8 * i)));
  return bytes + header + data;
}

/// A tensor with the values 0.5, 1.5, 2.5, ... (floats) or 0, 1, 2, ... (others).
inline Tensor counting(Shape shape, DType type = DType::kFloat32) {
  Tensor tensor(std::move(shape), type);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (type == DType::kFloat32) tensor.data<float>()[i] = static_cast<float>(i) + 0.5F;
    if (type == DType::kFloat64) tensor.data<double>()[i] = static_cast<double>(i) + 0.5;
    if (type == DType::kInt32) tensor.data<int32_t>()[i] = static_cast<int32_t>(i);
    if (type == DType::kUint8) tensor.data<uint8_t>()[i] = static_cast<uint8_t>(i);
  }
  return tensor;
}

inline std::string raw_bytes(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.raw()), static_cast<size_t>(tensor.bytes())};
}

inline bool same(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first || a[i].second.shape() != b[i].second.shape() ||
        a[i].second.type() != b[i].second.type() || raw_bytes(a[i].second) != raw_bytes(b[i].second)) {
      return false;
    }
  }
  return true;
}

}  // namespace rondo
