// A text that a language model has read so far, and what it thinks comes next.
//   LanguageReader reader(model, backend, prepare_reader(model, backend, Precision::kFloat32));
//   reader.read(ids);  std::span<const float> scores = reader.scores();   // [V]
//   LanguageReader other = reader;                                        // a fork: both go on from here
#pragma once

#include <memory>
#include <span>

#include "inference/output_row.h"
#include "layers/recurrent_stream.h"
#include "models/language_model.h"

namespace rondo {

/// What all readers of a model share. A copy of its weights.
struct PreparedReader {
  std::shared_ptr<const PreparedStack> stack;
  std::shared_ptr<const OutputWeights> output;
};

/// The recurrent layers for streams, with the table of all tokens' inputs unless it were large.
std::shared_ptr<const PreparedStack> prepare_stack(const LanguageModel& model, Backend& backend,
                                                   Precision precision);
/// @param precision  of the recurrent layers' products; the output layer's are float32.
PreparedReader prepare_reader(const LanguageModel& model, Backend& backend, Precision precision);

/// The bits of a pass over the whole text, however it is cut. One thread uses it at a time; many may read
/// side by side. A token
/// allocates nothing where the softmax is full.
class LanguageReader {
 public:
  /// At the beginning of a document: the end token was read. Model and backend must outlive it.
  LanguageReader(const LanguageModel& model, Backend& backend, const PreparedReader& prepared);

  /// @throws DataError for an id outside the vocabulary.
  void read(std::span<const int32_t> ids);
  /// Of the token that comes next: logits, or log-probabilities of an adaptive softmax. [V], there until the
  /// next call.
  std::span<const float> scores() { return output_.scores(last()); }
  /// log p(id) by the last scores().
  float log_probability(int32_t id) { return output_.log_probability(id); }
  /// [V] by the last scores(); there until the next call.
  std::span<const float> probabilities() { return output_.probabilities(); }
  /// Back to the beginning of a document.
  void reset();

 private:
  std::span<const float> last() const { return stream_.output(); }

  int32_t end_;
  RecurrentStream stream_;
  OutputRow output_;
};

}  // namespace rondo
