#include "models/captioner_network.h"

#include <algorithm>
#include <array>

#include "base/errors.h"
#include "layers/attention_reward.h"
#include "layers/pooling.h"
#include "tensor/multiply.h"
#include "tensor/operations.h"
#include "tensor/squared_error.h"

namespace rondo {

CaptionerNetwork::CaptionerNetwork(const CaptionerOptions& options, int64_t vocabulary, DType type)
    : options_(options), vocabulary_(vocabulary) {
  options_.check();
  const int64_t D = options_.region_columns(), H = options_.hidden, E = options_.embedding;
  add_encoder(type);
  const auto initial = [&](const char* prefix) {
    ParameterSet& set = parameters_.under(prefix);
    return Initial{.hidden = Linear(set, "0", {.input = D, .output = H, .type = type}),
                   .output = Linear(set, "1", {.input = H, .output = H, .type = type})};
  };
  initial_h_.emplace(initial("initial.h."));
  initial_c_.emplace(initial("initial.c."));
  if (options_.attends()) {
    attention_.emplace(
        parameters_.under("attention."),
        RegionAttentionShape{.query = H, .region = D, .size = options_.attention_size, .type = type});
  }
  if (options_.selector) {
    selector_.emplace(parameters_.under(""), "selector", LinearShape{.input = H, .output = 1, .type = type});
  }
  embedding_.emplace(parameters_.under("decoder."),
                     EmbeddingShape{.vocabulary = vocabulary, .dimension = E, .type = type});
  decoder_.emplace(parameters_.under("decoder."), options_.decoder_input(), options_.decoder(), type);
  readout_.emplace(parameters_.under(""), "readout", LinearShape{.input = H + D, .output = E, .type = type});
  output_.emplace(parameters_.under("output."),
                  SoftmaxShape{.input = E, .vocabulary = vocabulary, .type = type});
}

void CaptionerNetwork::add_encoder(DType type) {
  ParameterSet& set = parameters_.under("encoder.");
  for (int64_t i = 0; i < options_.blocks && !options_.given(); ++i) {
    const int64_t input = i == 0 ? options_.channels() : options_.filters << (i - 1);
    blocks_.emplace_back(set, fmt::format("{}", i),
                         ImageBlockShape{.input = input, .filters = options_.filters << i, .type = type});
  }
  if (!options_.places) return;
  places_ =
      &set.add("places.weight", Tensor::zeros({options_.num_regions(), options_.region_columns()}, type));
}

void CaptionerNetwork::initialize(const Stream& stream, int32_t end) {
  for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i].initialize(stream.sub(0).sub(i));
  const double range = options_.embedding_range;
  if (places_ != nullptr) initialize_uniform(places_->value, -range, range, stream.sub(1));
  for (uint64_t i = 0; i < 2; ++i) {
    Initial& initial = i == 0 ? *initial_h_ : *initial_c_;
    initial.hidden.initialize(options_.init, stream.sub(2).sub(2 * i));
    initial.output.initialize(options_.init, stream.sub(2).sub(2 * i + 1));
  }
  if (attention_) attention_->initialize(options_.init, stream.sub(3));
  if (selector_) selector_->initialize(options_.init, stream.sub(4));
  const Tensor& table = embedding_->table().value;
  initialize_uniform(table, -range, range, stream.sub(5));
  std::fill_n(table.data<float>() + end * options_.embedding, options_.embedding, 0.0F);
  decoder_->initialize(stream.sub(6));
  readout_->initialize(options_.init, stream.sub(7));
  output_->initialize(options_.init, stream.sub(8));
}

Variable CaptionerNetwork::Initial::forward(const Variable& mean, Precision precision) const {
  const Variable rising = activate(Activation::kRelu, hidden.forward(mean, precision));
  return activate(Activation::kTanh, output.forward(rising, precision));
}

Variable CaptionerNetwork::encode(Tape& tape, const Tensor& rows, int64_t pictures) const {
  const DType type = embedding_->table().value.type();
  Variable x = tape.input(rows.type() == type ? rows : rows.to(type));
  PatchGrid grid{.rows = options_.image_size, .columns = options_.image_size, .images = pictures};
  for (const ImageBlock& block : blocks_) {
    x = block.forward(x, grid, options_.product_precision());
    grid = ImageBlock::result(grid);
  }
  const int64_t regions = options_.num_regions();
  if (x.matrix().rows != regions * pictures || x.matrix().columns != options_.region_columns()) {
    throw_error<ShapeError>("captioner: regions must be [{}*{}, {}], got {}", regions, pictures,
                            options_.region_columns(), to_string(x.shape()));
  }
  if (places_ == nullptr) return x;
  std::vector<int32_t> place;
  for (int32_t i = 0; i < regions; ++i) place.insert(place.end(), static_cast<size_t>(pictures), i);
  return add(x, gather({tape.parameter(*places_), std::move(place)}));
}

CaptionerNetwork::Regions CaptionerNetwork::read_regions(Tape& tape, const Tensor& rows,
                                                         int64_t pictures) const {
  const Precision precision = options_.product_precision();
  const Variable all = encode(tape, rows, pictures);
  const Variable mean = pool(Pool::kMean, all, region_packing(options_.num_regions(), pictures));
  Regions regions{.values = attention_ ? all : mean, .keys = {}, .initial = {}, .pictures = pictures};
  if (attention_) regions.keys = attention_->keys(all, pictures, precision);
  regions.initial.h.push_back(initial_h_->forward(mean, precision));
  regions.initial.c.push_back(initial_c_->forward(mean, precision));
  return regions;
}

Variable CaptionerNetwork::context(const Regions& regions, const Variable& h, const Rows& rows,
                                   Decoded& decoded) const {
  const std::vector<int32_t> pictures(rows.pictures.begin(), rows.pictures.end());
  if (!attention_) return gather({regions.values, pictures});
  const AttentionResult look =
      attention_->forward(h, regions.keys, rows.pictures, options_.product_precision());
  decoded.weights = look.weights;
  switch (rows.look.look) {
    case Look::kAll:
      return look.contexts;
    case Look::kDrawn:
      decoded.looked = draw_regions(look.weights.value(), rows.draws);
      break;
    case Look::kBest:
      decoded.looked = best_regions(look.weights.value());
      break;
    case Look::kGiven:
      decoded.looked.assign(rows.look.given.begin(), rows.look.given.end());
      break;
  }
  std::vector<int32_t> chosen;
  for (size_t r = 0; r < pictures.size(); ++r) {
    chosen.push_back(decoded.looked[r] * static_cast<int32_t>(regions.pictures) + pictures[r]);
  }
  return gather({regions.values, std::move(chosen)});
}

CaptionerNetwork::Decoded CaptionerNetwork::advance(Tape& tape, const Regions& regions,
                                                    const RecurrentState& before, const Rows& rows) const {
  const Precision precision = options_.product_precision();
  Decoded decoded;
  const Variable& h = before.h.front();
  Variable z = context(regions, h, rows, decoded);
  if (selector_) z = multiply_rows(z, activate(Activation::kSigmoid, selector_->forward(h)));
  const bool plain = !tape.options().recording && !tape.options().training;
  const bool packed = plain && prepared_ && prepared_->backend == &tape.backend();
  RecurrentOutput output = decoder_->forward(
      tape, {.x = {concatenate(std::array{rows.words, z}), {}}, .prepared = packed ? &*prepared_ : nullptr},
      one_step(rows.words.matrix().rows), before);
  const Variable told = readout_->forward(concatenate(std::array{output.y, z}), precision);
  decoded.readout = activate(Activation::kTanh, add(rows.words, told));
  decoded.state = std::move(output.final);
  return decoded;
}

// Captions end in the order of packed rows: those that are alive are the first rows of every state.
CaptionPass CaptionerNetwork::forward(Tape& tape, const CaptionBatch& batch, const CaptionLook& look) const {
  const Regions regions = read_regions(tape, batch.pictures, batch.num_pictures);
  const PackedRows layout = batch.target.rows();
  const Variable words = gather(embedding_->forward(tape, batch.inputs));
  const Stream draws = look.look == Look::kDrawn ? tape.next_stream() : Stream(0);
  RecurrentState state = gather_rows(regions.initial, batch.sources);
  std::vector<Variable> readouts, weights;
  CaptionPass pass;
  for (int64_t t = 0; t < layout.steps(); ++t) {
    const int64_t first = layout.offsets[static_cast<size_t>(t)], count = layout.count(t);
    Rows rows{.words = slice(words, {.first_row = first, .rows = count}),
              .pictures = std::span(batch.sources).first(static_cast<size_t>(count)),
              .look = look,
              .draws = draws.sub(static_cast<uint64_t>(t))};
    if (look.look == Look::kGiven) {
      rows.look.given = look.given.subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    }
    Decoded decoded = advance(tape, regions, first_rows(state, count), rows);
    state = std::move(decoded.state);
    readouts.push_back(decoded.readout);
    if (decoded.weights) weights.push_back(decoded.weights);
    pass.looked.insert(pass.looked.end(), decoded.looked.begin(), decoded.looked.end());
  }
  pass.y = dropout(stack_rows(readouts), options_.dropout);
  if (!weights.empty()) pass.weights = stack_rows(weights);
  return pass;
}

// weight * sum over captions and regions of (1 - sum over words of attention)^2 -> [1].
Variable CaptionerNetwork::uneven(const CaptionPass& pass, const CaptionBatch& batch, double weight) const {
  Tape& tape = pass.y.tape();
  const DType type = pass.weights.value().type();
  const int64_t captions = batch.target.sequences(), regions = pass.weights.matrix().columns;
  Tensor lengths({captions, regions});
  for (int64_t n = 0; n < captions; ++n) {
    std::fill_n(lengths.data<float>() + n * regions, regions, static_cast<float>(batch.target.length(n)));
  }
  // The sum over a caption's words is their mean times their number.
  const Variable sums = multiply(pool(Pool::kMean, pass.weights, batch.target),
                                 tape.input(type == DType::kFloat32 ? lengths : lengths.to(type)));
  const Tensor ones(sums.shape(), type);
  ones.fill(1);
  const Tensor factor({1}, type);
  factor.fill(weight * static_cast<double>(captions * regions));
  return weighted_sum(mean_squared_error(sums, ones), factor);
}

// weight * sum over the words whose region is known of -log of its attention -> [1].
Variable CaptionerNetwork::taught(const CaptionPass& pass, const CaptionBatch& batch, double weight) const {
  std::vector<int32_t> regions = batch.looks;
  std::vector<double> weights;
  for (int32_t& region : regions) {
    weights.push_back(region < 0 ? 0 : weight);
    region = std::max(region, 0);
  }
  return attention_reward(pass.weights, std::move(regions), std::move(weights), /*entropy=*/0);
}

Variable CaptionerNetwork::reinforced(const CaptionPass& pass, const CaptionBatch& batch,
                                      const CaptionLossOptions& options, CaptionLoss& loss) const {
  const Tensor losses = this->losses(pass, batch.targets);
  const PackedRows layout = batch.target.rows();
  std::vector<double> rewards(static_cast<size_t>(layout.sequences), 0);
  for (int64_t n = 0; n < layout.sequences; ++n) {
    double& reward = rewards[static_cast<size_t>(n)];
    const int64_t length = batch.target.length(n);
    for (int64_t t = 0; t < length; ++t) reward -= losses.at(layout.row(t, n));
    reward /= static_cast<double>(length);
    loss.reward += reward / static_cast<double>(layout.sequences);
  }
  if (pass.looked.empty() || options.reward == 0) return {};
  std::vector<double> advantages;
  for (int64_t t = 0; t < layout.steps(); ++t) {
    for (int64_t n = 0; n < layout.count(t); ++n) {
      advantages.push_back(options.scale * options.reward *
                           (rewards[static_cast<size_t>(n)] - options.baseline));
    }
  }
  return attention_reward(pass.weights, pass.looked, std::move(advantages), options.scale * options.entropy);
}

CaptionLoss CaptionerNetwork::loss(const CaptionPass& pass, const CaptionBatch& batch,
                                   const CaptionLossOptions& options) const {
  CaptionLoss loss;
  loss.total = output_->loss(pass.y, batch.targets, options.scale, options_.product_precision());
  loss.nll = loss.total.value().at(0) / options.scale;
  if (pass.weights && options.even_attention > 0) {
    const Variable penalty = uneven(pass, batch, options.scale * options.even_attention);
    loss.uneven = penalty.value().at(0) / (options.scale * options.even_attention);
    loss.total = add(loss.total, penalty);
  }
  if (pass.weights && options.taught_attention > 0 && !batch.looks.empty()) {
    const double weight = options.scale * options.taught_attention;
    const Variable missed = taught(pass, batch, weight);
    loss.taught = missed.value().at(0) / weight;
    loss.total = add(loss.total, missed);
  }
  if (options_.attention != CaptionAttention::kHard) return loss;
  if (const Variable drawn = reinforced(pass, batch, options, loss)) loss.total = add(loss.total, drawn);
  return loss;
}

Tensor CaptionerNetwork::losses(const CaptionPass& pass, std::span<const int32_t> targets) const {
  return output_->losses(pass.y, targets, options_.product_precision());
}

PictureMemory CaptionerNetwork::read(Tape& tape, const Tensor& rows, int64_t pictures) const {
  const Regions regions = read_regions(tape, rows, pictures);
  PictureMemory memory{.pictures = pictures,
                       .regions = options_.num_regions(),
                       .values = regions.values.value(),
                       .attention = {},
                       .initial = {}};
  if (attention_) memory.attention = {regions.keys.keys.value(), regions.keys.values.value()};
  memory.initial.h = values_of(regions.initial.h);
  memory.initial.c = values_of(regions.initial.c);
  return memory;
}

DecoderStep CaptionerNetwork::step(Tape& tape, const PictureMemory& memory, const DecoderState& state,
                                   std::span<const int32_t> previous,
                                   std::span<const int32_t> pictures) const {
  if (static_cast<int64_t>(previous.size()) != state.rows() || previous.size() != pictures.size()) {
    throw_error<ShapeError>("captioner: {} words and {} pictures for a state of {} rows", previous.size(),
                            pictures.size(), state.rows());
  }
  Regions regions{
      .values = tape.input(memory.values), .keys = {}, .initial = {}, .pictures = memory.pictures};
  if (attention_) {
    regions.keys = {region_packing(memory.regions, memory.pictures), tape.input(memory.attention.keys),
                    tape.input(memory.attention.values)};
  }
  RecurrentState before;
  for (const Tensor& h : state.h) before.h.push_back(tape.input(h));
  for (const Tensor& c : state.c) before.c.push_back(tape.input(c));
  const Decoded after = advance(
      tape, regions, before,
      {.words = gather(embedding_->forward(tape, previous)), .pictures = pictures, .look = plain_look()});
  DecoderStep result;
  result.log_probabilities = output_->log_probabilities(after.readout, options_.product_precision());
  if (after.weights) result.attention = after.weights.value();
  result.state.h = values_of(after.state.h);
  result.state.c = values_of(after.state.c);
  return result;
}

std::unique_ptr<CaptionerNetwork> CaptionerNetwork::cast(DType type) const {
  auto copy = std::make_unique<CaptionerNetwork>(options_, vocabulary_, type);
  for (const Parameter& parameter : parameters_.all()) {
    copy->parameters_.find(parameter.name).value = parameter.value.to(type);
  }
  return copy;
}

}  // namespace rondo
