// Texts that the service writes, whole and as events.
#include <utility>

#include "rondo/language_model.h"
#include "small_service.h"

namespace rondo::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

std::vector<std::pair<std::string, Json>> events_of(const Reply& reply, size_t most = 1 << 20) {
  std::vector<std::pair<std::string, Json>> events;
  reply.stream([&](std::string_view piece) {
    const std::string text(piece);
    const size_t data = text.find("data: ");
    EXPECT_TRUE(text.ends_with("\n\n"));
    const std::string name = data == 0 ? "" : text.substr(7, data - 8);
    events.emplace_back(name, Json::parse(text.substr(data + 6)));
    return events.size() < most;
  });
  return events;
}

TEST_F(ServiceTest, AStreamHasThePiecesOfTheWholeText) {
  Service service({path("poems")}, options_);
  const std::string body = R"({"prompt": "abc", "length": 60, "ignore_end": true, "log_probability": true)";
  const Json whole = json_of(ask(service, "POST", "/v1/generate", body + "}"));
  EXPECT_EQ(whole["tokens"], 60);
  EXPECT_EQ(whole["why"], "length");
  EXPECT_LT(whole["log_probability"].get<double>(), 0);
  const Reply stream = ask(service, "POST", "/v1/generate", body + R"(, "stream": true})");
  EXPECT_EQ(stream.content_type, "text/event-stream");
  const auto events = events_of(stream);
  std::string text;
  for (size_t i = 0; i + 1 < events.size(); ++i) text += events[i].second["text"].get<std::string>();
  EXPECT_GT(events.size(), 10U);
  EXPECT_EQ(text, whole["text"]);
  EXPECT_EQ(events.back().first, "done");
  EXPECT_EQ(events.back().second["tokens"], 60);
  const auto library = TextModel::load(path("poems"));
  EXPECT_EQ(text, library.generate("abc", {{"length", "60"}, {"ignore-end", "true"}}));
}

TEST_F(ServiceTest, AClientThatLeavesEndsItsText) {
  Service service({path("poems")}, options_);
  const Reply stream =
      ask(service, "POST", "/v1/generate", R"({"length": 2000, "ignore_end": true, "stream": true})");
  EXPECT_EQ(events_of(stream, 3).size(), 3U) << "no event follows, not even the end";
  Match match = Service::find("POST", "/v1/generate");
  int pieces = 0;
  const Reply whole = service.answer(*match.route, {.body = R"({"length": 2000, "ignore_end": true})",
                                                    .is_gone = [&] { return ++pieces == 5; }});
  EXPECT_EQ(pieces, 5);
  EXPECT_THAT(error_of(whole), HasSubstr("400 the client closed its side"));
}

TEST_F(ServiceTest, TextsThatTakeTooLongAre504) {
  options_.timeout_s = 0.05;
  options_.limits.max_length = 100000000;
  Service service({path("poems")}, options_);
  const std::string body = R"({"length": 100000000, "ignore_end": true)";
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/generate", body + "}")),
              HasSubstr("504 the text took longer"));
  const auto events = events_of(ask(service, "POST", "/v1/generate", body + R"(, "stream": true})"));
  EXPECT_EQ(events.back().first, "error");
  EXPECT_EQ(events.back().second["error"]["status"], 504);
}

TEST_F(ServiceTest, NoMoreTextsAtOnceThanAllowed) {
  options_.generations = 1;
  Service service({path("poems")}, options_);
  {
    const Reply first = ask(service, "POST", "/v1/generate", R"({"stream": true})");
    const Reply second = ask(service, "POST", "/v1/generate", R"({"length": 5})");
    EXPECT_THAT(error_of(second), HasSubstr("429 1 texts are being written"));
    EXPECT_THAT(second.headers, ElementsAre(testing::Pair("Retry-After", "1")));
  }
  EXPECT_EQ(error_of(ask(service, "POST", "/v1/generate", R"({"length": 5})")), "200 no error");
}

TEST_F(ServiceTest, WhatTheModelRefusesIsSaid) {
  Service service(all(), options_);
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/generate", R"({"prompt": "ÄÖÜ"})")),
              HasSubstr("422 prompt: "));
  EXPECT_THAT(error_of(ask(service, "POST", "/v1/generate", R"({"greedy": true, "top_k": 5})")),
              StartsWith("400 "));
  EXPECT_THAT(
      error_of(ask(service, "POST", "/v1/generate", R"({"greedy": true, "top_k": 5, "stream": true})")),
      StartsWith("400 "));
}

}  // namespace
}  // namespace rondo::serve
