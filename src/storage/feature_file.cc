#include "storage/feature_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "storage/safetensors.h"

namespace rondo {

namespace {

const Tensor& features_of(const TensorFile& file, const std::string& path) {
  const auto named = std::ranges::find(file.tensors, "features", &NamedTensors::value_type::first);
  if (named != file.tensors.end()) return named->second;
  if (file.tensors.size() == 1) return file.tensors.front().second;
  throw_error<FormatError>("{}: {} tensors and none named features; save the regions under this name", path,
                           file.tensors.size());
}

std::vector<std::string> names_of(const TensorFile& file, const std::string& path) {
  const auto found = file.metadata.find("images");
  if (found == file.metadata.end()) return {};
  const nlohmann::json json = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  const bool good =
      json.is_array() && std::ranges::all_of(json, [](const auto& one) { return one.is_string(); });
  if (!good) throw_error<FormatError>("{}: its metadata key images is no JSON list of names", path);
  return json.get<std::vector<std::string>>();
}

}  // namespace

FeatureFile read_features(const std::string& path) {
  const TensorFile file = read_tensor_file(path);
  const Tensor& x = features_of(file, path);
  const bool real = x.type() == DType::kFloat32 || x.type() == DType::kFloat64;
  if (!real || x.shape().size() != 3 || x.size() == 0) {
    throw_error<FormatError>("{}: features must be float32 or float64 [images, regions, D], got {}{}", path,
                             to_string(x.shape()), real ? "" : " of another type");
  }
  FeatureFile result{.path = path, .features = x.to(DType::kFloat32), .names = names_of(file, path)};
  if (!result.names.empty() && static_cast<int64_t>(result.names.size()) != result.images()) {
    throw_error<FormatError>("{}: {} names (metadata key images) for the features of {} pictures", path,
                             result.names.size(), result.images());
  }
  if (!std::ranges::all_of(result.features.values<float>(), [](float v) { return std::isfinite(v); })) {
    throw_error<FormatError>("{}: a feature is infinite or not a number", path);
  }
  return result;
}

}  // namespace rondo
