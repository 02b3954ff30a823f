// From a picture to the words that describe it: regions, attention, an LSTM that writes, softmax.
//   CaptionPass pass = network.forward(tape, batch, {});                  // training
//   CaptionLoss loss = network.loss(pass, batch, {.scale = 1.0 / batch.num_targets()});
//   PictureMemory memory = network.read(tape, rows, /*pictures=*/4);      // decoding: step by step
//   DecoderStep next = network.step(tape, memory, state, previous, pictures_of_rows);
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "layers/embedding.h"
#include "layers/image_block.h"
#include "layers/linear.h"
#include "layers/region_attention.h"
#include "layers/softmax_output.h"
#include "models/caption_batch.h"
#include "models/captioner_options.h"
#include "models/decoder_state.h"

namespace rondo {

/// Where a pass looks: at all regions by weight, or at one a word, which is drawn, is the one of the greatest
/// weight, or is given.
enum class Look { kAll, kDrawn, kBest, kGiven };
struct CaptionLook {
  Look look = Look::kAll;
  std::span<const int32_t> given = {};  ///< [Rt] regions, of kGiven
};

/// What a pass over captions gives.
struct CaptionPass {
  Variable y;                   ///< [Rt, E], behind its dropout: what the softmax reads
  Variable weights;             ///< [Rt, L] attention; none without attention
  std::vector<int32_t> looked;  ///< [Rt] the region of each row, unless all
};

/// What the loss is made of.
struct CaptionLossOptions {
  double scale = 1;             ///< of everything: one over the tokens of the batch
  double even_attention = 0;    ///< weight of sum over regions of (1 - sum over words of attention)^2
  double taught_attention = 0;  ///< weight of -log of what words give the region that they speak of
  double reward = 0;            ///< weight of REINFORCE, of a pass that drew its regions
  double baseline = 0;          ///< what a caption's reward is compared with
  double entropy = 0;           ///< weight of the attention's entropy, which is to be great
};
struct CaptionLoss {
  Variable total;     ///< [1]
  double nll = 0;     ///< -log p of all words together
  double uneven = 0;  ///< the penalty without its weight, of all captions together
  double taught = 0;  ///< -log of what words give the region that they speak of, all together
  double reward = 0;  ///< mean over captions of their mean log p a word
};

/// Pictures, read.
struct PictureMemory {
  int64_t pictures = 0, regions = 0;
  Tensor values;              ///< [L * pictures, D], or without attention their means [pictures, D]
  AttentionMemory attention;  ///< empty without attention
  DecoderState initial;       ///< a row a picture
};

/// a_i regions, i = 1 .. L;  e_i = v tanh(W_a a_i + W_h h' + b), alpha = softmax(e), beta = sigmoid(w h' +
/// b), z = beta * sum of alpha_i a_i (hard: beta * a_s; none: beta * mean a);  h, c = LSTM([E y'; z], h',
/// c'); p = softmax(L_o tanh(E y' + L [h; z])), h' and y' of the word before. h_0 and c_0 are tanh-layers
/// over a ReLU layer over the mean of the regions. y_0 is the end token's embedding, which begins as zeros.
/// Parameters: encoder.I.weight and .bias of block I, encoder.places.weight [L, D], initial.h.0, initial.h.1,
/// initial.c.0 and initial.c.1 (.weight and .bias), attention.*, selector.weight [1, H] and .bias,
/// decoder.embedding.weight [V, E], decoder.lstm.*, readout.weight [E, H + D] and .bias,
/// output.decoder.weight [V, E] and .bias. Source: Xu et al. 2015, "Show, attend and tell".
class CaptionerNetwork {
 public:
  CaptionerNetwork(const CaptionerOptions& options, int64_t vocabulary, DType type = DType::kFloat32);

  /// @param end  the token whose embedding begins as zeros.
  void initialize(const Stream& stream, int32_t end);

  /// The decoder over the whole captions with their true words as input.
  CaptionPass forward(Tape& tape, const CaptionBatch& batch, const CaptionLook& look) const;
  CaptionLoss loss(const CaptionPass& pass, const CaptionBatch& batch,
                   const CaptionLossOptions& options) const;
  /// -log p(targets[r]) [Rt], without gradients.
  Tensor losses(const CaptionPass& pass, std::span<const int32_t> targets) const;
  /// How the network looks where nothing is drawn.
  CaptionLook plain_look() const {
    return {options_.attention == CaptionAttention::kHard ? Look::kBest : Look::kAll, {}};
  }

  /// @param rows  [places * pictures, columns] as PictureSet::rows.
  PictureMemory read(Tape& tape, const Tensor& rows, int64_t pictures) const;
  /// One word of each row further. A row's results do not depend on the other rows, bit for bit.
  /// @param previous  [N] the word before; the end token at the beginning.
  /// @param pictures  [N] the picture of each row.
  DecoderStep step(Tape& tape, const PictureMemory& memory, const DecoderState& state,
                   std::span<const int32_t> previous, std::span<const int32_t> pictures) const;

  /// Packs the weights for passes that neither record nor train: see ClassifierNetwork::prepare.
  void prepare(Backend& backend, Precision precision) { prepared_ = decoder_->prepare(backend, precision); }
  void forget_prepared() { prepared_.reset(); }

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const CaptionerOptions& options() const { return options_; }
  int64_t vocabulary() const { return vocabulary_; }
  /// The same network with its numbers as another type: complex128 for gradient checks.
  std::unique_ptr<CaptionerNetwork> cast(DType type) const;

 private:
  /// Pictures, read, on a tape.
  struct Regions {
    Variable values;     ///< [L * N, D], or without attention their means [N, D]
    AttentionKeys keys;  ///< empty without attention
    RecurrentState initial;
    int64_t pictures = 0;
  };
  struct Decoded {
    RecurrentState state;
    Variable readout;  ///< [Q, E]
    Variable weights;  ///< [Q, L]
    std::vector<int32_t> looked;
  };
  /// A step of the captions that are alive.
  struct Rows {
    Variable words;                     ///< [Q, E]
    std::span<const int32_t> pictures;  ///< [Q]
    CaptionLook look;
    Stream draws{0};
  };
  /// A tanh-layer over a ReLU layer.
  struct Initial {
    Linear hidden, output;
    Variable forward(const Variable& mean, Precision precision) const;
  };

  void add_encoder(DType type);
  Variable encode(Tape& tape, const Tensor& rows, int64_t pictures) const;
  Regions read_regions(Tape& tape, const Tensor& rows, int64_t pictures) const;
  Decoded advance(Tape& tape, const Regions& regions, const RecurrentState& before, const Rows& rows) const;
  /// The context of each row, and where it is from.
  Variable context(const Regions& regions, const Variable& h, const Rows& rows, Decoded& decoded) const;
  Variable taught(const CaptionPass& pass, const CaptionBatch& batch, double weight) const;
  Variable uneven(const CaptionPass& pass, const CaptionBatch& batch, double weight) const;
  Variable reinforced(const CaptionPass& pass, const CaptionBatch& batch, const CaptionLossOptions& options,
                      CaptionLoss& loss) const;

  CaptionerOptions options_;
  int64_t vocabulary_;
  ParameterSet parameters_;
  std::vector<ImageBlock> blocks_;
  Parameter* places_ = nullptr;
  std::optional<Initial> initial_h_, initial_c_;
  std::optional<RegionAttention> attention_;
  std::optional<Linear> selector_;
  std::optional<Embedding> embedding_;
  std::optional<RecurrentStack> decoder_;
  std::optional<Linear> readout_;
  std::optional<SoftmaxOutput> output_;
  std::optional<PreparedStack> prepared_;
};

}  // namespace rondo
