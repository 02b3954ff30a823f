// Attention of the steps of a decoder over the packed rows of the sources that they translate.
//   Attention attention(set, {.score = AttentionScore::kGeneral, .query = 512, .memory = 512, .size = 512});
//   AttentionKeys keys = attention.keys(memory, packing);       // once a source
//   AttentionResult seen = attention.forward(queries, keys, sources);  // seen.contexts [Q, M], seen.weights
//   [Q, longest]
#pragma once

#include <span>
#include <vector>

#include "layers/initialize.h"
#include "tensor/packing.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

/// score(q, k): dot q k; general q W k; additive v tanh(W q + U k + b).
enum class AttentionScore { kDot, kGeneral, kAdditive };

struct AttentionShape {
  AttentionScore score = AttentionScore::kGeneral;
  int64_t query = 0;   ///< columns of a query
  int64_t memory = 0;  ///< columns of a source row
  int64_t size = 0;    ///< columns of the additive score's hidden layer, and of local's
  double window = 0;   ///< local-p: positions to either side; 0: global
  DType type = DType::kFloat32;
};

/// A source as attention reads it.
struct AttentionKeys {
  Packing packing;
  Variable keys;    ///< [R, size]
  Variable values;  ///< [R, M]
};

/// The same between tapes.
struct AttentionMemory {
  Tensor keys, values;
};

struct AttentionResult {
  Variable contexts;  ///< [Q, M]
  Variable weights;   ///< [Q, longest source]; exactly 0 behind a source's end
};

/// weights = softmax over the source's rows of score(query, row), contexts = sum of weights * rows.
/// Local (window D > 0): the weights are multiplied by exp(-(s - p)^2 / (2 (D/2)^2)), s = 0, 1, ... the row's
/// position, p = S * sigmoid(v_p tanh(W_p q)), S the source's length; they no longer sum to one.
/// Sources: Bahdanau, Cho & Bengio 2015 (additive); Luong, Pham & Manning 2015 (the others).
/// Cost: 2*(size + M) operations a query and source row.
class Attention {
 public:
  /// Parameters: general key.weight [query, M]; additive query.weight [size, query], key.weight [size, M],
  /// key.bias and score.weight [1, size]; local place.weight [size, query] and place_score.weight [1, size].
  /// @throws ConfigError where dot's query and memory differ in width.
  Attention(ParameterSet& set, const AttentionShape& shape);

  void initialize(Initialization rule, const Stream& stream);

  /// What forward() reads of a source. memory [R, M] packed rows.
  AttentionKeys keys(const Variable& memory, const Packing& packing,
                     Precision precision = Precision::kFloat32) const;
  /// @param queries  [Q, query].  @param sources  [Q] packed source sequence of each query.
  AttentionResult forward(const Variable& queries, const AttentionKeys& keys,
                          std::span<const int32_t> sources, Precision precision = Precision::kFloat32) const;

  const AttentionShape& shape() const { return shape_; }

 private:
  bool local() const { return shape_.window > 0; }
  /// [Q, 1]: where local attention looks, as a share of the source.
  Variable centers(const Variable& queries, Precision precision) const;

  AttentionShape shape_;
  Parameter* key_ = nullptr;
  Parameter* key_bias_ = nullptr;
  Parameter* query_ = nullptr;
  Parameter* score_ = nullptr;
  Parameter* place_ = nullptr;
  Parameter* place_score_ = nullptr;
};

}  // namespace rondo
