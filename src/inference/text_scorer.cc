#include "inference/text_scorer.h"

#include <algorithm>
#include <cmath>

namespace rondo {

namespace {

constexpr int64_t kMostRows = 256;                 // rows that meet the output layer at once
constexpr int64_t kMostLogits = int64_t{1} << 22;  // of them, where ranks are wanted

int64_t block_rows(int64_t vocabulary) {
  return std::clamp<int64_t>(kMostLogits / std::max<int64_t>(vocabulary, 1), RecurrentStream::kMostSteps,
                             kMostRows);
}

// 1 + how many ids come before this one.
int64_t rank_of(std::span<const float> scores, int32_t id) {
  const auto at = static_cast<size_t>(id);
  int64_t rank = 1;
  for (size_t other = 0; other < scores.size(); ++other) {
    rank += scores[other] > scores[at] || (scores[other] == scores[at] && other < at) ? 1 : 0;
  }
  return rank;
}

/// The outputs of a stream for as many of `inputs` as y [T, P] has rows.
void read_rows(RecurrentStream& stream, Backend& backend, std::span<const int32_t> inputs, Matrix y) {
  for (int64_t row = 0; row < y.rows;) {
    const int64_t count = std::min(y.rows - row, RecurrentStream::kMostSteps);
    const auto ids = inputs.subspan(static_cast<size_t>(row), static_cast<size_t>(count));
    backend.copy(stream.read(ids), y.rows_at(row, count), false);
    row += count;
  }
}

}  // namespace

double TextScore::log_probability() const {
  double sum = 0;
  for (const TokenScore& token : tokens) sum += token.log_probability;
  return sum;
}

double TextScore::perplexity() const {
  return tokens.empty() ? 1 : std::exp(-log_probability() / static_cast<double>(tokens.size()));
}

std::vector<TextScore> TextScorer::score(std::span<const std::string> texts,
                                         const ScoreOptions& options) const {
  std::vector<TextScore> scores(texts.size());
  backend_->threads().run(static_cast<int64_t>(texts.size()), [&](int64_t i) {
    scores[static_cast<size_t>(i)] = score(texts[static_cast<size_t>(i)], options);
  });
  return scores;
}

TextScore TextScorer::score(const std::string& text, const ScoreOptions& options) const {
  const LanguageNetwork& network = *model_->network;
  std::vector<std::string> tokens = model_->tokenizer->tokens(text);
  if (options.end) tokens.push_back(Vocabulary::kEndToken);
  TextScore result;
  for (std::string& token : tokens) {
    const int32_t id = model_->vocabulary.id(token);
    result.tokens.push_back({.token = std::move(token), .id = id});
  }
  RecurrentStream stream(network.recurrent(), network.embedding().table().value, *backend_, stack_);
  const auto most = static_cast<size_t>(block_rows(network.vocabulary()));
  int32_t before = model_->end();  // what the first token is predicted from
  for (std::span<TokenScore> left(result.tokens); !left.empty();) {
    const std::span<TokenScore> block = left.first(std::min(most, left.size()));
    score_block(stream, before, block, options.ranks);
    before = block.back().id;
    left = left.subspan(block.size());
  }
  return result;
}

void TextScorer::score_block(RecurrentStream& stream, int32_t before, std::span<TokenScore> block,
                             bool ranks) const {
  std::vector<int32_t> inputs{before}, targets;
  for (const TokenScore& token : block) {
    inputs.push_back(token.id);
    targets.push_back(token.id);
  }
  const auto rows = static_cast<int64_t>(block.size());
  const Tensor y({rows, model_->network->recurrent().output_size()});
  read_rows(stream, *backend_, inputs, y.matrix());
  Tape tape(*backend_);
  const SoftmaxOutput& output = model_->network->output();
  const Tensor losses = output.losses(tape.input(y), targets);
  const Tensor all = ranks ? output.log_probabilities(tape.input(y)) : Tensor();
  for (size_t r = 0; r < block.size(); ++r) {
    block[r].log_probability = -losses.data<float>()[r];
    if (!ranks) continue;
    const float* row = all.matrix().row<float>(static_cast<int64_t>(r));
    block[r].rank = rank_of({row, static_cast<size_t>(all.dim(1))}, block[r].id);
  }
}

}  // namespace rondo
