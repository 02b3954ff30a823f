#include <algorithm>
#include <bit>
#include <cmath>

#include "inference/text_generator.h"
#include "inspect/difference.h"
#include "storage/dtypes.h"
#include "storage/quantized.h"

namespace rondo {

namespace {

void compare_options(const nlohmann::json& a, const nlohmann::json& b, std::vector<std::string>& said) {
  constexpr const char* kAlphabet = "alphabet";  // a vocabulary, compared as such
  const auto text = [](const nlohmann::json& config, const std::string& name) {
    return config.contains(name) ? config.at(name).dump() : "none";
  };
  nlohmann::json all = nlohmann::json::object();  // a hostile file may hold anything
  for (const nlohmann::json* config : {&a, &b}) {
    if (config->is_object()) all.update(*config);
  }
  for (const auto& [name, value] : all.items()) {
    if (name == kAlphabet || text(a, name) == text(b, name)) continue;
    said.push_back(fmt::format("option {}: {} and {}", name, text(a, name), text(b, name)));
  }
}

void compare_lists(const char* what, const std::vector<std::string>& a, const std::vector<std::string>& b,
                   std::vector<std::string>& said) {
  if (a == b) return;
  const auto shorter = std::min(a.size(), b.size());
  const auto place = static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shorter), b.begin()).first -
      a.begin());
  const auto entry = [&](const std::vector<std::string>& list) {
    return place < list.size() ? quoted_token(list[place]) : "no more";
  };
  said.push_back(fmt::format("{}: {} and {} entries, the first that differs is number {}: {} and {}", what,
                             a.size(), b.size(), place, entry(a), entry(b)));
}

bool differs(float a, float b, double tolerance) {
  if (std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b)) return false;
  return tolerance == 0 || !(std::abs(static_cast<double>(a) - b) <= tolerance);
}

/// The tensors of two files, from the first that differs to the largest difference of all.
class TensorComparison {
 public:
  explicit TensorComparison(double tolerance) : tolerance_(tolerance) {}

  void add(const std::string& name, const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.type() != b.type()) {
      note(fmt::format("tensor {}: {} {} and {} {}", name, dtype_name(a.type()), to_string(a.shape()),
                       dtype_name(b.type()), to_string(b.shape())));
      return;
    }
    if (a.type() != DType::kFloat32) {
      const auto* bytes_a = static_cast<const char*>(a.raw());
      const auto* bytes_b = static_cast<const char*>(b.raw());
      if (!std::equal(bytes_a, bytes_a + a.bytes(), bytes_b))
        note(fmt::format("tensor {}: other bytes", name));
      return;
    }
    bool found = false;
    for (int64_t e = 0; e < a.size(); ++e) {
      const float x = a.data<float>()[e], y = b.data<float>()[e];
      if (!differs(x, y, tolerance_)) continue;
      if (!found) note(fmt::format("tensor {}: from its number {} on: {} and {}", name, place(a, e), x, y));
      found = true;
      if (std::abs(static_cast<double>(x) - y) <= largest_) continue;
      largest_ = std::abs(static_cast<double>(x) - y);
      where_ = fmt::format("{} {}", name, place(a, e));
    }
  }
  void note(const std::string& sentence) {
    if (count_++ == 0) first_ = sentence;
  }
  void report(std::vector<std::string>& said) const {
    if (count_ == 0) return;
    said.push_back(first_);
    if (!where_.empty()) {
      said.push_back(fmt::format("in all {} tensors differ, most {} by {:.3g}", count_, where_, largest_));
    }
  }

 private:
  static std::string place(const Tensor& tensor, int64_t element) {
    if (tensor.shape().size() < 2) return fmt::format("[{}]", element);
    return fmt::format("[{}, {}]", element / tensor.shape().back(), element % tensor.shape().back());
  }

  double tolerance_;
  int64_t count_ = 0;
  std::string first_, where_;
  double largest_ = -1;
};

const Tensor* found_in(const ModelFile& file, const std::string& name) {
  for (const auto& [other, tensor] : file.tensors) {
    if (other == name) return &tensor;
  }
  return nullptr;
}

void compare_tensors(const ModelFile& a, const ModelFile& b, double tolerance,
                     std::vector<std::string>& said) {
  TensorComparison comparison(tolerance);
  for (const auto& [name, tensor] : a.tensors) {
    if (const Tensor* other = found_in(b, name)) {
      comparison.add(name, tensor, *other);
    } else {
      comparison.note(fmt::format("tensor {}: in the first file alone", name));
    }
  }
  for (const auto& [name, tensor] : b.tensors) {
    if (found_in(a, name) == nullptr)
      comparison.note(fmt::format("tensor {}: in the second file alone", name));
  }
  comparison.report(said);
}

std::vector<std::string> alphabet(const ModelFile& file) {
  std::vector<std::string> characters;
  const auto found = file.config.find("alphabet");
  if (found == file.config.end() || !found->is_array()) return characters;
  for (const nlohmann::json& one : *found)
    characters.push_back(one.is_string() ? one.get<std::string>() : "");
  return characters;
}

}  // namespace

std::vector<std::string> file_differences(const ModelFile& a, const ModelFile& b, double tolerance) {
  std::vector<std::string> said;
  if (a.kind != b.kind) said.push_back(fmt::format("kind: {} and {}", kind_in_words(a), kind_in_words(b)));
  compare_options(a.config, b.config, said);
  compare_lists("labels", a.labels, b.labels, said);
  compare_lists("vocabulary", a.vocabulary, b.vocabulary, said);
  compare_lists("target vocabulary", a.target_vocabulary, b.target_vocabulary, said);
  compare_lists("alphabet", alphabet(a), alphabet(b), said);
  if (a.tokenizer_model != b.tokenizer_model || a.target_tokenizer_model != b.target_tokenizer_model) {
    said.emplace_back("subword tokenizer: another model");
  }
  compare_tensors(dequantize(a, "the first file"), dequantize(b, "the second file"), tolerance, said);
  return said;
}

}  // namespace rondo
