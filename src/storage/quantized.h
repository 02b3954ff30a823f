// Weights of a finished model as whole numbers, a quarter of the size: row r of a matrix W is scale[r] *
// Q[r], Q from -127 to 127. In the file Q is the I8 tensor NAME and the scales are the F32 tensor NAME.scale.
//   write_model_file("small.rondo", quantize(read_model_file("news.rondo")));
#pragma once

#include <string>

#include "storage/model_file.h"

namespace rondo {

/// One matrix as whole numbers: scale = largest size in the row / 127, Q = nearest(W / scale), ties to even.
struct QuantizedMatrix {
  Tensor numbers;  ///< int8 [rows, columns]
  Tensor scales;   ///< [rows]
};

/// scale * Q, quantized once more (as the int8 kernels do), gives the same Q and the same scale, bit for bit.
/// @param name  for messages.  @throws DataError if a number of the float32 matrix is not finite.
QuantizedMatrix quantize_matrix(const Tensor& matrix, const std::string& name);
/// scale * Q as float32. @throws FormatError for scales that no matrix has, or a Q of -128.
Tensor dequantize_matrix(const QuantizedMatrix& matrix, const std::string& name);

/// The model with its matrices quantized (recurrent weights, embedding, linear, attention; biases and
/// peepholes stay) and the precision int8 in its configuration. @throws ConfigError if it is quantized.
ModelFile quantize(const ModelFile& file);

/// Whether a tensor of the file is int8.
bool is_quantized(const ModelFile& file);
/// The same model with float32 weights; itself if nothing is quantized. @param path  for messages.
/// @throws FormatError if a scale is missing, left over, or of another size. Cost: memory of the weights.
ModelFile dequantize(const ModelFile& file, const std::string& path);

}  // namespace rondo
