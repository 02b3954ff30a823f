#include "storage/quantized.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"

namespace rondo {

namespace {

constexpr const char* kScale = ".scale";
constexpr float kMost = 127;
// Below, 127 / largest overflows or a number loses digits: such a row is zeros.
constexpr float kSmallest = 1e-30F;

// A scale near largest/127 that comes back where 127*scale is quantized: a product with 127 and the division
// by it do not undo each other for about one number in a hundred.
float stable_scale(float largest) {
  float scale = largest / kMost;
  for (int i = 0; i < 8; ++i) {
    const float again = scale * kMost / kMost;
    if (again == scale) break;
    scale = again;
  }
  return scale;
}

float largest_of(const float* row, int64_t columns, const std::string& name) {
  float largest = 0;
  for (int64_t j = 0; j < columns; ++j) {
    if (!std::isfinite(row[j])) throw_error<DataError>("{}: a weight is not finite: {}", name, row[j]);
    largest = std::max(largest, std::abs(row[j]));
  }
  return largest;
}

void quantize_row(const float* from, int64_t columns, float largest, int8_t* to) {
  const float factor = kMost / largest;
  for (int64_t j = 0; j < columns; ++j) {
    to[j] = static_cast<int8_t>(std::clamp(std::nearbyint(from[j] * factor), -kMost, kMost));
  }
}

bool is_matrix(const std::string& name, const Tensor& tensor) {
  return tensor.type() == DType::kFloat32 && tensor.shape().size() == 2 &&
         name.find("peephole") == std::string::npos;
}

const Tensor* find_optional(const NamedTensors& tensors, const std::string& name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.first == name; });
  return found == tensors.end() ? nullptr : &found->second;
}

Tensor dequantize(const ModelFile& file, const std::string& name, const Tensor& numbers,
                  const std::string& path) {
  const std::string where = path + ": " + name;
  const Tensor* scales = find_optional(file.tensors, name + kScale);
  if (scales == nullptr) throw_error<FormatError>("{}: int8 without {}{}", where, name, kScale);
  if (numbers.shape().size() != 2 || scales->type() != DType::kFloat32 ||
      scales->shape() != Shape{numbers.dim(0)}) {
    throw_error<FormatError>("{}: int8 must be [rows, columns] with float32 scales [rows], got {} and {}",
                             where, to_string(numbers.shape()), to_string(scales->shape()));
  }
  return dequantize_matrix({numbers, *scales}, where);
}

}  // namespace

QuantizedMatrix quantize_matrix(const Tensor& matrix, const std::string& name) {
  const int64_t rows = matrix.dim(0), columns = matrix.dim(1);
  QuantizedMatrix result{Tensor::zeros({rows, columns}, DType::kInt8), Tensor::zeros({rows})};
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = matrix.data<float>() + r * columns;
    const float largest = largest_of(row, columns, name);
    if (largest < kSmallest) continue;
    result.scales.data<float>()[r] = stable_scale(largest);
    quantize_row(row, columns, largest, result.numbers.data<int8_t>() + r * columns);
  }
  return result;
}

Tensor dequantize_matrix(const QuantizedMatrix& matrix, const std::string& name) {
  const int64_t rows = matrix.numbers.dim(0), columns = matrix.numbers.dim(1);
  Tensor result({rows, columns});
  for (int64_t r = 0; r < rows; ++r) {
    const float scale = matrix.scales.data<float>()[r];
    if (!(scale >= 0 && scale <= std::numeric_limits<float>::max() / kMost)) {
      throw_error<FormatError>("{}: scale {} of row {} is none", name, scale, r);
    }
    const int8_t* from = matrix.numbers.data<int8_t>() + r * columns;
    for (int64_t j = 0; j < columns; ++j) {
      if (from[j] == -128)
        throw_error<FormatError>("{}: -128 in row {}; numbers go from -127 to 127", name, r);
      result.data<float>()[r * columns + j] = scale * static_cast<float>(from[j]);
    }
  }
  return result;
}

bool is_quantized(const ModelFile& file) {
  return std::any_of(file.tensors.begin(), file.tensors.end(),
                     [](const auto& tensor) { return tensor.second.type() == DType::kInt8; });
}

ModelFile quantize(const ModelFile& file) {
  if (is_quantized(file)) throw_error<ConfigError>("the model is quantized already");
  if (const auto cell = file.config.find("cell"); cell != file.config.end() && *cell == "grid") {
    throw_error<ConfigError>("a grid runs in f32 or bf16; there is no int8 for it");
  }
  ModelFile result = file;
  result.config["precision"] = "int8";
  result.tensors.clear();
  NamedTensors numbers;  // last: bytes of any number would put floats behind them off their alignment
  for (const auto& [name, tensor] : file.tensors) {
    if (!is_matrix(name, tensor)) {
      result.tensors.emplace_back(name, tensor);
      continue;
    }
    QuantizedMatrix matrix = quantize_matrix(tensor, name);
    result.tensors.emplace_back(name + kScale, std::move(matrix.scales));
    numbers.emplace_back(name, std::move(matrix.numbers));
  }
  std::move(numbers.begin(), numbers.end(), std::back_inserter(result.tensors));
  return result;
}

ModelFile dequantize(const ModelFile& file, const std::string& path) {
  ModelFile result = file;
  result.tensors.clear();
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.type() == DType::kInt8) {
      result.tensors.emplace_back(name, dequantize(file, name, tensor, path));
      continue;
    }
    const bool scales = name.ends_with(kScale);
    const Tensor* owner =
        scales ? find_optional(file.tensors, name.substr(0, name.size() - std::string(kScale).size()))
               : nullptr;
    if (owner == nullptr || owner->type() != DType::kInt8) result.tensors.emplace_back(name, tensor);
  }
  return result;
}

}  // namespace rondo
