#include "rondo/translator.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "inference/text_translator.h"
#include "small_translator.h"
#include "storage/translator_file.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class PublicTranslator : public testing::Test {
 protected:
  PublicTranslator() {
    std::filesystem::create_directories(folder_);
    for (const uint64_t seed : {1U, 2U}) {
      save_translator(path(std::to_string(seed)), small_translator(seed), nlohmann::json::object());
    }
  }
  ~PublicTranslator() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / (name + ".rondo"); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      (std::string("rondo-translator-") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(PublicTranslator, TranslatesAsTheModelInMemory) {
  const auto backend = open_device("cpu", 1);
  std::vector<TranslatorModel> models;
  models.push_back(small_translator(1));
  const TextTranslator own(std::move(models), {"own"}, *backend, {});
  const Translator loaded = Translator::load(path("1"), 2);
  const std::vector<std::string> texts = small_sentences(12);
  const auto expected = own.translate(texts, {.search = {.alpha = 1}});
  const std::vector<std::string> found = loaded.translate_all(texts, {{"alpha", "1"}});
  ASSERT_EQ(found.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(found[i], expected[i][0].text);
    EXPECT_EQ(loaded.translate(texts[i], {{"alpha", "1"}}), found[i]);
  }
  EXPECT_EQ(loaded.parameters(), static_cast<size_t>(own.parameters()));
}

TEST_F(PublicTranslator, GivesTheBestFewWithTheirAlignment) {
  const Translator translator = Translator::load(path("1"));
  const std::vector<Translation> best = translator.n_best("s1 s2", 7);
  ASSERT_EQ(best.size(), 7U);
  for (size_t i = 0; i < best.size(); ++i) {
    EXPECT_LE(best[i].score, best[i > 0 ? i - 1 : 0].score);
    EXPECT_EQ(best[i].source_tokens.size(), 3U);
    EXPECT_EQ(best[i].attention.size(), 3 * best[i].target_tokens.size());
  }
  EXPECT_THROW(translator.n_best("s1", 0), ConfigError);
  EXPECT_THROW(translator.n_best("s1", size_t{1} << 62), ConfigError);
}

TEST_F(PublicTranslator, AnEnsembleIsLoadedFromSeveralFiles) {
  const Translator both = Translator::load(std::vector{path("1"), path("2")});
  const Translator one = Translator::load(path("1"));
  EXPECT_EQ(both.parameters(), 2 * one.parameters());
  EXPECT_NE(both.n_best("s1 s2", 1)[0].score, one.n_best("s1 s2", 1)[0].score);
  EXPECT_THROW(Translator::load(std::vector<std::string>{}), ConfigError);
}

TEST_F(PublicTranslator, MistakesAreNamed) {
  EXPECT_THROW(Translator::load(path("none")), IoError);
  EXPECT_THROW(Translator::load(path("1"), 1, "f16"), ConfigError);
  const Translator translator = Translator::load(path("1"));
  EXPECT_THAT(
      [&] {
        translator.translate("s1", {{"beem", "3"}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("did you mean --beam?")));
  EXPECT_THROW(translator.translate("s1", {{"beam", "0"}}), ConfigError);
  EXPECT_THROW(translator.translate("\xFF"), DataError);
}

}  // namespace
}  // namespace rondo
