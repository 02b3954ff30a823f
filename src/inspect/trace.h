// What a model did with a text: every gate, cell state, hidden state, attention weight and output, layer by
// layer and direction by direction; on request the gradient of an output or of the loss at every step.
//   Tracer tracer("news.rondo", backend, {});
//   TextTrace trace = tracer.trace("Shares rose after the talks", {.gradient = GradientRequest{}});
//   trace.layers[0].find("f").values;   // [T, H]: the forget gate after each token
// Values have the bits of inference on that text in that precision.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inference/beam_search.h"
#include "inference/predictor.h"
#include "storage/model_file.h"
#include "tensor/tensor.h"

namespace rondo {

/// What numbers of a cell are: gates are between 0 and 1, candidates between -1 and 1; cell states know no
/// bounds, nor do hidden ones behind a projection, of relu, or of grids without cells.
enum class SeriesRole { kGate, kCandidate, kCell, kHidden };

template <>
inline constexpr auto kNames<SeriesRole> =
    std::array{std::pair{SeriesRole::kGate, "gate"}, std::pair{SeriesRole::kCandidate, "candidate"},
               std::pair{SeriesRole::kCell, "cell"}, std::pair{SeriesRole::kHidden, "hidden"}};

/// One kind of number of a layer over the steps of a text.
struct TracedSeries {
  std::string name;  ///< i f o g c h (lstm, the gates that there are; coupled: i = 1 - f), r z n h (gru;
                     ///< coupled: r = 1 - z), h (rnn)
  SeriesRole role = SeriesRole::kHidden;
  Tensor values;  ///< [T, H], of h [T, P]; steps in the order of the text, of the reverse direction too
};

/// One direction of one layer.
struct LayerTrace {
  std::string part;  ///< "", a translator's "encoder" or "decoder", or a tagger's "characters"
  int64_t layer = 0;
  bool reverse = false;
  int64_t dimension = -1;  ///< of a grid: 0 depth, 1 time; else -1
  std::vector<TracedSeries> series;
  Tensor input;   ///< [T, D] what it read; of a grid empty
  Tensor h0, c0;  ///< [1, P], [1, H] the states before the first step; empty: zeros
  /// With a gradient: that which arrives at each step's state, c of lstm [T, H] and else h [T, P].
  Tensor d_states;

  /// @throws ConfigError for a name that this layer has not.
  const TracedSeries& find(const std::string& name) const;
};

/// A token that could have come next.
struct Alternative {
  std::string token;
  double probability = 0;
};

/// What beam search kept at one step, the best first.
struct KeptHypothesis {
  int64_t parent = -1;  ///< place among those kept at the step before; -1 at the first step
  std::string token;
  double log_probability = 0;  ///< of all its tokens
  double score = 0;            ///< log_probability over the length penalty
  bool finished = false;       ///< the token is the end
};
using BeamStep = std::vector<KeptHypothesis>;

struct TextTrace {
  std::string model;      ///< the file's name
  std::string kind;       ///< "classifier", "language_model", "tagger" or "translator"
  std::string cell;       ///< "lstm", "gru", "rnn", "grid"
  std::string precision;  ///< of the products: "f32", "bf16", "int8"
  std::string text;

  /// T tokens that the network read: of a language model the end token first, of a translator the end last.
  std::vector<std::string> tokens;
  /// Of a translator: the tokens that it wrote, the end behind. Its decoder's step t wrote target_tokens[t].
  std::vector<std::string> target_tokens;
  /// Of a tagger that reads characters by a recurrent network: all of its words' in the order of the text,
  /// which are the steps of part "characters"; those of word t end before character_ends[t].
  std::vector<std::string> characters;
  std::vector<int64_t> character_ends;

  std::vector<LayerTrace> layers;

  std::vector<std::string> labels;  ///< K labels of a classifier, tags of a tagger as they are written
  /// Classifier: [T, K] probabilities after each prefix of the text, each the bits of that prefix as a text
  /// of its own (empty beyond TraceOptions::max_prefixes); tagger: [T, K] marginals of the tags.
  Tensor predictions;
  Tensor output;                  ///< classifier: [1, K] probabilities of the whole text
  std::vector<std::string> tags;  ///< tagger: the best of each word
  /// Language model: [T] lists, the best first, of what could come after each step; translator: [target], of
  /// what could have been written.
  std::vector<std::vector<Alternative>> alternatives;
  /// Language model: [T-1] probability of the token that did come, tokens[t + 1]; translator: [target] of
  /// that which was written.
  std::vector<double> next_probabilities;
  /// Translator: [target, source]; classifier with pool attention: [1, T]; else empty.
  Tensor attention;
  std::string translation;
  std::vector<BeamStep> beam;  ///< translator: of the search, unless the target was given

  std::string gradient_of;    ///< "log p(Sports)", "loss"; empty: none was asked for
  double gradient_value = 0;  ///< what that is
  Tensor embeddings;          ///< [T, E] what the first recurrent layer read of the tokens
  Tensor d_tokens;            ///< with a gradient: [T, E] that with respect to embeddings
  Tensor d_target_tokens;     ///< translator: [target, E], likewise of what the decoder read
};

/// Of what a gradient is wanted. `output` empty: the best one.
///   classifier      log p of the label `output`
///   language model  log p of the token `output` after step `step`; empty: the one that came; step -1: the
///                   last that a token came after
///   tagger          log p of the tag `output` of word `step`, its marginal; -1: the last word
///   translator      log p of target token `step`; -1: of the whole translation
/// loss: -log p of the label `output`, of all tokens of the text, of the best sequence of tags, of the
/// translation.
struct GradientRequest {
  bool loss = false;
  std::string output;
  int64_t step = -1;
};

struct TraceOptions {
  std::optional<GradientRequest> gradient = {};
  int64_t alternatives = 5;    ///< language model and translator: tokens a step
  int64_t max_prefixes = 400;  ///< classifier of both directions or with pool attention: tokens up to which
                               ///< predictions are made after each, for they cost the square of the tokens
  BeamOptions search = {};     ///< translator
  std::optional<std::string> target = {};  ///< translator: trace this translation, do not search
};

class TracedModel;
class RecurrentStack;

/// A model of any kind, ready to be traced. Unchanging after construction: many threads may trace with one.
class Tracer {
 public:
  /// The backend must outlive it. @throws as read_model_file() and unpack_*().
  Tracer(const std::string& path, Backend& backend, const InferenceOptions& inference);
  /// @param path  for messages, and the name of the model in traces.
  Tracer(const ModelFile& file, const std::string& path, Backend& backend, const InferenceOptions& inference);
  ~Tracer();
  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) noexcept;

  /// An empty text has no steps (language model and translator: one, that of the end token; its translation
  /// is empty). Without a gradient there are no d_states.
  /// @throws DataError if the text is not UTF-8; ConfigError for an output or a step that is not there, and
  /// for a gradient in int8, which has none.
  /// Cost: a pass over the text without gradient, about three with.
  TextTrace trace(const std::string& text, const TraceOptions& options = {}) const;

  /// The recurrent layers of a part, see LayerTrace::part. @throws ConfigError if the model has no such part.
  const RecurrentStack& stack(const std::string& part = "") const;
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
  std::unique_ptr<TracedModel> model_;
};

}  // namespace rondo
