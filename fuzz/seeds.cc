// What the fuzzers begin from: a small model file of every kind, and a body of every form.
//   seeds FOLDER    writes FOLDER/model_file/*, FOLDER/requests/* and FOLDER/image/*
#include <filesystem>
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

namespace {

using namespace rondo;

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

void write_requests(const std::filesystem::path& folder) {
  const char* const bodies[] = {
      R"({"text": "a b", "model": "news", "best": 3, "threshold": 0.5})",
      R"({"texts": ["a", "\u00e9\ud83d\ude00", ""]})",
      R"({"words": ["a", "b"], "n_best": 2, "marginals": true})",
      R"({"sentences": [["a"], []]})",
      R"({"text": "a", "beam": 4, "n_best": 2, "alpha": 0.6, "coverage": 0, "replace_unknown": true, "alignment": false})",
      R"({"prompt": "a", "length": 9, "seed": 1, "temperature": 0.8, "top_k": 5, "top_p": 0.9, "stop": ["\n"], "stream": true})",
      R"({"repetition_penalty": 1.2, "repetition_window": 64, "greedy": false, "allow_unknown": true, "ignore_end": true})"};
  int number = 0;
  for (const char* body : bodies) std::ofstream(folder / std::to_string(number++)) << body;
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

int main(int count, char** words) {
  if (count != 2) return 2;
  const std::filesystem::path folder = words[1];
  for (const char* name : {"model_file", "requests", "image"})
    std::filesystem::create_directories(folder / name);
  write_models(folder / "model_file");
  write_requests(folder / "requests");
  write_images(folder / "image");
  return 0;
}
