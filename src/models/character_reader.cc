#include "models/character_reader.h"

#include "layers/pooling.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

constexpr double kDeviation = 0.1;

/// The characters of all words as packed rows.
std::vector<int32_t> pack(const TaggerWords& words, const Packing& packing) {
  std::vector<int32_t> ids(static_cast<size_t>(packing.num_rows()));
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const int64_t begin = words.ends[static_cast<size_t>(packing.order()[n])];
    for (int64_t t = 0; t < packing.length(n); ++t) {
      ids[static_cast<size_t>(packing.rows().row(t, n))] = words.characters[static_cast<size_t>(begin + t)];
    }
  }
  return ids;
}

/// Rows of sequences in packed order, in the caller's order.
Variable in_callers_order(const Variable& x, const Packing& packing) {
  std::vector<int32_t> rows(packing.order().size());
  for (size_t n = 0; n < rows.size(); ++n)
    rows[static_cast<size_t>(packing.order()[n])] = static_cast<int32_t>(n);
  return gather({x, std::move(rows)});
}

}  // namespace

CharacterReader::CharacterReader(ParameterSet& set, const TaggerOptions& options, int64_t characters,
                                 DType type)
    : options_(options),
      embedding_(set.under("characters."), {characters, options.character_embedding, type}) {
  if (options.characters == CharacterPart::kLstm) {
    recurrent_.emplace(set, options.character_embedding, options.character_recurrent(), type);
  } else {
    convolution_.emplace(set, ConvolutionShape{.input = options.character_embedding,
                                               .filters = options.units(),
                                               .window = options.character_window,
                                               .type = type});
  }
  set.under("");
}

void CharacterReader::initialize(const Stream& stream) {
  initialize_normal(embedding_.table().value, 0, kDeviation, stream.sub(0));
  if (recurrent_) recurrent_->initialize(stream.sub(1));
  if (convolution_) convolution_->initialize(options_.recurrent.init, stream.sub(1));
}

void CharacterReader::prepare(Backend& backend) {
  if (!recurrent_) return;
  prepared_ = recurrent_->prepare(backend, Precision::kFloat32, embedding_.table().value);
}

Variable CharacterReader::last_states(Tape& tape, std::span<const int32_t> ids, const Packing& packing,
                                      CharacterPass* pass) const {
  RecurrentInput input;
  const bool plain = !tape.options().recording && !tape.options().training;
  if (plain && prepared_ && prepared_->backend == &tape.backend()) input.prepared = &*prepared_;
  if (input.prepared != nullptr && input.prepared->table_rows > 0 && !ids.empty() &&
      !tape.options().tracing) {
    embedding_.check(ids);
    input.ids = ids;
  } else {
    input.x = observed(embedding_.forward(tape, ids));
  }
  RecurrentOutput output = recurrent_->forward(tape, input, packing);
  if (pass != nullptr) *pass = {.packing = packing, .traces = std::move(output.traces)};
  return concatenate(output.final.h);
}

// tanh rises: of the maximum it is the maximum of tanh.
Variable CharacterReader::maxima(Tape& tape, std::vector<int32_t> ids, const Packing& packing) const {
  ids.push_back(kEdge);
  const Variable y = convolution_->forward(embedding_.forward(tape, ids), packing);
  return activate(Activation::kTanh, pool(Pool::kMax, y, packing));
}

Variable CharacterReader::forward(Tape& tape, const TaggerWords& words, CharacterPass* pass) const {
  std::vector<int64_t> lengths;
  for (size_t u = 0; u + 1 < words.ends.size(); ++u) lengths.push_back(words.ends[u + 1] - words.ends[u]);
  const Packing packing(lengths);
  std::vector<int32_t> ids = pack(words, packing);
  return in_callers_order(
      recurrent_ ? last_states(tape, ids, packing, pass) : maxima(tape, std::move(ids), packing), packing);
}

}  // namespace rondo
