// The lesson's training step with Rondo's classifier and its Adam, as a benchmark's peer drives it.
#pragma once

#include <memory>

#include "models/classifier_network.h"
#include "peer.h"
#include "training/optimizer.h"

namespace rondo::bench {

/// A call is one step on the next batch, or with variant "epoch" a step on every batch and the table brought
/// up to date.
class RondoLesson : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override;
  void run() override;
  /// The losses of the first steps.
  std::vector<float> outputs() override;
  nlohmann::json versions() const override { return {}; }

 private:
  struct LessonBatch {
    std::vector<int32_t> ids, labels;  ///< packed
    std::vector<int64_t> lengths;      ///< falling
  };

  const float* load_weights(const float* values);
  void load_batches(const float* values, const float* end);
  float step(const LessonBatch& batch);

  Case case_;
  std::vector<LessonBatch> batches_;
  std::vector<float> losses_;
  size_t next_ = 0;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ClassifierNetwork> network_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace rondo::bench
