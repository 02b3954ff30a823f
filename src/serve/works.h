// What waits in the queue: texts for a classifier, a tagger or a translator, or any one thing to do alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/requests.h"
#include "serve/served_model.h"
#include "serve/work_queue.h"

namespace rondo::serve {

class PredictWork : public Work {
 public:
  /// @param best  labels a text.
  PredictWork(ModelPointer model, std::vector<std::string> texts, size_t best);
  void run(std::span<const std::shared_ptr<Work>> batch) override;

  std::vector<std::vector<Prediction>> results;  ///< one a text, once it ran

 private:
  ModelPointer model_;
  std::vector<std::string> texts_;
  size_t best_;
};

class TaggingWork : public Work {
 public:
  TaggingWork(ModelPointer model, TaggingRequest request);
  void run(std::span<const std::shared_ptr<Work>> batch) override;

  std::vector<TaggedSentence> results;
  const TaggingRequest request;

 private:
  ModelPointer model_;
};

class TranslationWork : public Work {
 public:
  TranslationWork(ModelPointer model, TranslationRequest request);
  void run(std::span<const std::shared_ptr<Work>> batch) override;

  std::vector<std::vector<Translation>> results;
  const TranslationRequest request;

 private:
  ModelPointer model_;
};

/// Runs in no company: each looks at a text of its own.
class LookWork : public Work {
 public:
  /// @param most_bytes  of gates and states: units are left out until they fit.
  LookWork(ModelPointer model, LookRequest request, int64_t most_bytes);
  /// @throws Refusal (422) if four units of each layer are too many; as Tracer::trace().
  void run(std::span<const std::shared_ptr<Work>> batch) override;

  std::string json;  ///< of traces_json(), once it ran

 private:
  ModelPointer model_;
  LookRequest request_;
  int64_t most_bytes_;
};

/// Runs in no company.
class LoneWork : public Work {
 public:
  explicit LoneWork(std::function<void()> task) : Work(""), task_(std::move(task)) {}
  void run(std::span<const std::shared_ptr<Work>>) override { task_(); }

 private:
  std::function<void()> task_;
};

}  // namespace rondo::serve
