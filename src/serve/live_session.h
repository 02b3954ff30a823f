// A text that a model reads as it comes, over many requests.
//   std::unique_ptr<LiveSession> session = open_session(model);
//   session->feed("Shares rose ");  session->state(3);  auto other = session->fork();
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "serve/served_model.h"

namespace rondo::serve {

/// Of a classifier: labels so far. Of a language model: what may come next. It keeps its model, also
/// when the server has loaded another. One thread uses it at a time.
class LiveSession {
 public:
  explicit LiveSession(ModelPointer model) : model_(std::move(model)) {}
  virtual ~LiveSession() = default;

  /// Reads a piece of text, cut into tokens for itself. @throws DataError.
  virtual void feed(std::string_view text) = 0;
  /// {"predictions": [...]} or {"next": [...]}: the `best` most probable.
  virtual nlohmann::ordered_json state(size_t best) = 0;
  virtual std::unique_ptr<LiveSession> fork() const = 0;
  /// Tokens read so far.
  virtual int64_t steps() const = 0;

  const ServedModel& model() const { return *model_; }

 private:
  ModelPointer model_;
};

/// @param model  with has_sessions().
std::unique_ptr<LiveSession> open_session(const ModelPointer& model);

}  // namespace rondo::serve
