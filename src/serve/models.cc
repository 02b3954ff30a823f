#include "serve/models.h"

#include <algorithm>
#include <exception>
#include <filesystem>

#include "serve/refusal.h"

namespace rondo::serve {

namespace {

std::vector<std::string> names_of(const std::vector<std::string>& paths,
                                  const std::vector<std::string>& given) {
  if (!given.empty() && given.size() != paths.size()) {
    throw_error<ConfigError>("--name: {} names for {} models; give one for each, separated by commas",
                             given.size(), paths.size());
  }
  std::vector<std::string> names = given;
  if (given.empty()) {
    for (const std::string& path : paths) names.push_back(std::filesystem::path(path).stem().string());
  }
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    throw_error<ConfigError>("two models are named {}; name them by --name first,second", *twice);
  }
  if (sorted.front().empty()) throw_error<ConfigError>("--name: a model cannot have an empty name");
  return names;
}

std::string names_in(const std::vector<ModelPointer>& models) {
  std::string list;
  for (const ModelPointer& model : models) list += (list.empty() ? "" : ", ") + model->name();
  return list;
}

}  // namespace

Models::Models(const std::vector<std::string>& paths, const std::vector<std::string>& names,
               const InferenceOptions& inference)
    : inference_(inference) {
  if (paths.empty()) throw_error<ConfigError>("serve: give a model file");
  const std::vector<std::string> all_names = names_of(paths, names);
  for (size_t i = 0; i < paths.size(); ++i) {
    models_.push_back(std::make_shared<const ServedModel>(all_names[i], paths[i], inference));
  }
}

std::vector<ModelPointer> Models::all() const {
  const std::lock_guard lock(mutex_);
  return models_;
}

ModelPointer Models::named(std::string_view name) const {
  const std::vector<ModelPointer> models = all();
  for (const ModelPointer& model : models) {
    if (model->name() == name) return model;
  }
  refuse(404, "model: none is named {:?}; there are {}", name.substr(0, 60), names_in(models));
}

template <class Fits>
ModelPointer Models::only(const Fits& fits, std::string_view what) const {
  std::vector<ModelPointer> models = all();
  std::erase_if(models, [&](const ModelPointer& model) { return !fits(*model); });
  if (models.empty()) refuse(422, "model: no {} is served here", what);
  if (models.size() > 1) refuse(422, "model: name one of {}", names_in(models));
  return models.front();
}

ModelPointer Models::find(std::string_view name, std::string_view kind) const {
  if (name.empty()) {
    return only([&](const ServedModel& model) { return model.kind() == kind; }, in_words(std::string(kind)));
  }
  ModelPointer model = named(name);
  if (model->kind() != kind) {
    refuse(422, "model: {} is a {}, a {} is needed here", model->name(), in_words(model->kind()),
           in_words(std::string(kind)));
  }
  return model;
}

ModelPointer Models::find(std::string_view name) const {
  return name.empty() ? only([](const ServedModel&) { return true; }, "model") : named(name);
}

ModelPointer Models::find_streaming(std::string_view name) const {
  if (name.empty()) {
    return only([](const ServedModel& model) { return model.has_sessions(); }, "model with sessions");
  }
  ModelPointer model = named(name);
  if (!model->has_sessions()) {
    refuse(422,
           "model: {} has no sessions: it takes whole texts; language models have them, and classifiers "
           "that were trained with --no-bidirectional and without --pool attention",
           model->name());
  }
  return model;
}

std::vector<std::string> Models::reload() {
  const std::lock_guard reloading(reload_mutex_);
  std::vector<ModelPointer> models = all();
  std::vector<std::string> failures;
  for (ModelPointer& model : models) {
    try {
      model = std::make_shared<const ServedModel>(model->name(), model->path(), inference_);
    } catch (const std::exception& error) {
      failures.push_back(error.what());
    }
  }
  const std::lock_guard lock(mutex_);
  models_ = std::move(models);
  return failures;
}

}  // namespace rondo::serve
