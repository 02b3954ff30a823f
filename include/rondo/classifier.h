// A trained text classifier: load a model file, ask it.
//   auto model = rondo::Classifier::load("news.rondo");
//   for (const auto& [label, probability] : model.predict("Shares rose after the talks", 3)) ...
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rondo/errors.h"

namespace rondo {

/// A label and how probable it is: softmax over all labels, or a sigmoid of its own where a text may have
/// several.
struct Prediction {
  std::string label;
  float probability = 0;
};

class Classifier {
 public:
  /// @param threads  0: one for each processor that the process may use. Changes speed, never results.
  /// @param precision  of the products: "f32", "bf16" or "int8"; "model": the one that it was trained in or
  /// quantized to.
  /// @throws IoError if the file cannot be read; FormatError if it is no classifier, cut or altered;
  /// ConfigError for another precision.
  static Classifier load(const std::string& path, int threads = 0, const std::string& precision = "model");
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  /// The k most probable labels, the best first; all of them if there are fewer than k. Ties keep the order
  /// of labels(). The same bits alone as in any batch.
  /// @throws DataError if the text is not UTF-8.
  std::vector<Prediction> predict(std::string_view text, size_t k = 1) const;
  /// The same for many texts at once, on all threads; result i is that of text i.
  std::vector<std::vector<Prediction>> predict(std::span<const std::string> texts, size_t k = 1) const;

  /// All labels, in the model's order.
  const std::vector<std::string>& labels() const;
  /// Whether a text may have several labels (then those above 0.5 hold), or exactly one.
  bool several_labels() const;
  /// Numbers in the model.
  size_t parameters() const;

 private:
  friend class Session;
  struct State;
  explicit Classifier(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  ///< its sessions share it
};

}  // namespace rondo
