#include "training/language_model_evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/errors.h"

namespace rondo {

namespace {

constexpr int64_t kMostPieces = 64;

// Pieces of about the same length, side by side, a chunk of steps at a time.
class PieceGroup {
 public:
  PieceGroup(const LanguageNetwork& network, Backend& backend, const TokenStream& stream,
             std::span<const int32_t> pieces)
      : network_(network), backend_(backend), stream_(stream), pieces_(pieces) {}

  void run(int64_t max_rows, std::vector<float>& losses) {
    const int64_t longest = stream_.length(pieces_.front());  // they come longest first
    const int64_t steps = std::max<int64_t>(1, max_rows / static_cast<int64_t>(pieces_.size()));
    for (int64_t first = 0; first < longest; first += steps) run_chunk(first, steps, losses);
  }

 private:
  void run_chunk(int64_t first, int64_t steps, std::vector<float>& losses) {
    std::vector<int64_t> lengths;
    for (const int32_t p : pieces_)
      lengths.push_back(std::clamp<int64_t>(stream_.length(p) - first, 0, steps));
    const Packing packing(lengths);
    std::vector<int32_t> inputs(static_cast<size_t>(packing.num_rows())), targets(inputs.size());
    std::vector<int64_t> places(inputs.size());
    for (int64_t n = 0; n < packing.sequences(); ++n) {
      const int32_t p = pieces_[static_cast<size_t>(n)];
      for (int64_t t = 0; t < packing.length(n); ++t) {
        const auto row = static_cast<size_t>(packing.rows().row(t, n));
        inputs[row] = stream_.input(p, first + t);
        targets[row] = stream_.target(p, first + t);
        places[row] = stream_.offsets[static_cast<size_t>(p)] + first + t;
      }
    }
    Tape tape(backend_);
    RecurrentState state;
    for (const Tensor& h : h_) state.h.push_back(tape.input(h));
    for (const Tensor& c : c_) state.c.push_back(tape.input(c));
    const LanguagePass pass = network_.forward(tape, inputs, packing, state);
    const Tensor found = network_.losses(pass, std::move(targets));
    for (size_t r = 0; r < places.size(); ++r)
      losses[static_cast<size_t>(places[r])] = found.data<float>()[r];
    h_.clear();
    c_.clear();
    for (const Variable& h : pass.final.h) h_.push_back(h.value());
    for (const Variable& c : pass.final.c) c_.push_back(c.value());
  }

  const LanguageNetwork& network_;
  Backend& backend_;
  const TokenStream& stream_;
  std::span<const int32_t> pieces_;
  std::vector<Tensor> h_, c_;
};

}  // namespace

std::vector<float> token_losses(const LanguageNetwork& network, Backend& backend, const TokenStream& stream,
                                int64_t max_rows) {
  std::vector<int32_t> order(static_cast<size_t>(stream.pieces()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return stream.length(a) > stream.length(b); });
  std::vector<float> losses(static_cast<size_t>(stream.size()));
  const auto group = static_cast<size_t>(std::clamp<int64_t>(max_rows, 1, kMostPieces));
  for (size_t begin = 0; begin < order.size(); begin += group) {
    const std::span pieces =
        std::span<const int32_t>(order).subspan(begin, std::min(group, order.size() - begin));
    if (stream.length(pieces.front()) == 0) break;
    PieceGroup(network, backend, stream, pieces).run(max_rows, losses);
  }
  return losses;
}

double LanguageEvaluation::perplexity() const { return std::exp(loss()); }

double LanguageEvaluation::bits_per_character() const {
  return nats / (std::log(2.0) * static_cast<double>(std::max<int64_t>(1, characters)));
}

nlohmann::ordered_json LanguageEvaluation::to_json() const {
  return {{"loss", loss()},   {"perplexity", perplexity()}, {"bits_per_character", bits_per_character()},
          {"tokens", tokens}, {"unknown", unknown},         {"characters", characters},
          {"parts", pieces}};
}

std::string LanguageEvaluation::table() const {
  return fmt::format(
      "loss                {:.4f} nats a token\nperplexity          {:.6g}\nbits a character    {:.4f}{}\n"
      "tokens              {} ({:.2f} % unknown)\ncharacters          {}\nread in             {} {}, each "
      "from "
      "a state of zeros\n",
      loss(), perplexity(), bits_per_character(),
      unknown > 0 ? " (an unknown token stands for many: compare only where none is unknown)" : "", tokens,
      100.0 * static_cast<double>(unknown) / static_cast<double>(std::max<int64_t>(1, tokens)), characters,
      pieces, pieces == 1 ? "part" : "parts");
}

LanguageEvaluation evaluate_language_model(const LanguageNetwork& network, Backend& backend,
                                           const TokenStream& stream, int64_t max_rows) {
  LanguageEvaluation result{.tokens = stream.size(),
                            .unknown = stream.unknown,
                            .characters = stream.characters,
                            .pieces = stream.pieces()};
  for (const float loss : token_losses(network, backend, stream, max_rows)) result.nats += loss;
  return result;
}

}  // namespace rondo
