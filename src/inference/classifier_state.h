// What is behind rondo::Classifier, and shared by its sessions.
#pragma once

#include <memory>
#include <mutex>

#include "models/classifier_model.h"
#include "rondo/classifier.h"

namespace rondo {

struct Classifier::State {
  ClassifierModel model;
  std::unique_ptr<Backend> backend;
  Precision precision = Precision::kFloat32;

  /// The weights for streams, with the table of all words' inputs unless it were large; made once.
  std::shared_ptr<const PreparedStack> streaming();
  /// Of the recurrent weights and options: whose state it is that was saved.
  uint32_t fingerprint();

 private:
  std::once_flag once_;
  std::shared_ptr<const PreparedStack> streaming_;
  uint32_t fingerprint_ = 0;
  void make();
};

}  // namespace rondo
