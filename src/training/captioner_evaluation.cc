#include "training/captioner_evaluation.h"

#include <algorithm>
#include <numeric>

#include "training/translation_metrics.h"

namespace rondo {

namespace {

constexpr size_t kTogether = 64;

// Never the unknown word: no caption shows it.
int32_t best_of(const Tensor& scores, int64_t row) {
  const float* begin = scores.data<float>() + row * scores.dim(1);
  const float* best = std::max_element(begin + Vocabulary::kUnknown + 1, begin + scores.dim(1));
  return static_cast<int32_t>(best - begin);
}

// Some pictures side by side, until each caption has come to its end.
void caption_batch(const CaptionerModel& model, Backend& backend, const Tensor& rows, int64_t most,
                   std::span<std::vector<int32_t>> results) {
  const CaptionerNetwork& network = *model.network;
  PictureMemory memory;
  {
    Tape tape(backend);
    memory = network.read(tape, rows, std::ssize(results));
  }
  std::vector<int32_t> alive(results.size());
  std::iota(alive.begin(), alive.end(), 0);
  std::vector<int32_t> previous(alive.size(), model.text.end());
  DecoderState state = memory.initial;
  for (int64_t word = 0; word < most && !alive.empty(); ++word) {
    Tape tape(backend);
    const DecoderStep step = network.step(tape, memory, state, previous, alive);
    std::vector<int32_t> going, kept, tokens;
    for (size_t i = 0; i < alive.size(); ++i) {
      const int32_t token = best_of(step.log_probabilities, static_cast<int64_t>(i));
      if (token == model.text.end()) continue;
      results[static_cast<size_t>(alive[i])].push_back(token);
      going.push_back(alive[i]);
      kept.push_back(static_cast<int32_t>(i));
      tokens.push_back(token);
    }
    state = select_rows(step.state, kept);
    alive = std::move(going);
    previous = std::move(tokens);
  }
}

double nats_of(const CaptionerModel& model, Backend& backend, const PictureSet& pictures,
               std::span<const CaptionIds> captions) {
  std::vector<const CaptionIds*> chosen;
  for (const CaptionIds& caption : captions) chosen.push_back(&caption);
  const CaptionBatch batch = make_caption_batch(chosen, pictures, model.text.end());
  Tape tape(backend);
  const CaptionPass pass = model.network->forward(tape, batch, model.network->plain_look());
  double nats = 0;
  for (const float loss : model.network->losses(pass, batch.targets).values<float>()) nats += loss;
  return nats;
}

}  // namespace

nlohmann::ordered_json CaptionScores::to_json() const {
  nlohmann::ordered_json json{{"pictures", pictures}};
  for (size_t n = 0; n < bleu.size(); ++n) json[fmt::format("bleu{}", n + 1)] = bleu[n];
  json["exact"] = exact;
  return json;
}

std::string CaptionScores::lines() const {
  return fmt::format(
      "pictures  {}\nBLEU-1    {:.2f}\nBLEU-2    {:.2f}\nBLEU-3    {:.2f}\nBLEU-4    {:.2f}\n"
      "exact     {:.4f}\n",
      pictures, bleu[0], bleu[1], bleu[2], bleu[3], exact);
}

CaptionScores score_captions(const TextCoder& text, std::span<const std::string> captions,
                             std::span<const std::vector<std::string>> references) {
  CaptionScores scores{.pictures = std::ssize(captions)};
  Bleu bleu({.lower_case = true});
  int64_t exact = 0;
  for (size_t i = 0; i < captions.size(); ++i) {
    bleu.add(captions[i], references[i]);
    const std::vector<std::string> tokens = text.tokenizer->tokens(captions[i]);
    exact += std::ranges::any_of(references[i], [&](const std::string& reference) {
      return text.tokenizer->tokens(reference) == tokens;
    });
  }
  if (captions.empty()) return scores;
  for (size_t n = 0; n < scores.bleu.size(); ++n) scores.bleu[n] = bleu.up_to(n + 1);
  scores.exact = static_cast<double>(exact) / static_cast<double>(captions.size());
  return scores;
}

std::vector<std::vector<int32_t>> caption_greedily(const CaptionerModel& model, Backend& backend,
                                                   const PictureSet& pictures,
                                                   std::span<const int32_t> numbers, int64_t most,
                                                   int64_t batch) {
  std::vector<std::vector<int32_t>> results(numbers.size());
  const auto together = static_cast<size_t>(std::max<int64_t>(1, batch));
  for (size_t first = 0; first < numbers.size(); first += together) {
    const size_t count = std::min(together, numbers.size() - first);
    caption_batch(model, backend, pictures.rows(numbers.subspan(first, count)), most,
                  std::span(results).subspan(first, count));
  }
  return results;
}

CaptionerEvaluation evaluate_captioner(const CaptionerModel& model, Backend& backend,
                                       const CaptionTruth& truth, int64_t most) {
  CaptionerEvaluation result;
  for (const CaptionIds& caption : truth.captions) result.tokens += std::ssize(caption.ids) + 1;
  for (size_t first = 0; first < truth.captions.size(); first += kTogether) {
    const size_t count = std::min(kTogether, truth.captions.size() - first);
    result.nats += nats_of(model, backend, truth.pictures, truth.captions.subspan(first, count));
  }
  std::vector<std::string> captions;
  for (const auto& ids : caption_greedily(model, backend, truth.pictures, truth.numbers, most)) {
    captions.push_back(model.text.decode(ids));
  }
  result.scores = score_captions(model.text, captions, truth.references);
  return result;
}

}  // namespace rondo
