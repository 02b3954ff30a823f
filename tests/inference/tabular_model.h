// A search model of random tables: what comes next depends on all tokens before it.
#pragma once

#include <cmath>
#include <vector>

#include "base/random.h"
#include "inference/beam_search.h"

namespace rondo {

struct TabularSentence {
  uint64_t seed = 1;
  int64_t source_length = 3;
};

class TabularModel : public SearchModel {
 public:
  /// Token 0 is the end. @param sharpness  of the distributions: 0 makes all tokens alike.
  TabularModel(std::vector<TabularSentence> sentences, int64_t vocabulary, double sharpness = 2)
      : sentences_(std::move(sentences)), vocabulary_(vocabulary), sharpness_(sharpness) {
    for (size_t s = 0; s < sentences_.size(); ++s) rows_.push_back({.sentence = s, .tokens = {}});
  }

  int64_t sentences() const override { return static_cast<int64_t>(sentences_.size()); }
  int64_t source_length(int64_t sentence) const override {
    return sentences_[static_cast<size_t>(sentence)].source_length;
  }
  int64_t vocabulary() const override { return vocabulary_; }
  int32_t end() const override { return 0; }

  SearchStep step(std::span<const int32_t> previous) override {
    ++steps;
    most_rows = std::max(most_rows, static_cast<int64_t>(previous.size()));
    const auto count = static_cast<int64_t>(previous.size());
    int64_t longest = 0;
    for (const TabularSentence& sentence : sentences_) longest = std::max(longest, sentence.source_length);
    SearchStep next{.log_probabilities = Tensor({count, vocabulary_}),
                    .attention = Tensor::zeros({count, longest})};
    for (int64_t r = 0; r < count; ++r) {
      Row& row = rows_[static_cast<size_t>(r)];
      if (previous[static_cast<size_t>(r)] != 0) row.tokens.push_back(previous[static_cast<size_t>(r)]);
      const std::vector<float> table = log_probabilities(row.sentence, row.tokens);
      std::ranges::copy(table, next.log_probabilities.data<float>() + r * vocabulary_);
      std::ranges::copy(attention(row.sentence, row.tokens), next.attention.data<float>() + r * longest);
    }
    return next;
  }

  void select(std::span<const int32_t> rows) override {
    std::vector<Row> selected;
    for (const int32_t row : rows) selected.push_back(rows_.at(static_cast<size_t>(row)));
    rows_ = std::move(selected);
  }

  /// Of the token behind `tokens`.
  std::vector<float> log_probabilities(size_t sentence, const std::vector<int32_t>& tokens) const {
    const Stream stream = stream_of(sentence, tokens);
    std::vector<double> scores;
    double sum = 0;
    for (int64_t v = 0; v < vocabulary_; ++v) {
      scores.push_back(sharpness_ * stream.uniform(static_cast<uint64_t>(v)));
      sum += std::exp(scores.back());
    }
    std::vector<float> table;
    for (const double score : scores) table.push_back(static_cast<float>(score - std::log(sum)));
    return table;
  }

  std::vector<float> attention(size_t sentence, const std::vector<int32_t>& tokens) const {
    const Stream stream = stream_of(sentence, tokens);
    std::vector<float> weights(static_cast<size_t>(sentences_[sentence].source_length));
    double sum = 0;
    for (size_t s = 0; s < weights.size(); ++s) {
      weights[s] = static_cast<float>(stream.uniform(1000 + s));
      sum += weights[s];
    }
    for (float& weight : weights) weight = static_cast<float>(weight / sum);
    return weights;
  }

  int64_t steps = 0, most_rows = 0;

 private:
  struct Row {
    size_t sentence = 0;
    std::vector<int32_t> tokens;
  };

  Stream stream_of(size_t sentence, const std::vector<int32_t>& tokens) const {
    uint64_t key = sentences_[sentence].seed;
    for (const int32_t token : tokens) key = key * 1000003 + static_cast<uint64_t>(token) + 1;
    return Stream(key);
  }

  std::vector<TabularSentence> sentences_;
  int64_t vocabulary_;
  double sharpness_;
  std::vector<Row> rows_;
};

}  // namespace rondo
