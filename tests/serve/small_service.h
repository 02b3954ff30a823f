// A service of small models of every kind, in a folder of its own.
#pragma once

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inference/small_language_model.h"
#include "inference/small_translator.h"
#include "serve/service.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/small_classifier.h"
#include "storage/small_tagger.h"
#include "storage/tagger_file.h"
#include "storage/test_files.h"
#include "storage/translator_file.h"

namespace rondo::serve {

class SmallModels : public testing::Test {
 protected:
  SmallModels() {
    ClassifierOptions options{.embedding = 6};
    options.recurrent = {.hidden = 8, .bidirectional = false};
    options.pool = PoolKind::kFinal;
    save_classifier(path("news"), small_classifier(options), {});
    save_tagger(path("names"), small_tagger(small_taggers().front()), {});
    LanguageModelOptions language{.tokenizer = TokenizerKind::kCharacters, .embedding = 8};
    language.recurrent = {.hidden = 16};
    save_language_model(path("poems"), small_language_model(language), {});
    save_translator(path("en-de"), small_translator(), {});
  }

  std::string path(const std::string& name) const { return folder_.file(name + ".rondo"); }
  std::vector<std::string> all() const { return {path("news"), path("names"), path("poems"), path("en-de")}; }

  TestFolder folder_;
};

/// On two threads.
class ServiceTest : public SmallModels {
 protected:
  ServiceOptions options_{.queue = {.threads = 2}};
};

/// Asks as a client would, but for the sockets.
inline Reply ask(Service& service, const std::string& method, const std::string& path,
                 const std::string& body = "") {
  Match match = Service::find(method, path);
  if (!match.route) return match.refusal;
  return service.answer(*match.route, {.id = match.id, .body = body});
}

/// The body of an answer of status 200 or 201.
inline nlohmann::json json_of(const Reply& reply) {
  EXPECT_TRUE(reply.status == 200 || reply.status == 201) << reply.body;
  return nlohmann::json::parse(reply.body);
}

/// "422 message" of an answer that is an error.
inline std::string error_of(const Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (json.is_discarded() || !json.contains("error")) return fmt::format("{} no error", reply.status);
  return fmt::format("{} {}", reply.status, json["error"]["message"].get<std::string>());
}

}  // namespace rondo::serve
