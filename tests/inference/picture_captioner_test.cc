#include "inference/picture_captioner.h"

#include <gmock/gmock.h>

#include "inference/caption_page.h"
#include "inference/caption_places.h"
#include "rondo/errors.h"
#include "storage/captioner_file.h"
#include "storage/test_files.h"
#include "tensor/device.h"
#include "training/captioner_evaluation.h"

namespace rondo {
namespace {

using testing::HasSubstr;

CaptionerModel small(CaptionAttention attention = CaptionAttention::kSoft) {
  const CaptionerOptions options{.embedding = 6,
                                 .embedding_range = 2,
                                 .hidden = 8,
                                 .attention = attention,
                                 .image_size = 8,
                                 .filters = 4,
                                 .blocks = 1};
  CaptionerModel model{
      .text = {.tokenizer = make_tokenizer(TokenizerKind::kWords),
               .vocabulary = Vocabulary::from_tokens(
                   {Vocabulary::kUnknownToken, Vocabulary::kEndToken, "a", "bag", "boot", "left", "of"})},
      .network = {}};
  model.network = std::make_unique<CaptionerNetwork>(options, 7);
  model.network->initialize(Stream(9), model.text.end());
  return model;
}

Image noise(uint64_t seed, int64_t side = 8) {
  Image image = filled_image(side, side, 3);
  for (size_t i = 0; i < image.bytes.size(); ++i) {
    image.bytes[i] = static_cast<uint8_t>(Stream(seed).below(i, 256));
  }
  return image;
}

PictureSet pictures(int64_t count) {
  PictureSet set = picture_set(noise(1), {8, 3});
  for (int64_t i = 1; i < count; ++i) {
    const PictureSet next = picture_set(noise(static_cast<uint64_t>(i) + 1), {8, 3});
    set.bytes.insert(set.bytes.end(), next.bytes.begin(), next.bytes.end());
  }
  return set;
}

TEST(PictureCaptioner, ACaptionIsTheSameInAnyCompany) {
  for (const CaptionAttention kind :
       {CaptionAttention::kSoft, CaptionAttention::kHard, CaptionAttention::kNone}) {
    SCOPED_TRACE(name_of(kind));
    const auto one = open_device("cpu", 1), two = open_device("cpu", 2);
    CaptionOptions options{.n_best = 3, .max_length = 7, .batch = 3};
    const auto together = PictureCaptioner(small(kind), *two, {}).caption(pictures(7), options);
    ASSERT_EQ(together.size(), 7U);
    options.batch = 1;
    const auto alone = PictureCaptioner(small(kind), *one, {}).caption(pictures(7), options);
    for (size_t i = 0; i < 7; ++i) {
      ASSERT_EQ(together[i].size(), 3U);
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(together[i][k].text, alone[i][k].text);
        EXPECT_EQ(together[i][k].log_probability, alone[i][k].log_probability);
      }
      EXPECT_GE(together[i][0].score, together[i][1].score);
    }
  }
}

TEST(PictureCaptioner, ABeamOfOneIsGreedy) {
  const auto backend = open_device("cpu", 1);
  const PictureCaptioner captioner(small(), *backend, {});
  const auto found = captioner.caption(pictures(5), {.beam = 1, .max_length = 9});
  const std::vector<int32_t> numbers = {0, 1, 2, 3, 4};
  const auto greedy = caption_greedily(captioner.model(), *backend, pictures(5), numbers, 9, 2);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(found[i][0].text, captioner.model().text.decode(greedy[i]));
}

TEST(PictureCaptioner, AttentionHasARowATokenThatSumsToOne) {
  const auto backend = open_device("cpu", 1);
  const PictureCaptioner captioner(small(), *backend, {});
  for (const auto& found : captioner.caption(pictures(3), {.max_length = 5, .attention = true})) {
    const PictureCaption& best = found.front();
    ASSERT_EQ(best.attention.size(), best.tokens.size() * 16);
    for (size_t t = 0; t < best.tokens.size(); ++t) {
      double sum = 0;
      for (size_t i = 0; i < 16; ++i) sum += best.attention[t * 16 + i];
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
}

TEST(PictureCaptioner, WhatAModelHasNotIsRefused) {
  const auto backend = open_device("cpu", 1);
  const PictureCaptioner captioner(small(CaptionAttention::kNone), *backend, {});
  EXPECT_THROW(captioner.caption(pictures(1), {.attention = true}), ConfigError);
  EXPECT_THROW(captioner.caption(pictures(1), {.beam = 1, .n_best = 2}), ConfigError);
  EXPECT_THROW(captioner.caption(pictures(1), {.min_length = 9, .max_length = 8}), ConfigError);
  EXPECT_TRUE(captioner.caption(PictureSet{}, {}).empty());
}

TEST(Captioner, AFileCaptionsPicturesThroughThePublicClass) {
  const TestFolder folder;
  save_captioner(folder.file("m.rondo"), small(), {});
  put_bytes(folder.file("a.png"), encode_png(noise(1)));
  put_bytes(folder.file("b.png"), encode_png(noise(2, 30)));
  const Captioner captioner = Captioner::load(folder.file("m.rondo"), 1);
  const auto backend = open_device("cpu", 1);
  const PictureCaptioner same(small(), *backend, {});
  const std::string expected = same.caption(pictures(1), {.max_length = 6})[0][0].text;
  EXPECT_EQ(captioner.caption(folder.file("a.png"), {{"max-length", "6"}}), expected);
  EXPECT_EQ(captioner.caption_all({folder.file("b.png"), folder.file("a.png")}, {{"max-length", "6"}})[1],
            expected);
  const std::vector<PictureCaption> best = captioner.n_best(folder.file("a.png"), 4);
  ASSERT_EQ(best.size(), 4U);
  EXPECT_EQ(captioner.region_side(), 4U);
  EXPECT_EQ(best[0].attention.size(), best[0].tokens.size() * 16);
  EXPECT_GT(captioner.parameters(), 100U);
  EXPECT_THROW(captioner.caption(folder.file("none.png")), IoError);
  EXPECT_THROW(captioner.caption(folder.file("m.rondo")), DataError);
  EXPECT_THROW(captioner.caption(folder.file("a.png"), {{"beams", "6"}}), ConfigError);
  EXPECT_THROW(Captioner::load(folder.file("a.png")), FormatError);
}

TEST(CaptionPage, LightFollowsTheWeights) {
  const std::vector<float> weights = {0.7F, 0.1F, 0.1F, 0.1F};
  const Image lit = attention_over(filled_image(64, 64, 1, 100), weights, 2);
  EXPECT_EQ(lit.channels, 3);
  EXPECT_GT(lit.at(5, 5, 0), lit.at(60, 60, 0) + 40);
  EXPECT_EQ(lit.at(60, 5, 0), lit.at(5, 60, 0));
  EXPECT_GT(lit.at(31, 31, 0), lit.at(60, 60, 0));  // between the centres it is drawn smoothly
}

TEST(CaptionPage, HoldsPicturesAndEscapesText) {
  CaptionPage page;
  PictureCaption caption{
      .text = "a <b>", .tokens = {"a", "<b>", "</s>"}, .attention = std::vector<float>(12, 0.25F)};
  page.add("x & \"y\".png", noise(3, 40), caption, 2);
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("x &amp; &quot;y&quot;.png"));
  EXPECT_THAT(html, HasSubstr("a &lt;b&gt;"));
  EXPECT_THAT(html, HasSubstr("&lt;/s&gt;"));
  size_t images = 0;
  for (size_t at = 0; (at = html.find("data:image/png;base64,", at)) != std::string::npos; ++at) ++images;
  EXPECT_EQ(images, 4U);
  EXPECT_THAT(html, testing::Not(HasSubstr("http")));
}

TEST(CaptionPlaces, AWordIsRightWhereItsArticleStands) {
  const std::vector<SceneArticle> articles = {{"bag", {0, 0, 28, 28}}, {"boot", {64, 64, 28, 28}}};
  const std::vector<std::string> known = {"bag", "boot", "shirt"};
  PictureCaption caption{.tokens = {"a", "bag", "boot", "shirt"}, .attention = std::vector<float>(4 * 9, 0)};
  caption.attention[0 * 9 + 8] = 1;  // no article word: not counted
  caption.attention[1 * 9 + 0] = 1;  // the bag, at its place
  caption.attention[2 * 9 + 0] = 1;  // the boot, at the bag's
  caption.attention[3 * 9 + 8] = 1;  // there is no shirt
  PlaceScore score;
  add_places(caption, articles, {96, 96}, 3, known, score);
  EXPECT_EQ(score.words, 3);
  EXPECT_EQ(score.right, 1);
  // Boxes are pixels of a picture whose sides differ: region 8 is around (533, 400).
  caption.attention[3 * 9 + 8] = 1;
  const std::vector<SceneArticle> far = {{"shirt", {520, 390, 28, 28}}};
  PlaceScore wide, high;
  add_places(caption, far, {.width = 640, .height = 480}, 3, known, wide);
  add_places(caption, far, {.width = 480, .height = 640}, 3, known, high);
  EXPECT_EQ(wide.right, 1);
  EXPECT_EQ(high.right, 0);
}

}  // namespace
}  // namespace rondo
