// Bodies from strangers: a struct, or a refusal that says where.
#include "serve/requests.h"

#include <gmock/gmock.h>

namespace rondo::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const RequestLimits kLimits{.max_text = 100, .max_texts = 3, .max_length = 50, .max_beam = 8};

/// Status and message of the refusal, or "" if the body is taken.
std::string refusal_of(const std::function<void()>& parse) {
  try {
    parse();
  } catch (const Refusal& refusal) {
    return fmt::format("{} {}", refusal.status(), refusal.what());
  }
  return "";
}
std::string predict_refusal(std::string_view body) {
  return refusal_of([&] { parse_predict_request(body, kLimits); });
}
std::string generation_refusal(std::string_view body) {
  return refusal_of([&] { parse_generation_request(body, kLimits); });
}

TEST(Requests, OneTextOrSeveral) {
  EXPECT_THAT(parse_predict_request(R"({"text": "a b"})", kLimits).texts, ElementsAre("a b"));
  const PredictRequest many =
      parse_predict_request(R"({"texts": ["a", ""], "model": "news", "best": 3})", kLimits);
  EXPECT_THAT(many.texts, ElementsAre("a", ""));
  EXPECT_EQ(many.model, "news");
  EXPECT_EQ(many.best, 3);
  EXPECT_TRUE(parse_predict_request(R"({"texts": []})", kLimits).texts.empty());
}

TEST(Requests, TextIsTakenAsItStands) {
  EXPECT_THAT(parse_predict_request(R"({"text": "\u0000\ud83d\ude00\u00e9\n"})", kLimits).texts,
              ElementsAre(std::string("\0\xF0\x9F\x98\x80\xC3\xA9\n", 8)));
}

TEST(Requests, WhatIsMissingOrTooMuchIsSaid) {
  EXPECT_EQ(predict_refusal("{}"), "400 body: expected one of text and texts, got 0 of them");
  EXPECT_EQ(predict_refusal(R"({"text": "a", "texts": ["b"]})"),
            "400 body: expected one of text and texts, got 2 of them");
  EXPECT_EQ(predict_refusal(R"({"text": 5})"), "400 text: expected text, got number");
  EXPECT_EQ(predict_refusal(R"({"texts": "a"})"), "400 texts: expected a list, got string");
  EXPECT_EQ(predict_refusal(R"({"texts": ["a", null]})"), "400 texts[1]: expected text, got null");
  EXPECT_EQ(predict_refusal(R"({"text": "a", "bets": 3})"),
            "400 body: there is no field \"bets\"; did you mean \"best\"?");
  EXPECT_THAT(predict_refusal(R"({"text": "a", "temperature": 3})"),
              HasSubstr("there are text, texts, model"));
}

TEST(Requests, ValuesAreHeldToTheirRange) {
  EXPECT_EQ(predict_refusal(R"({"text": "a", "best": -1})"), "400 best: expected 0 to 1000000000, got -1");
  EXPECT_THAT(predict_refusal(R"({"text": "a", "best": "many"})"),
              HasSubstr("400 best: expected an integer"));
  EXPECT_THAT(predict_refusal(R"({"text": "a", "best": 1e300})"), HasSubstr("400 best: expected"));
  EXPECT_THAT(predict_refusal(R"({"text": "a", "best": 99999999999999999999999})"),
              HasSubstr("400 best: expected"));
  EXPECT_THAT(predict_refusal(R"({"text": "a", "threshold": 1.5})"),
              HasSubstr("400 threshold: expected 0 to 1"));
  EXPECT_THAT(predict_refusal(R"({"text": "a", "model": null})"), HasSubstr("400 model: expected text"));
}

TEST(Requests, LimitsAre422) {
  EXPECT_EQ(predict_refusal(R"({"text": ")" + std::string(101, 'x') + R"("})"),
            "422 text: 101 bytes, at most 100 are read; send it in parts");
  EXPECT_EQ(predict_refusal(R"({"texts": ["", "", "", ""]})"),
            "422 texts: 4 texts, at most 3 are taken at once");
  EXPECT_EQ(predict_refusal(R"({"texts": ["a", ")" + std::string(101, 'x') + R"("]})"),
            "422 texts[1]: 101 bytes, at most 100 are read; send it in parts");
  EXPECT_EQ(generation_refusal(R"({"length": 51})"), "422 length: 51 tokens, at most 50 here");
  EXPECT_EQ(refusal_of([] { parse_translation_request(R"({"text": "a", "beam": 9})", kLimits); }),
            "422 beam: 9, at most 8 here");
  EXPECT_EQ(refusal_of([] { parse_tagging_request(R"({"text": "a", "n_best": 9})", kLimits); }),
            "422 n_best: 9, at most 8 here");
}

TEST(Requests, HostileBytesAreRefused) {
  EXPECT_EQ(predict_refusal(""), "400 body: empty, expected a JSON object");
  EXPECT_EQ(predict_refusal("[]"), "400 body: expected a JSON object, got array");
  EXPECT_EQ(predict_refusal("5"), "400 body: expected a JSON object, got number");
  EXPECT_EQ(predict_refusal("{\"text\": \"\xff\"}"), "400 body: byte 11 is not UTF-8");
  EXPECT_EQ(predict_refusal(std::string("{\"text\": \"a\"}\0{}", 16)), "400 body: byte 14 is zero");
  EXPECT_THAT(predict_refusal(R"({"text": "a")"), HasSubstr("400 body: no valid JSON at byte 13"));
  EXPECT_THAT(predict_refusal(R"({"text": "a"} x)"), HasSubstr("400 body: no valid JSON at byte 15"));
  EXPECT_THAT(predict_refusal(R"({"text": "\ud83d"})"), HasSubstr("400 body: no valid JSON"));
  EXPECT_THAT(predict_refusal(R"({"text": "\ude00\ud83d"})"), HasSubstr("400 body: no valid JSON"));
  EXPECT_THAT(predict_refusal("{\"text\": \"a\nb\"}"), HasSubstr("400 body: no valid JSON at byte 12"));
  EXPECT_THAT(predict_refusal(R"({"text": "a", "best": 1e999})"), HasSubstr("is too large"));
  EXPECT_THAT(predict_refusal(R"({"text": "a", "best": NaN})"), HasSubstr("400 body: no valid JSON"));
  EXPECT_EQ(predict_refusal(R"({"text": "a", "text": "b"})"), "400 body: the key \"text\" stands twice");
  EXPECT_EQ(predict_refusal(R"({"text": "a", "te\u0078t": "b"})"), "400 body: the key \"text\" stands twice");
}

TEST(Requests, NoDepthReachesTheStack) {
  for (const std::string open : {"[", R"({"a":)"}) {
    std::string body = R"({"text": )";
    for (int i = 0; i < 200000; ++i) body += open;
    EXPECT_EQ(predict_refusal(body), "400 body: nested deeper than 8");
  }
  EXPECT_EQ(predict_refusal(R"({"text": [[[[[[[]]]]]]]})"), "400 text: expected text, got array");
}

TEST(Requests, MessagesAreShortWhateverWasSent) {
  const std::string long_name(5000, 'k');
  EXPECT_LT(predict_refusal("{\"" + long_name + "\": 1}").size(), 300U);
  EXPECT_LT(predict_refusal("{\"" + long_name + "\": 1, \"" + long_name + "\": 2}").size(), 300U);
  EXPECT_LT(predict_refusal("{\"text\": \"a\", \"best\": \"" + long_name + "\"}").size(), 300U);
  EXPECT_LT(predict_refusal("{\"text\": \"" + long_name).size(), 300U);
}

TEST(Requests, SentencesInFourForms) {
  const auto words = [](std::string_view body) { return parse_tagging_request(body, kLimits).sentences; };
  EXPECT_THAT(words(R"({"text": " Ada\tmet \n Alan"})"), ElementsAre(ElementsAre("Ada", "met", "Alan")));
  EXPECT_THAT(words(R"({"texts": ["a b", ""]})"), ElementsAre(ElementsAre("a", "b"), ElementsAre()));
  EXPECT_THAT(words(R"({"words": ["New York", "."]})"), ElementsAre(ElementsAre("New York", ".")));
  EXPECT_THAT(words(R"({"sentences": [["a"], []]})"), ElementsAre(ElementsAre("a"), ElementsAre()));
  const auto refused = [](std::string_view body) {
    return refusal_of([&] { parse_tagging_request(body, kLimits); });
  };
  EXPECT_EQ(refused(R"({"words": [""]})"), "400 words[0]: an empty word");
  EXPECT_EQ(refused(R"({"sentences": ["a"]})"), "400 sentences[0]: expected a list, got string");
  EXPECT_THAT(refused(R"({"words": [")" + std::string(60, 'x') + R"(", ")" + std::string(60, 'y') + R"("]})"),
              HasSubstr("422 words: 122 bytes"));
}

TEST(Requests, GenerationHasTheOptionsOfTheCommand) {
  const GenerationRequest request = parse_generation_request(
      R"({"prompt": "a", "top_k": 5, "temperature": 0.5, "stop": ["\n", ","], "stream": true, "seed": 7})",
      kLimits);
  EXPECT_EQ(request.options.sampling.top_k, 5);
  EXPECT_EQ(request.options.sampling.temperature, 0.5);
  EXPECT_THAT(request.options.stop, ElementsAre("\n", ","));
  EXPECT_TRUE(request.stream);
  EXPECT_EQ(request.options.seed, 7U);
  EXPECT_EQ(parse_generation_request("{}", kLimits).options.length, 50)
      << "the default is no more than the limit";
  EXPECT_THAT(generation_refusal(R"({"stop": "x"})"), HasSubstr("400 stop: expected a list of texts"));
  EXPECT_THAT(generation_refusal(R"({"stop": [""]})"), HasSubstr("400 stop: an empty string"));
  EXPECT_THAT(generation_refusal(R"({"stop": [")" + std::string(201, 'x') + R"("]})"), HasSubstr("422 stop"));
}

TEST(Requests, BeamAndTranslationsFit) {
  const TranslationRequest request =
      parse_translation_request(R"({"text": "a", "n_best": 2, "beam": 4, "alignment": true})", kLimits);
  EXPECT_EQ(request.options.search.n_best, 2);
  EXPECT_TRUE(request.options.alignment);
  EXPECT_THAT(refusal_of([] { parse_translation_request(R"({"text": "a", "n_best": 7})", kLimits); }),
              HasSubstr("400 n_best: 7, but the beam is 5"));
}

TEST(Requests, SessionsBeginWithOrWithoutText) {
  EXPECT_EQ(parse_session_request("", kLimits).text, "");
  EXPECT_EQ(parse_session_request(R"({"text": "a "})", kLimits).text, "a ");
  EXPECT_EQ(parse_feed_request(R"({"text": "b"})", kLimits).text, "b");
  EXPECT_THAT(refusal_of([] { parse_feed_request("", kLimits); }), HasSubstr("400 body: empty"));
}

}  // namespace
}  // namespace rondo::serve
