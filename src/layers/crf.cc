#include "layers/crf.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "base/errors.h"

namespace rondo {

namespace {

int64_t checked_labels(int64_t labels, const CrfConstraints& constraints) {
  if (labels < 1 || labels > Crf::kMaxLabels) {
    throw_error<ConfigError>("crf: 1 to {} labels, for every pair of them has a number; got {}",
                             Crf::kMaxLabels, labels);
  }
  if (!constraints.empty() && constraints.num_labels() != labels) {
    throw_error<ConfigError>("crf: constraints of {} labels for {} labels", constraints.num_labels(), labels);
  }
  return labels;
}

/// One element of a floating tensor.
void set_element(const Tensor& tensor, int64_t index, double value) {
  if (tensor.type() == DType::kFloat32) tensor.data<float>()[index] = static_cast<float>(value);
  if (tensor.type() == DType::kFloat64) tensor.data<double>()[index] = value;
  if (tensor.type() == DType::kComplex128) tensor.data<std::complex<double>>()[index] = value;
}

/// y = x * kept + forbidden.
Variable masked(const Variable& x, const Tensor& kept, const Tensor& forbidden) {
  if (!kept) return x;
  Backend& backend = x.tape().backend();
  const Tensor y(x.shape(), x.value().type());
  backend.multiply(x.matrix(), kept.matrix(), y.matrix(), false);
  backend.copy(forbidden.matrix(), y.matrix(), true);
  return x.tape().make_result(y, {x}, [&backend, kept](const Gradients& g) {
    backend.multiply(g.result(), kept.matrix(), g.input(0), true);
  });
}

/// The labels of packed sequence n, from a matrix [R, B] of labels or of one column of them.
std::vector<int32_t> labels_of(const Packing& packing, int64_t n, const int32_t* labels, int64_t stride) {
  std::vector<int32_t> path;
  for (int64_t t = 0; t < packing.length(n); ++t) path.push_back(labels[packing.rows().row(t, n) * stride]);
  return path;
}

}  // namespace

Crf::Crf(ParameterSet& set, const CrfShape& shape, CrfConstraints constraints)
    : num_labels_(checked_labels(shape.labels, constraints)),
      constraints_(std::move(constraints)),
      transitions_(set.add("crf.transitions", Tensor::zeros({num_labels_, num_labels_}, shape.type))),
      start_(set.add("crf.start_transitions", Tensor::zeros({num_labels_}, shape.type))),
      end_(set.add("crf.end_transitions", Tensor::zeros({num_labels_}, shape.type))) {
  if (!constraints_.empty()) make_masks(shape.type);
}

void Crf::make_masks(DType type) {
  const auto make = [&](Mask& mask, const Shape& shape, auto allowed) {
    mask = {Tensor::zeros(shape, type), Tensor::zeros(shape, type)};
    for (int64_t e = 0; e < mask.kept.size(); ++e) {
      const bool kept = allowed(static_cast<int32_t>(e));
      set_element(kept ? mask.kept : mask.forbidden, e, kept ? 1 : kForbiddenScore);
    }
  };
  const auto K = static_cast<int32_t>(num_labels_);
  make(transition_mask_, transitions_.value.shape(),
       [&](int32_t e) { return constraints_.allows(e / K, e % K); });
  make(start_mask_, start_.value.shape(), [&](int32_t e) { return constraints_.allows_first(e); });
  make(end_mask_, end_.value.shape(), [&](int32_t e) { return constraints_.allows_last(e); });
}

void Crf::initialize(Initialization rule, const Stream& stream) {
  constexpr double kBound = 0.1;
  if (rule == Initialization::kKeras) {
    initialize_glorot(transitions_.value, num_labels_, num_labels_, stream.sub(0));
    start_.value.fill(0);
    end_.value.fill(0);
    return;
  }
  initialize_uniform(transitions_.value, -kBound, kBound, stream.sub(0));
  initialize_uniform(start_.value, -kBound, kBound, stream.sub(1));
  initialize_uniform(end_.value, -kBound, kBound, stream.sub(2));
}

Crf::Weights Crf::weights(Tape& tape) const {
  const auto weight = [&](Parameter& parameter, const Mask& mask) {
    return masked(tape.parameter(parameter), mask.kept, mask.forbidden);
  };
  return {weight(transitions_, transition_mask_), weight(start_, start_mask_), weight(end_, end_mask_)};
}

void Crf::check_scores(const Variable& scores, const Packing& packing) const {
  const Matrix m = scores.matrix();
  if (m.rows != packing.num_rows() || m.columns != num_labels_) {
    throw_error<ShapeError>("crf: scores must be [{}, {}], got {}", packing.num_rows(), num_labels_,
                            to_string(scores.shape()));
  }
}

void Crf::check_targets(std::span<const int32_t> targets, const Packing& packing) const {
  if (static_cast<int64_t>(targets.size()) != packing.num_rows()) {
    throw_error<ShapeError>("crf: {} targets for {} packed rows", targets.size(), packing.num_rows());
  }
  for (const int32_t target : targets) {
    if (target >= 0 && target < num_labels_) continue;
    throw_error<DataError>("crf: a target must be 0 to {}, got {}", num_labels_ - 1, target);
  }
  for (int64_t n = 0; !constraints_.empty() && n < packing.sequences(); ++n) {
    const int64_t at = constraints_.first_break(labels_of(packing, n, targets.data(), 1));
    if (at < 0) continue;
    throw_error<DataError>(
        "crf: the targets of sequence {} break the scheme of tags at step {} of {}; "
        "convert them or train without constraints",
        packing.order()[n], at, packing.length(n));
  }
}

Variable Crf::loss(const Variable& scores, std::vector<int32_t> targets, const Packing& packing) const {
  check_scores(scores, packing);
  check_targets(targets, packing);
  Tape& tape = scores.tape();
  Backend& backend = tape.backend();
  const Weights w = weights(tape);
  const Tensor alphas(scores.shape(), scores.value().type());
  const Tensor losses({1, packing.sequences()}, scores.value().type());
  const auto views = [w] { return CrfWeights{w.transitions.matrix(), w.start.matrix(), w.end.matrix()}; };
  backend.crf_forward({.rows = packing.rows(),
                       .scores = scores.matrix(),
                       .weights = views(),
                       .targets = targets,
                       .alphas = alphas.matrix(),
                       .losses = losses.matrix()});
  return tape.make_result(
      losses, {scores, w.transitions, w.start, w.end},
      [&backend, scores, views, alphas, packing, targets = std::move(targets)](const Gradients& g) {
        backend.crf_backward({.rows = packing.rows(),
                              .scores = scores.matrix(),
                              .weights = views(),
                              .targets = targets,
                              .alphas = alphas.matrix(),
                              .d_losses = g.result(),
                              .d_scores = g.input(0),
                              .d_transitions = g.input(1),
                              .d_start = g.input(2),
                              .d_end = g.input(3)});
      });
}

std::vector<std::vector<CrfPath>> Crf::search(const Variable& scores, const Packing& packing,
                                              int64_t count) const {
  check_scores(scores, packing);
  const Weights w = weights(scores.tape());
  const int64_t N = packing.sequences();
  const Tensor labels({packing.num_rows(), count}, DType::kInt32);
  const Tensor path_scores({N, count}, DType::kFloat64);
  scores.tape().backend().crf_decode({.rows = packing.rows(),
                                      .scores = scores.matrix(),
                                      .weights = {w.transitions.matrix(), w.start.matrix(), w.end.matrix()},
                                      .labels = labels.matrix(),
                                      .path_scores = path_scores.matrix()});
  std::vector<std::vector<CrfPath>> paths(static_cast<size_t>(N));
  for (int64_t n = 0; n < N; ++n) {
    std::vector<CrfPath>& to = paths[packing.order()[n]];
    for (int64_t b = 0; b < count; ++b) {
      const double score = path_scores.at(n * count + b);
      if (b > 0 && score == -INFINITY) break;
      to.push_back({labels_of(packing, n, labels.data<int32_t>() + b, count), score, 0});
    }
  }
  return paths;
}

std::vector<CrfPath> Crf::decode(const Variable& scores, const Packing& packing) const {
  std::vector<CrfPath> best;
  for (std::vector<CrfPath>& paths : search(scores, packing, 1)) best.push_back(std::move(paths.front()));
  return best;
}

std::vector<std::vector<CrfPath>> Crf::n_best(const Variable& scores, const Packing& packing,
                                              int64_t count) const {
  if (count < 1 || count > kMaxPaths) {
    throw_error<ConfigError>("crf: 1 to {} paths can be asked for, got {}", kMaxPaths, count);
  }
  auto paths = search(scores, packing, count);
  std::vector<int32_t> best(static_cast<size_t>(packing.num_rows()));
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const std::vector<int32_t>& labels = paths[packing.order()[n]].front().labels;
    for (int64_t t = 0; t < packing.length(n); ++t) {
      best[static_cast<size_t>(packing.rows().row(t, n))] = labels[static_cast<size_t>(t)];
    }
  }
  const Tensor alphas(scores.shape(), scores.value().type());
  // Of the best path, and the others by their distance from it: log Z in single precision is too coarse a
  // ruler.
  const Tensor losses = losses_of(scores, packing, alphas, best);
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    std::vector<CrfPath>& of_sequence = paths[packing.order()[n]];
    const double best_score = of_sequence.front().score;
    for (CrfPath& path : of_sequence) {
      path.log_probability = std::min(0.0, path.score - best_score - losses.at(n));
    }
    const auto forbidden = [&](const CrfPath& path) { return constraints_.first_break(path.labels) >= 0; };
    if (!forbidden(of_sequence.front())) std::erase_if(of_sequence, forbidden);
  }
  return paths;
}

Tensor Crf::losses_of(const Variable& scores, const Packing& packing, const Tensor& alphas,
                      std::span<const int32_t> targets) const {
  const Weights w = weights(scores.tape());
  const Tensor losses({1, packing.sequences()}, scores.value().type());
  scores.tape().backend().crf_forward({.rows = packing.rows(),
                                       .scores = scores.matrix(),
                                       .weights = {w.transitions.matrix(), w.start.matrix(), w.end.matrix()},
                                       .targets = targets,
                                       .alphas = alphas.matrix(),
                                       .losses = losses.matrix()});
  return losses;
}

Tensor Crf::marginals(const Variable& scores, const Packing& packing) const {
  check_scores(scores, packing);
  const Weights w = weights(scores.tape());
  const Tensor alphas(scores.shape(), scores.value().type());
  losses_of(scores, packing, alphas, {});
  const Tensor marginals = Tensor::zeros(scores.shape(), scores.value().type());
  const Tensor ones({1, packing.sequences()}, scores.value().type());
  ones.fill(1);
  scores.tape().backend().crf_backward({.rows = packing.rows(),
                                        .scores = scores.matrix(),
                                        .weights = {w.transitions.matrix(), w.start.matrix(), w.end.matrix()},
                                        .alphas = alphas.matrix(),
                                        .d_losses = ones.matrix(),
                                        .d_scores = marginals.matrix()});
  return marginals;
}

}  // namespace rondo
