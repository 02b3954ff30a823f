// The models that are served, by name; each can be loaded anew while requests run.
//   Models models({"news.rondo", "names.rondo"}, {}, inference);
//   ModelPointer model = models.find("", "tagger");       // the only tagger
//   for (const std::string& failure : models.reload()) ... // the old model stays
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/served_model.h"

namespace rondo::serve {

class Models {
 public:
  /// @param names  one a path; none: the files' own without .rondo.
  /// @throws ConfigError for a wrong number of names, or a name given twice; as ServedModel.
  Models(const std::vector<std::string>& paths, const std::vector<std::string>& names,
         const InferenceOptions& inference);

  /// The model of this name, or with an empty name the only one of the kind. Whoever holds it keeps it,
  /// whatever is loaded meanwhile.
  /// @throws Refusal: 404 for an unknown name; 422 for another kind, or none or several of it.
  ModelPointer find(std::string_view name, std::string_view kind) const;
  /// The same of any kind.
  ModelPointer find(std::string_view name) const;
  /// The same of those that have sessions.
  ModelPointer find_streaming(std::string_view name) const;
  std::vector<ModelPointer> all() const;

  /// Loads all files anew. One that fails leaves the old model, and its message here.
  std::vector<std::string> reload();

 private:
  ModelPointer named(std::string_view name) const;
  template <class Fits>
  ModelPointer only(const Fits& fits, std::string_view what) const;

  InferenceOptions inference_;
  mutable std::mutex mutex_;
  std::vector<ModelPointer> models_;
  std::mutex reload_mutex_;  ///< one reload at a time
};

}  // namespace rondo::serve
