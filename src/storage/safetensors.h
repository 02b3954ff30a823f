// Named tensors and text in one safetensors file, as Hugging Face's library reads and writes it:
// 8 bytes of header length, a JSON header padded with spaces, then the numbers. Nothing in it can run.
//   TensorFile file;  file.tensors.emplace_back("linear.weight", w);  write_tensor_file("w.safetensors",
//   file); Tensor same = read_tensor_file("w.safetensors").find("linear.weight");
// The format: https://github.com/huggingface/safetensors#format
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace rondo {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// The tensor of this name. @throws FormatError that names it if there is none.
const Tensor& find_tensor(const NamedTensors& tensors, const std::string& name);

struct TensorFile {
  std::map<std::string, std::string> metadata;
  NamedTensors tensors;  ///< float32, float64, int32, uint8 or int8

  const Tensor& find(const std::string& name) const { return find_tensor(tensors, name); }
};

/// The header of the file: JSON with the metadata (sorted by key) and the tensors in their order, padded with
/// spaces to a multiple of 8 bytes. The same content gives the same bytes.
/// @throws FormatError for a complex tensor, a name given twice, or text that is not UTF-8.
std::string tensor_file_header(const TensorFile& file);

/// Writes the file beside its target and renames it (AtomicFile).
/// An empty tensor is written, and comes back, with the shape [0].
/// @throws FormatError as tensor_file_header; IoError.
void write_tensor_file(const std::string& path, const TensorFile& file);

/// Reads and checks everything that the header says before memory is taken: no tensor is larger than the
/// file. A scalar (shape []) comes back with the shape [1].
/// @throws FormatError that says what is wrong and where; IoError if it is no regular file or cannot be read.
/// Cost: memory of the file's tensors, and of a few times its header.
TensorFile read_tensor_file(const std::string& path);

/// The same of a file's bytes. @param path  for messages.
TensorFile parse_tensor_file(std::string_view bytes, const std::string& path);

/// Of all metadata but the key "checksum" and of all tensors, whatever their order in the file: 8 hexadecimal
/// digits (CRC-32). Finds damage, not forgery.
std::string checksum(const TensorFile& file);

}  // namespace rondo
