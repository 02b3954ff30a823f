// Runs a captioner over pictures whose captions are known: loss a token, and BLEU of greedy captions.
//   CaptionerEvaluation dev = evaluate_captioner(model, backend, truth);   // dev.bleu[3]
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "models/captioner_model.h"

namespace rondo {

/// Pictures with what is said of them.
struct CaptionTruth {
  const PictureSet& pictures;
  std::span<const int32_t> numbers;                      ///< of the pictures that are looked at
  std::span<const std::vector<std::string>> references;  ///< captions of each of them
  std::span<const CaptionIds> captions;                  ///< the same as ids, for the loss
};

/// How near captions are to those of people: BLEU-1 to BLEU-4 (sacrebleu's, 13a, lower case, several
/// references) in percent, and the share that is one of the references, token by token.
struct CaptionScores {
  int64_t pictures = 0;
  std::array<double, 4> bleu{};
  double exact = 0;

  nlohmann::ordered_json to_json() const;
  std::string lines() const;
};

/// @param references  of each caption, one at least.
CaptionScores score_captions(const TextCoder& text, std::span<const std::string> captions,
                             std::span<const std::vector<std::string>> references);

struct CaptionerEvaluation {
  int64_t tokens = 0;  ///< of the captions, ends included
  double nats = 0;     ///< of all tokens together
  CaptionScores scores;

  double loss() const { return tokens > 0 ? nats / static_cast<double>(tokens) : 0; }
};

/// The most probable next word but the unknown one, until the end token or `most` words; without the end. The
/// same bits in any batch.
std::vector<std::vector<int32_t>> caption_greedily(const CaptionerModel& model, Backend& backend,
                                                   const PictureSet& pictures,
                                                   std::span<const int32_t> numbers, int64_t most,
                                                   int64_t batch = 64);

/// @param most  words of a caption.
CaptionerEvaluation evaluate_captioner(const CaptionerModel& model, Backend& backend,
                                       const CaptionTruth& truth, int64_t most);

}  // namespace rondo
