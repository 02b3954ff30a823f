// The answers, without the sockets: the same bits as the library's own, in any company.
#include "serve/service.h"

#include <cmath>
#include <filesystem>
#include <set>
#include <thread>

#include "base/options.h"
#include "serve/assets.h"
#include "serve/requests.h"
#include "small_service.h"

namespace rondo::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

TEST_F(ServiceTest, EveryRouteStandsInTheOpenApiFileAndNoOther) {
  std::set<std::string> routes, described;
  for (const Route& route : Service::routes()) routes.insert(fmt::format("{} {}", route.method, route.path));
  const Json file = Json::parse(openapi_json());
  EXPECT_EQ(file["openapi"], "3.1.0");
  for (const auto& [path, operations] : file["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      if (method == "parameters") continue;
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      described.insert(upper + " " + path);
      EXPECT_TRUE(operation.contains("summary") && operation.contains("responses")) << path;
    }
  }
  EXPECT_EQ(routes, described);
}

// A field that one of them has and the other has not would be a promise that nobody keeps.
template <class Request>
std::set<std::string> fields_of(std::set<std::string> others) {
  Request request;
  const OptionList list(request);
  for (const Option& option : list.all()) {
    std::string name = option.name;
    std::replace(name.begin(), name.end(), '-', '_');
    others.insert(name);
  }
  return others;
}

TEST_F(ServiceTest, EveryFieldOfARequestStandsInTheOpenApiFileAndNoOther) {
  const Json schemas = Json::parse(openapi_json())["components"]["schemas"];
  const auto described = [&](const char* name) {
    std::set<std::string> names;
    for (const auto& [field, schema] : schemas[name]["properties"].items()) names.insert(field);
    return names;
  };
  EXPECT_EQ(described("PredictRequest"), fields_of<PredictRequest>({"text", "texts"}));
  EXPECT_EQ(described("TagRequest"), fields_of<TaggingRequest>({"text", "texts", "words", "sentences"}));
  EXPECT_EQ(described("TranslateRequest"), fields_of<TranslationRequest>({"text", "texts"}));
  EXPECT_EQ(described("GenerateRequest"), fields_of<GenerationRequest>({}));
  EXPECT_EQ(described("LookRequest"), fields_of<LookRequest>({}));
  EXPECT_EQ(described("SessionRequest"), fields_of<SessionRequest>({}));
  EXPECT_EQ(described("FeedRequest"), fields_of<FeedRequest>({}));
}

TEST_F(ServiceTest, EveryReferenceOfTheOpenApiFileLeadsSomewhere) {
  const Json file = Json::parse(openapi_json());
  int count = 0;
  const std::function<void(const Json&)> walk = [&](const Json& node) {
    if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) {
      ++count;
      EXPECT_TRUE(file.contains(Json::json_pointer(node["$ref"].get<std::string>().substr(1)))) << node;
    }
    if (node.is_structured()) {
      for (const Json& child : node) walk(child);
    }
  };
  walk(file);
  EXPECT_GT(count, 50);
}

TEST_F(ServiceTest, PathsAndMethodsAreTold) {
  EXPECT_STREQ(Service::find("POST", "/v1/sessions/abc/feed").route->path, "/v1/sessions/{id}/feed");
  EXPECT_EQ(Service::find("DELETE", "/v1/sessions/abc").id, "abc");
  EXPECT_STREQ(Service::find("HEAD", "/health").route->path, "/health");
  for (const std::string path : {"/v1", "/v1/sessions/", "/v1/sessions/a/b", "/v1/sessions//feed", "//", "",
                                 "/v1/predict/", "/metrics?", "/../health"}) {
    EXPECT_THAT(error_of(Service::find("GET", path).refusal), StartsWith("404 ")) << path;
  }
  EXPECT_THAT(error_of(Service::find("GET", "/v1/sessions/" + std::string(65, 'a')).refusal),
              StartsWith("404 "));
  const Match match = Service::find("PUT", "/v1/sessions/abc");
  EXPECT_EQ(error_of(match.refusal), "405 this takes GET, DELETE");
  EXPECT_THAT(match.refusal.headers, ElementsAre(testing::Pair("Allow", "GET, DELETE")));
}

TEST_F(ServiceTest, PredictionsAreThoseOfTheLibrary) {
  Service service(all(), options_);
  const Classifier model = Classifier::load(path("news"));
  const std::vector<std::string> texts = {"good", "bad bad good", "", "never seen"};
  const Json answer =
      json_of(ask(service, "POST", "/v1/predict", Json{{"texts", texts}, {"best", 2}}.dump()));
  EXPECT_EQ(answer["model"], "news");
  ASSERT_EQ(answer["results"].size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Prediction> own = model.predict(texts[i], 2);
    for (size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(answer["results"][i]["predictions"][k]["label"], own[k].label);
      EXPECT_EQ(answer["results"][i]["predictions"][k]["probability"].get<float>(), own[k].probability);
    }
  }
  EXPECT_EQ(
      json_of(ask(service, "POST", "/v1/predict", R"({"text": "good"})"))["results"][0]["predictions"].size(),
      1U);
  EXPECT_TRUE(json_of(ask(service, "POST", "/v1/predict", R"({"texts": []})"))["results"].empty());
}

TEST_F(ServiceTest, AnswersAreTheSameInAnyCompany) {
  // Bodies of three kinds, some with options that forbid to run with the others.
  const std::vector<std::pair<const char*, std::vector<std::string>>> asked = {
      {"/v1/predict",
       {R"({"text": "good"})", R"({"texts": ["bad good", ""], "best": 2})", R"({"text": "x y z"})"}},
      {"/v1/tag",
       {R"({"text": "ada met London"})", R"({"text": "London", "marginals": true})",
        R"({"texts": ["met met", "ada"], "n_best": 3})"}},
      {"/v1/translate",
       {R"({"text": "s1 s2"})", R"({"texts": ["s3", "s4 s5 s6 s1"], "n_best": 2})",
        R"({"text": "s7 s8", "beam": 2})"}}};
  Service alone(all(), options_);
  options_.queue.batch_wait_ms = 200;
  Service together(all(), options_);
  std::vector<std::thread> threads;
  for (int round = 0; round < 4; ++round) {
    for (const auto& [path, bodies] : asked) {
      for (const std::string& body : bodies) {
        threads.emplace_back([&, path = path] {
          EXPECT_EQ(ask(together, "POST", path, body).body, ask(alone, "POST", path, body).body) << body;
        });
      }
    }
  }
  for (std::thread& thread : threads) thread.join();
  const std::string metrics = together.metrics().text({});
  const std::string name = "rondo_batch_requests_count ";
  EXPECT_LT(std::stoi(metrics.substr(metrics.find(name) + name.size())), 36) << "nothing ran together";
}

TEST_F(ServiceTest, TagsAndTheirProbabilities) {
  Service service({path("names")}, options_);
  const Json answer = json_of(ask(service, "POST", "/v1/tag",
                                  R"({"sentences": [["ada", "met"], []], "n_best": 3, "marginals": true})"));
  ASSERT_EQ(answer["results"].size(), 2U);
  const Json& first = answer["results"][0];
  EXPECT_EQ(first["tokens"], Json::array({"ada", "met"}));
  EXPECT_EQ(first["tags"], first["n_best"][0]["tags"]);
  EXPECT_EQ(first["n_best"].size(), 3U);
  ASSERT_EQ(first["probabilities"].size(), 2U);
  double sum = 0;
  for (const Json& probability : first["probabilities"][0]) sum += probability.get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_TRUE(answer["results"][1]["tags"].empty());
}

TEST_F(ServiceTest, TranslationsWithAndWithoutAlignment) {
  Service service({path("en-de")}, options_);
  const Json plain = json_of(ask(service, "POST", "/v1/translate", R"({"text": "s1 s2 s3", "n_best": 2})"));
  ASSERT_EQ(plain["results"][0]["translations"].size(), 2U);
  EXPECT_FALSE(plain["results"][0].contains("source_tokens"));
  const Json aligned = json_of(
      ask(service, "POST", "/v1/translate", R"({"text": "s1 s2 s3", "alignment": true})"))["results"][0];
  EXPECT_EQ(aligned["source_tokens"].back(), "</s>");
  EXPECT_TRUE(aligned["translations"][0]["alignment"].is_array());
  EXPECT_EQ(aligned["translations"][0]["text"], plain["results"][0]["translations"][0]["text"]);
}

TEST_F(ServiceTest, ModelsAreFoundByNameOrKind) {
  options_.name = {"one", "two", "three"};
  Service service({path("news"), path("news"), path("names")}, options_);
  const auto predict = [&](const std::string& model) {
    return error_of(ask(service, "POST", "/v1/predict", Json{{"text", "good"}, {"model", model}}.dump()));
  };
  EXPECT_EQ(predict("one"), "200 no error");
  EXPECT_EQ(predict(""), "422 model: name one of one, two");
  EXPECT_EQ(predict("three"), "422 model: three is a tagger, a classifier is needed here");
  EXPECT_EQ(predict("four"), "404 model: none is named \"four\"; there are one, two, three");
  EXPECT_EQ(error_of(ask(service, "POST", "/v1/generate", "{}")),
            "422 model: no language model is served here");
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/sessions", R"({"model": "three"})")),
              HasSubstr("422 model: three has no sessions"));
  const Json list = json_of(ask(service, "GET", "/v1/models"))["models"];
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[2]["kind"], "tagger");
  EXPECT_EQ(list[0]["labels"], Json::array({"no", "yes"}));
}

TEST_F(ServiceTest, NamesMustFitTheModels) {
  options_.name = {"one"};
  EXPECT_THROW(Service(all(), options_), ConfigError);
  options_.name = {"one", "one"};
  EXPECT_THROW(Service({path("news"), path("names")}, options_), ConfigError);
  EXPECT_THROW(Service({path("news"), path("news")}, ServiceOptions()), ConfigError);
  EXPECT_THROW(Service({path("nothing")}, ServiceOptions()), IoError);
}

TEST_F(ServiceTest, ALanguageModelThatCannotWriteIsRefusedAtOnce) {
  LanguageModelOptions both{.tokenizer = TokenizerKind::kCharacters, .embedding = 8};
  both.recurrent = {.hidden = 4, .bidirectional = true};
  save_language_model(path("both"), small_language_model(both), {});
  EXPECT_THROW(Service({path("both")}, options_), ConfigError);
}

TEST_F(ServiceTest, TheTokenIsAskedForWholly) {
  options_.token = "secret";
  Service service({path("news")}, options_);
  EXPECT_TRUE(service.is_allowed("Bearer secret"));
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Bearer secretsecret",
                            "bearer secret", "Basic secret", "secret", "Bearer  secret"}) {
    EXPECT_FALSE(service.is_allowed(wrong)) << wrong;
  }
}

// ---- loading anew

TEST_F(ServiceTest, AReloadTakesTheNewFileAndKeepsTheOldModelWhereItIsDamaged) {
  Service service({path("news")}, options_);
  const auto answer = [&] {
    return ask(service, "POST", "/v1/predict", R"({"text": "good", "best": 2})").body;
  };
  const std::string before = answer();
  const std::string id = json_of(ask(service, "POST", "/v1/sessions", R"({"text": "good"})"))["id"];
  const auto state = [&] { return json_of(ask(service, "GET", "/v1/sessions/" + id))["predictions"]; };
  const Json state_before = state();
  put_bytes(path("news"), "damaged");
  EXPECT_THAT(service.reload(), ElementsAre(HasSubstr("news.rondo")));
  EXPECT_EQ(answer(), before);
  ClassifierOptions other{.embedding = 4};
  other.recurrent = {.hidden = 3, .bidirectional = false};
  save_classifier(path("news"), small_classifier(other), {});
  EXPECT_TRUE(service.reload().empty());
  EXPECT_NE(answer(), before);
  EXPECT_EQ(state(), state_before) << "a session goes on with the model that it began with";
}

TEST_F(ServiceTest, NoRequestIsLostWhileModelsAreLoadedAnew) {
  Service service(all(), options_);
  const std::string expected = ask(service, "POST", "/v1/predict", R"({"text": "good bad"})").body;
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        EXPECT_EQ(ask(service, "POST", "/v1/predict", R"({"text": "good bad"})").body, expected);
        ++answered;
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(service.reload().empty());
    while (answered < 5 * i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
}

// ---- what stands beside

TEST_F(ServiceTest, MetricsAreInPrometheusFormat) {
  Service service({path("news")}, options_);
  ask(service, "POST", "/v1/predict", R"({"text": "good"})");
  service.metrics().count_request("/v1/predict", 200, 0.003);
  service.metrics().count_request("/v1/predict", 200, 100);
  service.metrics().count_request("/v1/predict", 422, 0.0004);
  const std::string text = ask(service, "GET", "/metrics").body;
  EXPECT_THAT(text, HasSubstr("rondo_requests_total{route=\"/v1/predict\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rondo_requests_total{route=\"/v1/predict\",status=\"422\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rondo_request_seconds_bucket{route=\"/v1/predict\",le=\"0.0005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rondo_request_seconds_bucket{route=\"/v1/predict\",le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rondo_request_seconds_bucket{route=\"/v1/predict\",le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rondo_request_seconds_bucket{route=\"/v1/predict\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("rondo_request_seconds_count{route=\"/v1/predict\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("rondo_batch_texts_sum 1\n"));
  EXPECT_THAT(text, HasSubstr("rondo_model_parameters{model=\"news\",kind=\"classifier\"} "));
  for (const std::string name : {"queue_length", "sessions", "generations", "connections", "reloads_total"}) {
    EXPECT_THAT(text, HasSubstr("\nrondo_" + name + " 0\n")) << name;
  }
}

TEST_F(ServiceTest, ThePageLoadsNothingFromElsewhere) {
  Service service({path("news")}, options_);
  const std::string page = ask(service, "GET", "/").body;
  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("render_look"));
  for (const char* none : {"{{", "src=", "https://"}) EXPECT_EQ(page.find(none), std::string::npos) << none;
  EXPECT_EQ(json_of(ask(service, "GET", "/health"))["status"], "ok");
}

}  // namespace
}  // namespace rondo::serve
