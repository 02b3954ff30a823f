#include "seeds.h"

#include <fmt/format.h>

#include <fstream>
#include <string>

#include "data/image.h"
#include "inference/small_language_model.h"
#include "inference/small_translator.h"
#include "storage/captioner_file.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/small_captioner.h"
#include "storage/small_classifier.h"
#include "storage/small_tagger.h"
#include "storage/tagger_file.h"
#include "storage/translator_file.h"

namespace rondo::fuzz {

namespace {

void write_models(const std::filesystem::path& folder) {
  ClassifierOptions classifier{.embedding = 2};
  classifier.recurrent = {.hidden = 2, .bidirectional = false};
  save_classifier(folder / "classifier", small_classifier(classifier), {});
  LanguageModelOptions language{.tokenizer = TokenizerKind::kCharacters, .embedding = 2};
  language.recurrent = {.cell = Cell::kGru, .hidden = 2};
  save_language_model(folder / "language_model", small_language_model(language), {});
  save_tagger(folder / "tagger", small_tagger(small_taggers().front()), {});
  save_tagger(folder / "tagger_characters", small_tagger(small_taggers()[2]), {});
  save_translator(folder / "translator", small_translator(), {});
  save_captioner(folder / "captioner", small_captioner(CaptionAttention::kSoft, false), {});
}

template <class Texts>
void write_all(const Texts& texts, const std::filesystem::path& folder) {
  int number = 0;
  for (const auto& text : texts) std::ofstream(folder / std::to_string(number++)) << text;
}

void write_requests(const std::filesystem::path& folder) {
  const char* const bodies[] = {
      R"({"text": "a b", "model": "news", "best": 3, "threshold": 0.5})",
      R"({"texts": ["a", "\u00e9\ud83d\ude00", ""]})",
      R"({"words": ["a", "b"], "n_best": 2, "marginals": true})",
      R"({"sentences": [["a"], []]})",
      R"({"text": "a", "beam": 4, "n_best": 2, "alpha": 0.6, "coverage": 0, "replace_unknown": true, "alignment": false})",
      R"({"prompt": "a", "length": 9, "seed": 1, "temperature": 0.8, "top_k": 5, "top_p": 0.9, "stop": ["\n"], "stream": true})",
      R"({"repetition_penalty": 1.2, "repetition_window": 64, "greedy": false, "allow_unknown": true, "ignore_end": true})"};
  write_all(bodies, folder);
}

std::string post(const char* path, const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      path, body.size(), body);
}

void write_http(const std::filesystem::path& folder) {
  const std::string get = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string chunked =
      "POST /v1/predict HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string requests[] = {
      get + get + "GET /metrics HTTP/1.0\r\n\r\n",
      post("/v1/predict", R"({"text": "good bad"})") +
          post("/v1/look", R"({"text": "good", "model": "news", "gradient": true})"),
      chunked + "5\r\n{\"tex\r\na;x=\"y\"\r\nt\": \"good\"\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n" + get,
      post("/v1/generate", R"({"length": 3, "stream": true})") + post("/v1/generate", R"({"length": 3})"),
      post("/v1/sessions", R"({"model": "news"})") +
          "DELETE /v1/sessions/0 HTTP/1.1\r\nConnection: Keep-Alive\r\n\r\n" +
          post("/v1/sessions/0%2f/feed", R"({"text": "a"})"),
      "POST /v1/tag HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nContent-Type: "
      "application/json\r\n\r\n{}",
      "HEAD /?a=b HTTP/1.1\r\nRange: bytes=0-1,-2\r\nAccept-Encoding: gzip, br\r\nAuthorization: Bearer "
      "a\r\nConnection: close\r\n\r\n"};
  write_all(requests, folder);
}

void write_images(const std::filesystem::path& folder) {
  for (const int64_t channels : {1, 3}) {
    Image image = filled_image(5, 4, channels);
    for (size_t i = 0; i < image.bytes.size(); ++i) image.bytes[i] = static_cast<uint8_t>(9 * i);
    std::ofstream(folder / std::to_string(channels), std::ios::binary) << encode_png(image);
  }
  std::ofstream(folder / "jpeg", std::ios::binary) << "\xFF\xD8\xFF\xE0";
}

}  // namespace

void write_seeds(const std::filesystem::path& folder) {
  for (const char* name : {"model_file", "requests", "http", "image"})
    std::filesystem::create_directories(folder / name);
  write_models(folder / "model_file");
  write_requests(folder / "requests");
  write_http(folder / "http");
  write_images(folder / "image");
}

}  // namespace rondo::fuzz
