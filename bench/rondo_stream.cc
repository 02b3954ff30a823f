#include "rondo_stream.h"

#include <algorithm>
#include <stdexcept>

#include "models/classifier_model.h"
#include "rondo_layers.h"
#include "storage/classifier_file.h"

namespace rondo::bench {
namespace {

/// A classifier whose one recurrent layer has the weights of the case; the rest of it is not used.
ClassifierModel make_model(const Case& c, const Weights& w) {
  ClassifierModel model;
  model.tokenizer = make_tokenizer(TokenizerKind::kWords);
  model.vocabulary = Vocabulary::from_tokens({"<unk>", "word"});
  model.labels = LabelSet({"no", "yes"}, false);
  const ClassifierOptions options{.embedding = c.input,
                                  .recurrent = {.cell = cell_of(c.cell), .hidden = c.hidden},
                                  .pool = PoolKind::kFinal};
  model.network = std::make_unique<ClassifierNetwork>(options, model.vocabulary.size(), 2);
  model.network->initialize(Stream(1));
  const float* from[] = {w.w_ih, w.w_hh, w.b_ih, w.b_hh};
  auto parameter = model.network->parameters().all().begin() + 1;  // the embedding is the first
  for (const float* values : from) {
    std::copy_n(values, parameter->value.size(), parameter->value.data<float>());
    ++parameter;
  }
  return model;
}

}  // namespace

void RondoStream::prepare(const Case& c, const std::string& inputs) {
  if (c.batch != 1 || c.layers > 1 || c.directions > 1)
    throw std::runtime_error("streams of one layer, B = 1");
  case_ = c;
  inputs_ = read_inputs(c, inputs);
  outputs_.assign(c.steps * c.hidden, 0);
  const std::string path = inputs + ".rondo";
  save_classifier(path, make_model(c, inputs_.weights.front()), nlohmann::json::object());
  session_.reset();
  model_.emplace(Classifier::load(path, c.threads, c.precision));
  session_.emplace(*model_);
}

void RondoStream::run() {
  session_->reset();
  for (int64_t t = 0; t < case_.steps; ++t) {
    session_->feed_vectors({inputs_.x + t * case_.input, static_cast<size_t>(case_.input)});
    const std::span<const float> y = session_->output();
    std::copy(y.begin(), y.end(), outputs_.begin() + t * case_.hidden);
  }
}

}  // namespace rondo::bench
