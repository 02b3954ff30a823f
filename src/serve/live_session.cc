#include "serve/live_session.h"

#include <algorithm>

#include "base/options.h"
#include "rondo/session.h"

namespace rondo::serve {

namespace {

class ClassifierSession : public LiveSession {
 public:
  explicit ClassifierSession(const ModelPointer& model)
      : LiveSession(model), session_(model->get<Classifier>()) {}

  void feed(std::string_view text) override { session_.feed_text(text); }
  int64_t steps() const override { return session_.steps(); }
  std::unique_ptr<LiveSession> fork() const override { return std::make_unique<ClassifierSession>(*this); }

  nlohmann::ordered_json state(size_t best) override {
    const std::span<const float> probabilities = session_.probabilities();
    const std::vector<std::string>& labels = model().get<Classifier>().labels();
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const int32_t label : largest(probabilities, best)) {
      const auto at = static_cast<size_t>(label);
      list.push_back({{"label", labels[at]}, {"probability", shortest(probabilities[at])}});
    }
    return {{"predictions", std::move(list)}};
  }

 private:
  Session session_;
};

class LanguageSession : public LiveSession {
 public:
  explicit LanguageSession(const ModelPointer& model)
      : LiveSession(model), reader_(language().model, language().backend, language().prepared) {}

  void feed(std::string_view text) override {
    const std::vector<int32_t> ids = language().model.encode(text);
    reader_.read(ids);
    steps_ += static_cast<int64_t>(ids.size());
  }
  int64_t steps() const override { return steps_; }
  std::unique_ptr<LiveSession> fork() const override { return std::make_unique<LanguageSession>(*this); }

  nlohmann::ordered_json state(size_t best) override {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const int32_t id : likeliest(reader_, best)) {
      list.push_back({{"token", language().model.vocabulary.token(id)},
                      {"log_probability", shortest(reader_.log_probability(id))}});
    }
    return {{"next", std::move(list)}};
  }

 private:
  const ServedLanguageModel& language() const { return model().get<ServedLanguageModel>(); }

  LanguageReader reader_;
  int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<LiveSession> open_session(const ModelPointer& model) {
  if (model->kind() == "classifier") return std::make_unique<ClassifierSession>(model);
  return std::make_unique<LanguageSession>(model);
}

}  // namespace rondo::serve
