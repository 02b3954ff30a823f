// Sessions: what stands between two requests.
#include <thread>

#include "rondo/language_model.h"
#include "small_service.h"

namespace rondo::serve {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

TEST_F(ServiceTest, ASessionSaysAfterEachPieceWhatPredictSays) {
  Service service(all(), options_);
  const Reply created = ask(service, "POST", "/v1/sessions", R"({"model": "news", "text": "good "})");
  EXPECT_EQ(created.status, 201);
  const std::string id = json_of(created)["id"];
  EXPECT_EQ(id.size(), 32U);
  const auto predicted = [&](const std::string& text) {
    return json_of(ask(service, "POST", "/v1/predict",
                       Json{{"text", text}, {"best", 10}}.dump()))["results"][0]["predictions"];
  };
  EXPECT_EQ(json_of(created)["predictions"], predicted("good"));
  const std::string forked = json_of(ask(service, "POST", "/v1/sessions/" + id + "/fork"))["id"];
  const Json fed = json_of(ask(service, "POST", "/v1/sessions/" + id + "/feed", R"({"text": "bad bad"})"));
  EXPECT_EQ(fed["steps"], 3);
  EXPECT_EQ(fed["predictions"], predicted("good bad bad"));
  EXPECT_EQ(json_of(ask(service, "GET", "/v1/sessions/" + forked))["predictions"], predicted("good"));
  EXPECT_EQ(ask(service, "DELETE", "/v1/sessions/" + id).status, 204);
  EXPECT_THAT(error_of(ask(service, "GET", "/v1/sessions/" + id)), StartsWith("404 "));
  EXPECT_THAT(error_of(ask(service, "DELETE", "/v1/sessions/" + id)), StartsWith("404 "));
  EXPECT_EQ(json_of(ask(service, "GET", "/v1/sessions/" + forked))["steps"], 1);
}

TEST_F(ServiceTest, ALanguageModelsSessionSaysWhatMayComeNext) {
  Service service({path("poems")}, options_);
  const std::string id = json_of(ask(service, "POST", "/v1/sessions", ""))["id"];
  const Json fed = json_of(ask(service, "POST", "/v1/sessions/" + id + "/feed", R"({"text": "abc"})"));
  const std::vector<Token> own = TextModel::load(path("poems")).next("abc", 10);
  ASSERT_EQ(fed["next"].size(), own.size());
  for (size_t k = 0; k < own.size(); ++k) {
    EXPECT_EQ(fed["next"][k]["token"], own[k].text);
    EXPECT_EQ(fed["next"][k]["log_probability"].get<float>(), static_cast<float>(own[k].log_probability));
  }
}

TEST_F(ServiceTest, SessionsHaveALimitAndExpire) {
  options_.sessions = 2;
  options_.session_idle_s = 3600;
  Service service({path("news")}, options_);
  const auto create = [&] { return ask(service, "POST", "/v1/sessions", ""); };
  const std::string first = json_of(create())["id"];
  create();
  EXPECT_THAT(error_of(create()), HasSubstr("429 2 sessions are open"));
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/sessions/" + first + "/fork")), StartsWith("429 "));
  EXPECT_EQ(service.sessions().close_idle(Clock::now()), 0U);
  EXPECT_EQ(service.sessions().close_idle(Clock::now() + std::chrono::hours(2)), 2U);
  EXPECT_THAT(error_of(ask(service, "GET", "/v1/sessions/" + first)), StartsWith("404 "));
  EXPECT_EQ(create().status, 201);
}

TEST_F(ServiceTest, SessionsExpireByThemselves) {
  options_.session_idle_s = 0.05;
  Service service({path("news")}, options_);
  ask(service, "POST", "/v1/sessions", "");
  for (int i = 0; i < 500 && service.sessions().size() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(service.sessions().size(), 0U);
}

TEST_F(ServiceTest, TwoCannotUseOneSessionAtOnce) {
  Service service({path("news")}, options_);
  const std::string id = json_of(ask(service, "POST", "/v1/sessions", ""))["id"];
  {
    const SessionLease lease = service.sessions().lease(id);
    EXPECT_THAT(error_of(ask(service, "POST", "/v1/sessions/" + id + "/feed", R"({"text": "good"})")),
                StartsWith("409 "));
  }
  EXPECT_EQ(ask(service, "POST", "/v1/sessions/" + id + "/feed", R"({"text": "good"})").status, 200);
}

}  // namespace
}  // namespace rondo::serve
