#include "data/captions.h"

#include <gmock/gmock.h>

#include "data_test_files.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> shown(const CaptionCorpus& corpus) {
  std::vector<std::string> rows;
  for (const CaptionedImage& image : corpus.images) {
    std::string row = image.name;
    for (const Caption& caption : image.captions) row += "|" + caption.text;
    rows.push_back(row);
  }
  return rows;
}

TEST(Captions, FlickrsCsvGathersThePicturesOfTheSameName) {
  const TestFolder folder;
  const CaptionCorpus corpus = read_captions(
      folder.write("c.csv", "image,caption\na.jpg,A dog .\nb.jpg,\"A cat, asleep .\"\na.jpg,It runs .\n"),
      {});
  EXPECT_THAT(shown(corpus), ElementsAre("a.jpg|A dog .|It runs .", "b.jpg|A cat, asleep ."));
  EXPECT_EQ(corpus.num_captions(), 3);
  EXPECT_THAT(corpus.images[1].place(corpus.images[1].captions[0]), testing::EndsWith("c.csv:3"));
}

TEST(Captions, NumbersBehindNamesAreLeftOut) {
  const TestFolder folder;
  EXPECT_THAT(shown(read_captions(folder.write("c.token.txt", "a.jpg#0\tA dog\na.jpg#1\tIt runs\n"), {})),
              ElementsAre("a.jpg|A dog|It runs"));
  EXPECT_THAT(shown(read_captions(folder.write("d.tsv", "no#number\tA dog\n#1\tCat\n"), {})),
              ElementsAre("no#number|A dog", "#1|Cat"));
}

TEST(Captions, JsonLinesAndNamedColumnsAreRead) {
  const TestFolder folder;
  EXPECT_THAT(shown(read_captions(
                  folder.write("c.jsonl", R"({"image": "a.png", "caption": "a bag", "boxes": [1, 2]})"), {})),
              ElementsAre("a.png|a bag"));
  CaptionFormat format;
  format.image_column = "2";
  format.caption_column = "3";
  EXPECT_THAT(shown(read_captions(folder.write("c.csv", "1,a.jpg,A dog\n2,b.jpg,A cat\n"), format)),
              ElementsAre("a.jpg|A dog", "b.jpg|A cat"));
}

TEST(Captions, RowsWithoutAPictureOrACaptionAreErrorsWithTheirLine) {
  const TestFolder folder;
  const auto refused = [&](std::string_view text) {
    return message_of<DataError>([&] { read_captions(folder.write("c.csv", text), {}); });
  };
  EXPECT_THAT(refused("image,caption\na.jpg,A dog\nb.jpg, \n"),
              AllOf(HasSubstr("c.csv:3: "), HasSubstr("'b.jpg' without a caption")));
  EXPECT_THAT(refused("image,caption\n,A dog\n"),
              AllOf(HasSubstr("c.csv:2: "), HasSubstr("a caption without a picture")));
  EXPECT_THAT(refused("a.jpg\nb.jpg\n"), HasSubstr("one column, expected a picture and its caption"));
  EXPECT_THAT(refused("image,caption\n"), HasSubstr("no captions"));
  EXPECT_THAT(refused(""), HasSubstr("c.csv: "));
  EXPECT_THAT(refused("a.jpg,\xFF\n"), HasSubstr("c.csv:1: "));
}

TEST(Captions, DevPicturesTakeAllTheirCaptionsAlong) {
  const TestFolder folder;
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += std::to_string(i % 20) + ".jpg,caption " + std::to_string(i) + "\n";
  const std::string path = folder.write("c.csv", rows);
  CaptionCorpus train = read_captions(path, {}), same = read_captions(path, {});
  const CaptionCorpus dev = take_dev_images(train, 0.2, 3);
  EXPECT_EQ(dev.images.size(), 4U);
  EXPECT_EQ(train.images.size(), 16U);
  for (const CaptionedImage& image : dev.images) EXPECT_EQ(image.captions.size(), 2U);
  EXPECT_EQ(shown(take_dev_images(same, 0.2, 3)), shown(dev));
  CaptionCorpus one = read_captions(folder.write("one.csv", "a.jpg,A dog\n"), {});
  EXPECT_THAT(message_of<DataError>([&] { take_dev_images(one, 0.5, 1); }), HasSubstr("--dev-captions"));
}

}  // namespace
}  // namespace rondo
