#include "layers/softmax_output.h"

#include <algorithm>

#include "base/errors.h"
#include "layers/distinct_rows.h"
#include "layers/linear.h"
#include "layers/linear_cross_entropy.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

constexpr int64_t kNarrower = 4;  // how much from tail to tail: div_value of PyTorch

// The rows of x whose target is in a tail, and those targets counted from its first id.
struct TailRows {
  std::vector<int32_t> rows, targets;
};

TailRows rows_in(std::span<const int32_t> targets, int64_t first, int64_t size) {
  TailRows found;
  for (size_t r = 0; r < targets.size(); ++r) {
    if (targets[r] < first || targets[r] >= first + size) continue;
    found.rows.push_back(static_cast<int32_t>(r));
    found.targets.push_back(static_cast<int32_t>(targets[r] - first));
  }
  return found;
}

Product scores(ConstMatrix x, const Parameter& weight, const Parameter* bias, Precision precision) {
  return {.a = x,
          .b = weight.value.matrix(),
          .bias = bias ? ConstMatrix(bias->value.matrix()) : ConstMatrix(),
          .transpose_b = true,
          .precision = precision};
}

// x W^T.
Tensor projected(Backend& backend, ConstMatrix x, const Parameter& weight, Precision precision) {
  Tensor y({x.rows, weight.value.dim(0)}, x.type);
  Product product = scores(x, weight, nullptr, precision);
  product.c = y.matrix();
  backend.product(product);
  return y;
}

}  // namespace

SoftmaxOutput::SoftmaxOutput(ParameterSet& set, const SoftmaxShape& shape, Parameter* tied)
    : shape_(shape), weight_(tied), tied_(tied != nullptr) {
  const Shape wanted = {shape.vocabulary, shape.input};
  if (tied_ && adaptive()) {
    throw_error<ConfigError>(
        "an adaptive softmax has weights of several sizes: it cannot be tied to the embedding");
  }
  if (tied_ && tied->value.shape() != wanted) {
    throw_error<ShapeError>("softmax: {} {} is tied, wanted {}", tied->name, to_string(tied->value.shape()),
                            to_string(wanted));
  }
  if (adaptive()) {
    add_tails(set);
    return;
  }
  if (!tied_) weight_ = &set.add("decoder.weight", Tensor::zeros(wanted, shape.type));
  bias_ = &set.add("decoder.bias", Tensor::zeros({shape.vocabulary}, shape.type));
}

void SoftmaxOutput::add_tails(ParameterSet& set) {
  std::vector<int64_t> ends = shape_.cutoffs;
  ends.push_back(shape_.vocabulary);
  if (ends.front() < 1 || std::adjacent_find(ends.begin(), ends.end(), std::greater_equal()) != ends.end()) {
    throw_error<ConfigError>(
        "adaptive softmax: cutoffs {} must rise, from 1 on and below the vocabulary of {}",
        fmt::join(shape_.cutoffs, ", "), shape_.vocabulary);
  }
  const auto add = [&](const std::string& name, Shape shape) {
    return &set.add("decoder." + name + ".weight", Tensor::zeros(std::move(shape), shape_.type));
  };
  weight_ = add("head", {ends[0] + static_cast<int64_t>(shape_.cutoffs.size()), shape_.input});
  int64_t width = shape_.input;
  for (size_t i = 0; i + 1 < ends.size(); ++i) {
    width /= kNarrower;
    if (width < 1) {
      throw_error<ConfigError>("adaptive softmax: {} cutoffs need an input of {} at least, got {}",
                               shape_.cutoffs.size(), int64_t{1} << std::min<size_t>(2 * (i + 1), 62),
                               shape_.input);
    }
    const int64_t size = ends[i + 1] - ends[i];
    tails_.push_back({.first = ends[i],
                      .size = size,
                      .down = add(fmt::format("tail.{}.0", i), {width, shape_.input}),
                      .up = add(fmt::format("tail.{}.1", i), {size, width})});
  }
}

void SoftmaxOutput::initialize(Initialization rule, const Stream& stream) {
  if (tied_) return bias_->value.fill(0);
  initialize_linear(rule, weight_->value, bias_ ? bias_->value : Tensor(), stream.sub(0));
  for (size_t i = 0; i < tails_.size(); ++i) {
    initialize_linear(rule, tails_[i].down->value, {}, stream.sub(2 * i + 1));
    initialize_linear(rule, tails_[i].up->value, {}, stream.sub(2 * i + 2));
  }
}

void SoftmaxOutput::check(const Variable& x, std::span<const int32_t> targets) const {
  if (!x || x.matrix().columns != shape_.input || x.matrix().rows != static_cast<int64_t>(targets.size())) {
    throw_error<ShapeError>("softmax: x must be [{}, {}], got {}", targets.size(), shape_.input,
                            x ? to_string(x.shape()) : "nothing");
  }
  for (const int32_t id : targets) {
    if (id < 0 || id >= shape_.vocabulary) {
      throw_error<DataError>("softmax: target {} of a vocabulary of {}", id, shape_.vocabulary);
    }
  }
}

int32_t SoftmaxOutput::head_column(int32_t id) const {
  const auto tail = std::upper_bound(shape_.cutoffs.begin(), shape_.cutoffs.end(), id);
  if (tail == shape_.cutoffs.begin()) return id;
  return static_cast<int32_t>(shape_.cutoffs[0] + (tail - shape_.cutoffs.begin()) - 1);
}

std::vector<int32_t> SoftmaxOutput::head_columns(std::span<const int32_t> targets) const {
  std::vector<int32_t> columns(targets.begin(), targets.end());
  if (adaptive())
    std::transform(columns.begin(), columns.end(), columns.begin(),
                   [&](int32_t id) { return head_column(id); });
  return columns;
}

Variable SoftmaxOutput::loss(const Variable& x, std::vector<int32_t> targets, double scale,
                             Precision precision, double smoothing) const {
  check(x, targets);
  if (smoothing > 0 && adaptive()) {
    throw_error<ConfigError>("an adaptive softmax takes no smoothed targets: it does not score all tokens");
  }
  Tape& tape = x.tape();
  Variable total = linear_cross_entropy({.x = x,
                                         .w = tape.parameter(*weight_),
                                         .b = bias_ ? tape.parameter(*bias_) : Variable(),
                                         .targets = head_columns(targets),
                                         .scale = scale,
                                         .precision = precision,
                                         .smoothing = smoothing});
  for (const Tail& tail : tails_) {
    TailRows in = rows_in(targets, tail.first, tail.size);
    if (in.rows.empty()) continue;
    const Variable rows = gather({x, std::move(in.rows)});
    total = add(total, linear_cross_entropy({.x = linear(rows, tape.parameter(*tail.down), {}, precision),
                                             .w = tape.parameter(*tail.up),
                                             .targets = std::move(in.targets),
                                             .scale = scale,
                                             .precision = precision}));
  }
  return total;
}

Tensor SoftmaxOutput::losses(const Variable& x, std::span<const int32_t> targets, Precision precision) const {
  check(x, targets);
  Backend& backend = x.tape().backend();
  const DType type = x.value().type();
  Tensor result({x.matrix().rows}, type);
  linear_cross_entropies(backend, scores(x.matrix(), *weight_, bias_, precision), head_columns(targets),
                         result.matrix());
  const Matrix column{result.raw(), type, x.matrix().rows, 1, 1};
  for (const Tail& tail : tails_) {
    const TailRows in = rows_in(targets, tail.first, tail.size);
    if (in.rows.empty()) continue;
    const auto count = static_cast<int64_t>(in.rows.size());
    const Tensor rows({count, shape_.input}, type);
    backend.gather_rows(x.matrix(), in.rows, rows.matrix());
    const Tensor narrow = projected(backend, rows.matrix(), *tail.down, precision);
    const Tensor inside({count, 1}, type);
    linear_cross_entropies(backend, scores(narrow.matrix(), *tail.up, nullptr, precision), in.targets,
                           inside.reshape({1, count}).matrix());
    backend.scatter_add_rows(inside.matrix(), in.rows, column);
  }
  return result;
}

Tensor SoftmaxOutput::log_probabilities(const Variable& x, Precision precision) const {
  const int64_t rows = x.matrix().rows;
  check(x, std::vector<int32_t>(static_cast<size_t>(rows), 0));
  Backend& backend = x.tape().backend();
  const DType type = x.value().type();
  const Tensor result({rows, shape_.vocabulary}, type);
  const Tensor head = adaptive() ? Tensor({rows, weight_->value.dim(0)}, type) : result;
  Product product = scores(x.matrix(), *weight_, bias_, precision);
  product.c = head.matrix();
  linear_log_probabilities(backend, product);
  if (!adaptive()) return result;
  const int64_t shortlist = shape_.cutoffs.front();
  backend.copy(head.matrix().columns_at(0, shortlist), result.matrix().columns_at(0, shortlist), false);
  for (size_t i = 0; i < tails_.size(); ++i) {
    const Tail& tail = tails_[i];
    const Tensor narrow = projected(backend, x.matrix(), *tail.down, precision);
    product = scores(narrow.matrix(), *tail.up, nullptr, precision);
    product.c = result.matrix().columns_at(tail.first, tail.size);
    linear_log_probabilities(backend, product);
    const Tensor ones({1, tail.size}, type);
    ones.fill(1);
    backend.product({.a = head.matrix().columns_at(shortlist + static_cast<int64_t>(i), 1),
                     .b = ones.matrix(),
                     .c = product.c,
                     .accumulate = true});
  }
  return result;
}

}  // namespace rondo
