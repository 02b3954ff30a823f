#include "training/transfer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/errors.h"

namespace rondo {

namespace {

constexpr const char* kShape[] = {"tokenizer",     "embedding",    "cell",        "hidden",    "layers",
                                  "bidirectional", "nonlinearity", "reset",       "peepholes", "coupled",
                                  "without",       "projection",   "last-hidden", "tied",      "adaptive",
                                  "tied-layers",   "along-depth",  "along-time",  "priority",  "output-gate"};

// lstm.weight_ih_l1_reverse -> 1; no such layer: -1.
int64_t layer_of(const std::string& name) {
  const size_t at = name.rfind("_l");
  if (at == std::string::npos || at + 2 >= name.size() || name[at + 2] < '0' || name[at + 2] > '9') return -1;
  return std::stoll(name.substr(at + 2));
}

int64_t depth_of(const std::string& name, int64_t layers) {
  if (name.starts_with("embedding.")) return layers;
  const int64_t layer = layer_of(name);
  return layer < 0 ? 0 : layers - 1 - layer;
}

// Rows by columns; a vector has a number a row.
std::pair<int64_t, int64_t> size_of_rows(const Shape& shape) {
  return shape.size() == 1 ? std::pair{shape[0], int64_t{1}} : std::pair{shape.at(0), shape.at(1)};
}

void fill_with_mean(const Tensor& value, int64_t known, int64_t rows, int64_t columns) {
  float* data = value.data<float>();
  for (int64_t c = 0; c < columns; ++c) {
    double sum = 0;
    for (int64_t r = 0; r < known; ++r) sum += data[r * columns + c];
    for (int64_t r = known; r < rows; ++r) {
      data[r * columns + c] = static_cast<float>(sum / static_cast<double>(known));
    }
  }
}

}  // namespace

void TransferOptions::check() const {
  const TransferOptions defaults;
  if (!from.empty()) return;
  if (layer_rate != defaults.layer_rate || unfreeze != defaults.unfreeze) {
    throw_error<ConfigError>("--layer-rate and --unfreeze have no effect without --from");
  }
}

void inherit_shape(const OptionList& own, const OptionList& base, const TransferOptions& options) {
  const auto among = [](const auto& names, const std::string& name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  for (const Option& option : own.all()) {
    if (!among(kShape, option.name)) continue;
    for (const Option& theirs : base.all()) {
      if (theirs.name != option.name) continue;
      if (option.get() != theirs.get() && among(options.chosen, option.name)) {
        const std::string value = theirs.text();
        throw_error<ConfigError>("--{} {}: {} has {}, and its weights fit nothing else; leave it out",
                                 option.name, option.text(), options.from, value.empty() ? "none" : value);
      }
      option.set(theirs.get());
    }
  }
}

Vocabulary grown(const Vocabulary& base, const Vocabulary& found) {
  std::vector<std::string> tokens = base.tokens();
  for (const std::string& token : found.tokens()) {
    if (token != Vocabulary::kUnknownToken && base.id(token) == Vocabulary::kUnknown) tokens.push_back(token);
  }
  return Vocabulary::from_tokens(std::move(tokens));
}

int64_t take_parameters(const ParameterSet& from, ParameterSet& to) {
  int64_t taken = 0;
  for (const Parameter& source : from.all()) {
    for (Parameter& target : to.all()) {
      if (target.name != source.name) continue;
      const auto [known, columns] = size_of_rows(source.value.shape());
      const auto [rows, width] = size_of_rows(target.value.shape());
      if (columns != width || known > rows) {
        throw_error<ShapeError>("{}: {} of the model to begin from does not fit {}", target.name,
                                to_string(source.value.shape()), to_string(target.value.shape()));
      }
      std::memcpy(target.value.raw(), source.value.raw(), static_cast<size_t>(source.value.bytes()));
      fill_with_mean(target.value, known, rows, columns);
      ++taken;
    }
  }
  return taken;
}

void set_rates(ParameterSet& parameters, const TransferOptions& options, int64_t layers, int64_t epoch) {
  for (Parameter& parameter : parameters.all()) {
    const int64_t depth = depth_of(parameter.name, layers);
    const bool frozen = options.unfreeze > 0 && depth * options.unfreeze > epoch;
    parameter.rate = frozen ? 0 : std::pow(options.layer_rate, static_cast<double>(depth));
  }
}

}  // namespace rondo
