// The CRF against every path written out, against a hidden Markov model, and its exact gradients.
#include <gtest/gtest.h>

#include "crf_cases.h"
#include "gradients.h"
#include "kernels/reference/crf.h"
#include "kernels/reference/reference_backend.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

class ReferenceCrf : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();

  /// Runs body(operands) for all K to 4 and T to 5, and for an empty sequence.
  template <class Body>
  void each_small(int64_t best, Body body) {
    for (int64_t labels = 1; labels <= 4; ++labels) {
      CrfOperands<double> crf({.labels = labels, .lengths = {3, 5, 0, 1, 4, 2}, .scale = 2, .best = best},
                              static_cast<uint64_t>(labels));
      SCOPED_TRACE(labels);
      body(crf);
    }
  }
};

TEST_F(ReferenceCrf, LossIsTheEnumerationOfAllPaths) {
  each_small(1, [&](CrfOperands<double>& crf) {
    backend_->crf_forward(crf.forward());
    for (int64_t n = 0; n < crf.packing.sequences(); ++n) {
      const auto paths = all_paths(crf, n);
      std::vector<int32_t> target;
      for (int64_t t = 0; t < crf.packing.length(n); ++t)
        target.push_back(crf.targets[crf.packing.rows().row(t, n)]);
      const auto of_target =
          std::find_if(paths.begin(), paths.end(), [&](const auto& path) { return path.labels == target; });
      ASSERT_NE(of_target, paths.end());
      EXPECT_NEAR(crf.losses(0, n), log_total(paths) - of_target->score, 1e-12) << n;
    }
  });
}

TEST_F(ReferenceCrf, WithoutTargetsTheLossIsLogZ) {
  each_small(1, [&](CrfOperands<double>& crf) {
    crf.targets.clear();
    backend_->crf_forward(crf.forward());
    for (int64_t n = 0; n < crf.packing.sequences(); ++n)
      EXPECT_NEAR(crf.losses(0, n), log_total(all_paths(crf, n)), 1e-12) << n;
  });
}

TEST_F(ReferenceCrf, MarginalsAreThoseOfTheEnumerationAndSumToOne) {
  each_small(1, [&](CrfOperands<double>& crf) {
    crf.marginals(*backend_);
    for (int64_t n = 0; n < crf.packing.sequences(); ++n) {
      const auto paths = all_paths(crf, n);
      const double log_z = log_total(paths);
      for (int64_t t = 0; t < crf.packing.length(n); ++t) {
        std::vector<double> expected(static_cast<size_t>(crf.shape.labels), 0);
        for (const auto& path : paths) expected[path.labels[t]] += std::exp(path.score - log_z);
        double sum = 0;
        for (int64_t k = 0; k < crf.shape.labels; ++k) {
          const double got = crf.d_scores(crf.packing.rows().row(t, n), k);
          EXPECT_NEAR(got, expected[k], 1e-12);
          sum += got;
        }
        EXPECT_NEAR(sum, 1, 1e-12);
      }
    }
  });
}

TEST_F(ReferenceCrf, ListOfPathsIsTheEnumerationByFallingScore) {
  each_small(300, [&](CrfOperands<double>& crf) {  // more than 4^4, fewer than 4^5
    backend_->crf_decode(crf.decode());
    for (int64_t n = 0; n < crf.packing.sequences(); ++n) {
      const auto paths = all_paths(crf, n);
      for (int64_t b = 0; b < crf.shape.best; ++b) {
        const bool given = b < static_cast<int64_t>(paths.size());
        if (given) {
          EXPECT_NEAR(crf.path_scores(n, b), paths[b].score, 1e-12);
        } else {
          EXPECT_EQ(crf.path_scores(n, b), -std::numeric_limits<double>::infinity());
        }
        for (int64_t t = 0; t < crf.packing.length(n); ++t) {
          ASSERT_EQ(crf.labels(crf.packing.rows().row(t, n), b), given ? paths[b].labels[t] : -1)
              << n << " " << b << " " << t;
        }
      }
    }
  });
}

TEST_F(ReferenceCrf, BestPathIsTheFirstOfTheListAndBelowLogZ) {
  const CrfCase shape{.labels = 6, .lengths = {30, 7, 1, 0}};
  CrfOperands<double> one(shape, 3);
  CrfCase wide = shape;
  wide.best = 5;
  CrfOperands<double> five(wide, 3);
  backend_->crf_decode(one.decode());
  backend_->crf_decode(five.decode());
  one.targets.clear();
  backend_->crf_forward(one.forward());
  for (int64_t n = 0; n < 4; ++n) {
    EXPECT_EQ(one.path_scores(n, 0), five.path_scores(n, 0));
    EXPECT_LE(one.path_scores(n, 0), one.losses(0, n));
  }
  for (int64_t r = 0; r < one.packing.num_rows(); ++r) EXPECT_EQ(one.labels(r, 0), five.labels(r, 0));
}

TEST_F(ReferenceCrf, LongSequencesAreGoneThroughAgainToTheSameBits) {
  for (const int64_t best : {1, 7}) {
    for (const int64_t length : {1, 2, 3, 9, 10, 50, 51}) {
      const CrfCase shape{.labels = 3, .lengths = {length}, .best = best};
      CrfOperands<float> whole(shape, 4), parts(shape, 4);
      const CrfDecode all = whole.decode(), marked = parts.decode();
      reference::CrfDecoder(all).decode(0, length);
      reference::CrfDecoder(marked, /*most_origins=*/1).decode(0, length);
      for (int64_t b = 0; b < best; ++b) {
        EXPECT_EQ(parts.path_scores(0, b), whole.path_scores(0, b));
        for (int64_t t = 0; t < length; ++t) {
          ASSERT_EQ(parts.labels(t, b), whole.labels(t, b)) << length << " " << t << " " << b;
        }
      }
    }
  }
}

TEST_F(ReferenceCrf, EqualPathsComeWithTheLowestLastLabelFirst) {
  CrfOperands<double> crf({.labels = 2, .lengths = {2}, .scale = 0, .best = 4}, 1);
  backend_->crf_decode(crf.decode());
  for (int32_t b = 0; b < 4; ++b) {
    EXPECT_EQ(crf.labels(1, b), b / 2);
    EXPECT_EQ(crf.labels(0, b), b % 2);
  }
  CrfOperands<double> one({.labels = 2, .lengths = {2}, .scale = 0}, 1);
  backend_->crf_decode(one.decode());
  EXPECT_EQ(one.labels(0, 0), 0);
  EXPECT_EQ(one.labels(1, 0), 0);
}

TEST_F(ReferenceCrf, GradientsAreExact) {
  for (const LengthsCase& lengths : lengths_cases()) {
    for (const bool targets : {true, false}) {
      SCOPED_TRACE(lengths.name);
      const CrfCase shape{.labels = 3, .lengths = lengths.lengths, .padding = 2};
      CrfOperands<double> real(shape, 5);
      CrfOperands<Complex> complex(shape, 5);
      if (!targets) real.targets.clear();
      complex.targets = real.targets;
      backend_->crf_forward(real.forward());
      backend_->crf_backward(real.backward());
      const auto loss = [&] {
        backend_->crf_forward(complex.forward());
        return weighted_sum(complex.losses, real.d_losses);
      };
      expect_gradient("scores", complex.scores, real.d_scores, loss);
      expect_gradient("transitions", complex.transitions, real.d_transitions, loss);
      expect_gradient("start", complex.start, real.d_start, loss);
      expect_gradient("end", complex.end, real.d_end, loss);
      EXPECT_TRUE(real.d_scores.padding_untouched() && real.d_transitions.padding_untouched());
    }
  }
}

TEST_F(ReferenceCrf, GradientsAreAddedAndThoseNotGivenAreNotMade) {
  CrfOperands<double> crf({.labels = 3}, 6);
  backend_->crf_forward(crf.forward());
  backend_->crf_backward(crf.backward());
  const Array<double> once = crf.d_transitions, scores = crf.d_scores;
  CrfBackward pass = crf.backward();
  pass.d_scores = pass.d_start = pass.d_end = {};
  backend_->crf_backward(pass);
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) EXPECT_NEAR(crf.d_transitions(i, j), 2 * once(i, j), 1e-14);
  }
  EXPECT_EQ(crf.d_scores.values, scores.values);
}

TEST_F(ReferenceCrf, AConstantAddedToTheScoresLeavesTheLoss) {
  CrfOperands<double> crf({.labels = 4}, 7), shifted({.labels = 4}, 7);
  for (int64_t r = 0; r < shifted.scores.rows; ++r) {
    for (int64_t k = 0; k < 4; ++k) shifted.scores(r, k) += 3 * static_cast<double>(r) - 100;
  }
  backend_->crf_forward(crf.forward());
  backend_->crf_forward(shifted.forward());
  for (int64_t n = 0; n < 4; ++n) EXPECT_NEAR(crf.losses(0, n), shifted.losses(0, n), 1e-11);
}

TEST_F(ReferenceCrf, WithoutTransitionsTheLossIsThatOfASoftmaxForEachRow) {
  CrfOperands<double> crf({.labels = 4}, 8);
  crf.transitions.fill(0);
  crf.start.fill(0);
  crf.end.fill(0);
  backend_->crf_forward(crf.forward());
  const int64_t R = crf.packing.num_rows();
  Array<double> probabilities(R, 4), losses(1, R);
  backend_->softmax_cross_entropy(crf.scores, crf.targets, probabilities, losses);
  for (int64_t n = 0; n < 4; ++n) {
    double sum = 0;
    for (int64_t t = 0; t < crf.packing.length(n); ++t) sum += losses(0, crf.packing.rows().row(t, n));
    EXPECT_NEAR(crf.losses(0, n), sum, 1e-12);
  }
}

// A hidden Markov model: probabilities of the first state, of moves, and of the symbols seen.
struct Hmm {
  int64_t states = 3, length = 12;
  Array<double> first, move, seen;  ///< [1, K], [K, K], [T, K]

  static Array<double> shares(uint64_t seed, int64_t rows, int64_t columns) {
    Array<double> array(rows, columns);
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < columns; ++c)
        sum += array(r, c) = 0.05 + Stream(seed).uniform(static_cast<uint64_t>(r * columns + c));
      for (int64_t c = 0; c < columns; ++c) array(r, c) /= sum;
    }
    return array;
  }
  Hmm() : first(shares(1, 1, states)), move(shares(2, states, states)), seen(length, states) {
    const Array<double> emission = shares(3, states, 5);
    for (int64_t t = 0; t < length; ++t) {
      const auto symbol = static_cast<int64_t>(Stream(4).below(static_cast<uint64_t>(t), 5));
      for (int64_t k = 0; k < states; ++k) seen(t, k) = emission(k, symbol);
    }
  }
  /// Forward-backward with probabilities.
  Array<double> posteriors() const {
    Array<double> a(length, states), b(length, states), p(length, states);
    for (int64_t t = 0; t < length; ++t) {
      for (int64_t j = 0; j < states; ++j) {
        double sum = t == 0 ? first(0, j) : 0;
        for (int64_t i = 0; t > 0 && i < states; ++i) sum += a(t - 1, i) * move(i, j);
        a(t, j) = sum * seen(t, j);
      }
    }
    for (int64_t t = length - 1; t >= 0; --t) {
      double total = 0;
      for (int64_t i = 0; i < states; ++i) {
        b(t, i) = t + 1 == length ? 1 : 0;
        for (int64_t j = 0; t + 1 < length && j < states; ++j)
          b(t, i) += move(i, j) * seen(t + 1, j) * b(t + 1, j);
        total += p(t, i) = a(t, i) * b(t, i);
      }
      for (int64_t i = 0; i < states; ++i) p(t, i) /= total;
    }
    return p;
  }
  /// Viterbi with probabilities.
  std::vector<int32_t> best_path() const {
    Array<double> best(length, states);
    Array<int32_t> from(length, states);
    for (int64_t t = 0; t < length; ++t) {
      for (int64_t j = 0; j < states; ++j) {
        best(t, j) = t == 0 ? first(0, j) : 0;
        for (int32_t i = 0; t > 0 && i < states; ++i) {
          if (best(t - 1, i) * move(i, j) <= best(t, j)) continue;
          best(t, j) = best(t - 1, i) * move(i, j);
          from(t, j) = i;
        }
        best(t, j) *= seen(t, j);
      }
    }
    std::vector<int32_t> path(static_cast<size_t>(length));
    for (int32_t k = 1; k < states; ++k) {
      if (best(length - 1, k) > best(length - 1, path.back())) path.back() = k;
    }
    for (int64_t t = length - 1; t > 0; --t) path[t - 1] = from(t, path[t]);
    return path;
  }
};

TEST_F(ReferenceCrf, OfLogProbabilitiesEqualsTheHiddenMarkovModel) {
  const Hmm hmm;
  CrfOperands<double> crf({.labels = hmm.states, .lengths = {hmm.length}}, 1);
  for (int64_t j = 0; j < hmm.states; ++j) {
    crf.start(0, j) = std::log(hmm.first(0, j));
    crf.end(0, j) = 0;
    for (int64_t i = 0; i < hmm.states; ++i) crf.transitions(i, j) = std::log(hmm.move(i, j));
    for (int64_t t = 0; t < hmm.length; ++t) crf.scores(t, j) = std::log(hmm.seen(t, j));
  }
  crf.marginals(*backend_);
  backend_->crf_decode(crf.decode());
  const Array<double> posteriors = hmm.posteriors();
  const std::vector<int32_t> path = hmm.best_path();
  for (int64_t t = 0; t < hmm.length; ++t) {
    EXPECT_EQ(crf.labels(t, 0), path[t]) << t;
    for (int64_t k = 0; k < hmm.states; ++k) EXPECT_NEAR(crf.d_scores(t, k), posteriors(t, k), 1e-13);
  }
}

TEST_F(ReferenceCrf, RefusesOperandsThatDoNotFit) {
  const auto refused = [&](auto change) {
    CrfOperands<double> crf({.labels = 3}, 1);
    change(crf);
    EXPECT_THROW(backend_->crf_forward(crf.forward()), ShapeError);
    EXPECT_THROW(backend_->crf_backward(crf.backward()), ShapeError);
  };
  refused([](auto& crf) { crf.targets[2] = 3; });
  refused([](auto& crf) { crf.targets[2] = -1; });
  refused([](auto& crf) { crf.targets.pop_back(); });
  refused([](auto& crf) { crf.transitions = Array<double>(3, 2); });
  refused([](auto& crf) { crf.start = Array<double>(1, 4); });
  refused([](auto& crf) { crf.end = Array<double>(2, 3); });
  refused([](auto& crf) { crf.alphas = Array<double>(1, 3); });
  refused([](auto& crf) { crf.scores = Array<double>(crf.packing.num_rows(), 0); });
  CrfOperands<double> none({.labels = 3, .best = 0}, 1);
  EXPECT_THROW(backend_->crf_decode(none.decode()), ShapeError);
}

}  // namespace
}  // namespace rondo
