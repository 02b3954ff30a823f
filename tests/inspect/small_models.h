// Models of every kind and cell with random weights, as files in memory that a Tracer takes.
#pragma once

#include <gmock/gmock.h>

#include <cstring>

#include "inference/small_language_model.h"
#include "inspect/trace.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/small_tagger.h"
#include "storage/tagger_file.h"
#include "storage/translator_file.h"
#include "tensor/device.h"

namespace rondo {

/// Weights far enough from zero that gates differ.
inline void widen(ParameterSet& set) {
  for (Parameter& parameter : set.all()) {
    for (float& value : parameter.value.values<float>()) value *= 3;
  }
}

inline ClassifierModel worded_classifier(const ClassifierOptions& options, bool multi = false) {
  ClassifierModel model;
  model.tokenizer = make_tokenizer(TokenizerKind::kWords);
  model.vocabulary = Vocabulary::from_tokens({"<unk>", "a", "good", "bad", "film", "not"});
  model.labels = LabelSet({"no", "yes", "so"}, multi);
  model.network = std::make_unique<ClassifierNetwork>(options, 6, 3);
  model.network->initialize(Stream(1));
  widen(model.network->parameters());
  return model;
}

inline TranslatorModel worded_translator(TranslatorOptions options) {
  options.tokenizer = TokenizerKind::kWords;
  options.embedding_range = 2;
  const auto coder = [&](const char* letter, int words) {
    std::vector<std::string> tokens = {Vocabulary::kUnknownToken, Vocabulary::kEndToken};
    for (int i = 0; i < words; ++i) tokens.push_back(fmt::format("{}{}", letter, i));
    return TextCoder{.tokenizer = make_tokenizer(options.tokenizer),
                     .vocabulary = Vocabulary::from_tokens(std::move(tokens))};
  };
  TranslatorModel model{.source = coder("s", 12), .target = coder("t", 10), .network = {}};
  model.network = std::make_unique<TranslatorNetwork>(options, model.source.vocabulary.size(),
                                                      model.target.vocabulary.size());
  model.network->initialize(Stream(4));
  return model;
}

inline ModelFile translator_file(const TranslatorModel& model) {
  return pack_translator(model, nlohmann::json::object());
}

/// One of each cell and option, with both directions or two layers among them.
inline std::vector<RecurrentOptions> small_stacks() {
  return {{.cell = Cell::kRnn, .hidden = 5},
          {.cell = Cell::kRnn, .hidden = 5, .bidirectional = true, .nonlinearity = Nonlinearity::kRelu},
          {.cell = Cell::kLstm, .hidden = 5, .layers = 2, .bidirectional = true},
          {.cell = Cell::kLstm, .hidden = 5, .peepholes = true},
          {.cell = Cell::kLstm, .hidden = 5, .layers = 2, .last_hidden = 4, .coupled = true},
          {.cell = Cell::kLstm, .hidden = 5, .peepholes = true, .coupled = true},
          {.cell = Cell::kLstm,
           .hidden = 5,
           .peepholes = true,
           .without = Ablation::kOutputGate,
           .projection = 3},
          {.cell = Cell::kLstm, .hidden = 5, .peepholes = true, .without = Ablation::kInputGate},
          {.cell = Cell::kLstm, .hidden = 5, .without = Ablation::kForgetGate},
          {.cell = Cell::kLstm, .hidden = 5, .without = Ablation::kInputTanh},
          {.cell = Cell::kLstm, .hidden = 5, .without = Ablation::kOutputTanh},
          {.cell = Cell::kGru, .hidden = 5, .coupled = true},
          {.cell = Cell::kGru, .hidden = 5, .reset = Reset::kBefore, .coupled = true},
          {.cell = Cell::kLstm, .hidden = 6, .layers = 2, .bidirectional = true, .projection = 3},
          {.cell = Cell::kGru, .hidden = 5, .layers = 2},
          {.cell = Cell::kGru, .hidden = 5, .bidirectional = true, .reset = Reset::kBefore}};
}

inline std::vector<RecurrentOptions> small_grids() {
  std::vector<RecurrentOptions> grids(6, {.cell = Cell::kGrid, .hidden = 4, .layers = 2});
  grids[1].bidirectional = true;
  grids[1].grid.priority = Priority::kNone;
  grids[2].bidirectional = true;
  grids[2].grid.priority = Priority::kTime;
  grids[3].grid.along_time = Along::kNone;
  grids[3].grid.tied_layers = true;
  grids[4].grid.along_depth = Along::kTanh;
  grids[5].grid.output_gate = OutputGate::kOutside;
  return grids;
}

inline std::string words_of(const RecurrentOptions& o) {
  return fmt::format("{} layers {} bidirectional {} peepholes {} coupled {} without {} projection {}",
                     name_of(o.cell), o.layers, o.bidirectional, o.peepholes, o.coupled, name_of(o.without),
                     o.projection);
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

/// Row t of a series.
inline std::vector<float> row_of(const Tensor& values, int64_t t) {
  const float* row = values.matrix().row<float>(t);
  return {row, row + values.dim(1)};
}

}  // namespace rondo
