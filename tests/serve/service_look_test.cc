// Looks into the models of the service.
#include "inspect/trace_json.h"
#include "small_service.h"
#include "tensor/device.h"

namespace rondo::serve {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

TEST_F(ServiceTest, ALookHasTheTracesOfEveryKindOfModel) {
  Service service(all(), options_);
  const std::pair<const char*, const char*> cases[] = {
      {"news", "good bad"}, {"names", "ada met"}, {"poems", "abc"}, {"en-de", "s1 s2"}, {"news", ""}};
  for (const auto& [name, text] : cases) {
    const std::string answer =
        ask(service, "POST", "/v1/look", Json{{"model", name}, {"text", text}, {"gradient", true}}.dump())
            .body;
    const auto backend = open_device("cpu", 1);
    TextTrace own = Tracer(path(name), *backend, {}).trace(text, {.gradient = GradientRequest{}});
    own.model = name;
    EXPECT_EQ(answer, traces_json({&own, 1}) + "\n") << name;
    EXPECT_EQ(Json::parse(answer)["entries"][0]["kind"], service.models().find(name)->kind());
  }
  const Json plain = json_of(ask(service, "POST", "/v1/look", R"({"model": "news", "text": "good"})"));
  EXPECT_FALSE(plain["entries"][0].contains("connectivity"));
}

TEST_F(ServiceTest, LooksHaveLimitsOfTheirOwn) {
  options_.limits.max_look = 10;
  options_.limits.max_look_bytes = 600;
  Service service({path("news")}, options_);
  const auto look = [&](const std::string& text) {
    return ask(service, "POST", "/v1/look", Json{{"text", text}}.dump());
  };
  EXPECT_EQ(error_of(look("good good good")), "422 text: 14 bytes, at most 10 are looked into");
  const Json left_out = json_of(look("a b good"));
  EXPECT_EQ(left_out["entries"][0]["layers"][0]["series"][0]["units"].size(), 4U);
  EXPECT_THAT(left_out["notes"][0].get<std::string>(), StartsWith("Of each layer 4 units are here, of 8"));
  EXPECT_THAT(error_of(look("a b c d e")), HasSubstr("422 text: 5 tokens are too many to show even 4 units"));
  EXPECT_EQ(json_of(ask(service, "POST", "/v1/look",
                        R"({"text": "a", "units": 2})"))["entries"][0]["layers"][0]["series"][0]["units"]
                .size(),
            2U);
}

TEST_F(ServiceTest, NobodyLooksIntoAnotherModelThanTheOneThatAnswers) {
  Service service({path("news")}, options_);
  ClassifierOptions other{.embedding = 4};
  other.recurrent = {.hidden = 3};
  std::filesystem::remove(path("news"));
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/look", R"({"text": "good"})")),
              StartsWith("409 model: the file of news"));
  save_classifier(path("news"), small_classifier(other), {});
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/look", R"({"text": "good"})")), StartsWith("409 "));
  EXPECT_TRUE(service.reload().empty());
  EXPECT_EQ(
      json_of(ask(service, "POST", "/v1/look", R"({"text": "good"})"))["entries"][0]["layers"][0]["units"],
      3);
}

}  // namespace
}  // namespace rondo::serve
