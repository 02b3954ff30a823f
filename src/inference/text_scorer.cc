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

/// The outputs of a stream for `inputs`, y [inputs, P].
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

TextScorer::TextScorer(const LanguageModel& model, Backend& backend, Precision precision)
    : model_(&model), backend_(&backend), stack_(prepare_stack(model, backend, precision)) {}

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
  std::vector<int32_t> ids = model_->vocabulary.ids(tokens);
  ids.insert(ids.begin(), model_->end());  // ids[i] is read, ids[i + 1] is predicted

  RecurrentStream stream(network.recurrent(), network.embedding().table().value, *backend_, stack_);
  TextScore result;
  const int64_t most = block_rows(network.vocabulary());
  const auto total = static_cast<int64_t>(tokens.size());
  for (int64_t begin = 0; begin < total; begin += most) {
    const int64_t rows = std::min(most, total - begin);
    const std::span<const int32_t> inputs =
        std::span(ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(rows));
    const std::span<const int32_t> targets =
        std::span(ids).subspan(static_cast<size_t>(begin) + 1, static_cast<size_t>(rows));
    const Tensor y({rows, network.recurrent().output_size()});
    read_rows(stream, *backend_, inputs, y.matrix());
    Tape tape(*backend_);
    const Tensor losses = network.output().losses(tape.input(y), targets);
    const Tensor all = options.ranks ? network.output().log_probabilities(tape.input(y)) : Tensor();
    for (int64_t r = 0; r < rows; ++r) {
      const auto at = static_cast<size_t>(r);
      result.tokens.push_back({.token = std::move(tokens[static_cast<size_t>(begin + r)]),
                               .id = targets[at],
                               .log_probability = -losses.data<float>()[r]});
      if (options.ranks) {
        const std::span<const float> row(all.matrix().row<float>(r),
                                         static_cast<size_t>(network.vocabulary()));
        result.tokens.back().rank = rank_of(row, targets[at]);
      }
    }
  }
  return result;
}

}  // namespace rondo
