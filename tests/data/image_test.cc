#include "data/image.h"

#include <gmock/gmock.h>
#include <turbojpeg.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "data_test_files.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Image gradient(int64_t width, int64_t height, int64_t channels) {
  Image image = filled_image(width, height, channels);
  for (size_t i = 0; i < image.bytes.size(); ++i) image.bytes[i] = static_cast<uint8_t>(7 * i);
  return image;
}

TEST(Image, APngComesBackByteForByte) {
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(5, 4, channels);
    const Image same = decode_image(encode_png(image), "it");
    EXPECT_EQ(same.width, 5);
    EXPECT_EQ(same.height, 4);
    EXPECT_EQ(same.channels, channels);
    EXPECT_EQ(same.bytes, image.bytes);
    EXPECT_EQ(encode_png(same), encode_png(image));
  }
}

std::string jpeg_of(const Image& image) {
  const std::unique_ptr<void, int (*)(void*)> encoder(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): as the library has it
  const bool grey = image.channels == 1;
  EXPECT_EQ(tjCompress2(encoder.get(), image.bytes.data(), static_cast<int>(image.width), 0,
                        static_cast<int>(image.height), grey ? TJPF_GRAY : TJPF_RGB, &bytes, &size,
                        grey ? TJSAMP_GRAY : TJSAMP_420, 90, 0),
            0);
  const std::string jpeg(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  return jpeg;
}

TEST(Image, AJpegIsKnownByItsFirstBytes) {
  for (const int64_t channels : {1, 3}) {
    const Image image = decode_image(jpeg_of(filled_image(4, 3, channels, 200)), "it");
    EXPECT_EQ(image.width, 4);
    EXPECT_EQ(image.height, 3);
    EXPECT_EQ(image.channels, channels);
    EXPECT_THAT(image.bytes, testing::Each(testing::AllOf(testing::Ge(198), testing::Le(202))));
  }
}

TEST(Image, ACutFileIsRefusedByName) {
  const std::string png = encode_png(gradient(40, 40, 3));
  for (size_t size : {size_t{9}, size_t{20}, png.size() / 2, png.size() - 20}) {
    EXPECT_THAT(message_of<DataError>([&] { decode_image(png.substr(0, size), "cut.png"); }),
                HasSubstr("cut.png: a broken PNG"))
        << size;
  }
  const std::string jpeg = jpeg_of(gradient(40, 40, 3));
  for (size_t size : {size_t{4}, size_t{30}, jpeg.size() / 2, jpeg.size() - 20}) {
    EXPECT_THAT(message_of<DataError>([&] { decode_image(jpeg.substr(0, size), "cut.jpg"); }),
                HasSubstr("cut.jpg: a broken JPEG"))
        << size;
  }
}

TEST(Image, ADamagedFileNeverComesBackWhole) {
  const std::string png = encode_png(gradient(40, 40, 3));
  for (size_t at = 8; at < png.size(); at += 7) {
    std::string damaged = png;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {
      decode_image(damaged, "damaged.png");  // a chunk that nobody needs may be damaged
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("damaged.png: "));
    }
  }
}

TEST(Image, OtherFilesAreRefused) {
  EXPECT_THAT(message_of<DataError>([] { decode_image("", "none.jpg"); }),
              HasSubstr("none.jpg: an empty file"));
  EXPECT_THAT(message_of<DataError>([] { decode_image("GIF89a....", "old.gif"); }),
              HasSubstr("old.gif: no JPEG and no PNG"));
  const TestFolder folder;
  EXPECT_THAT(message_of<IoError>([&] { read_image(folder.path("missing.png")); }), HasSubstr("missing.png"));
}

// The header of a PNG whose sides are told to be these; the sum of its bytes is right.
std::string png_of_size(uint32_t width, uint32_t height) {
  std::string png = encode_png(filled_image(1, 1, 1));
  for (size_t i = 0; i < 4; ++i) {
    png[16 + i] = static_cast<char>(width >> (24 - 8 * i));
    png[20 + i] = static_cast<char>(height >> (24 - 8 * i));
  }
  const auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const unsigned char*>(png.data()) + 12, 17));  // NOLINT: zlib's bytes
  for (size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
  return png;
}

TEST(Image, AHugePictureIsRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(message_of<DataError>([] { decode_image(png_of_size(900000, 900000), "bomb.png"); }),
              AllOf(HasSubstr("bomb.png: "), HasSubstr("900000x900000"), HasSubstr("make it smaller")));
  std::string jpeg = jpeg_of(gradient(8, 8, 1));
  const size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  for (size_t i = 5; i < 9; ++i) jpeg[frame + i] = '\xFF';
  EXPECT_THAT(message_of<DataError>([&] { decode_image(jpeg, "bomb.jpg"); }), HasSubstr("bomb.jpg: "));
  const TestFolder folder;
  const std::string path = folder.write("fat.png", "");
  std::filesystem::resize_file(path, static_cast<uint64_t>(kMostImageBytes) + 1);
  EXPECT_THAT(message_of<DataError>([&] { read_image(path); }), HasSubstr("fat.png"));
}

TEST(Image, GreyAndColourTurnIntoEachOther) {
  Image image = filled_image(1, 1, 3);
  image.bytes = {100, 200, 50};
  EXPECT_THAT(with_channels(image, 1).bytes, ElementsAre(153));  // 29.9 + 117.4 + 5.7
  EXPECT_THAT(with_channels(with_channels(image, 1), 3).bytes, ElementsAre(153, 153, 153));
  EXPECT_EQ(with_channels(image, 3).bytes, image.bytes);
  EXPECT_THROW(with_channels(image, 2), ConfigError);
}

TEST(Image, ASmallerPictureIsTheMeanOverAreas) {
  Image image = filled_image(3, 2, 1);
  image.bytes = {0, 30, 90, 60, 90, 150};
  EXPECT_THAT(resize_image(image, 1, 1).bytes, ElementsAre(70));
  // The middle column is shared: (0*1 + 30*0.5) / 1.5 and (30*0.5 + 90*1) / 1.5.
  EXPECT_THAT(resize_image(image, 2, 2).bytes, ElementsAre(10, 70, 70, 130));
  EXPECT_EQ(resize_image(image, 3, 2).bytes, image.bytes);
}

TEST(Image, ALargerPictureIsBilinear) {
  Image image = filled_image(2, 1, 1);
  image.bytes = {0, 100};
  EXPECT_THAT(resize_image(image, 4, 1).bytes, ElementsAre(0, 25, 75, 100));
  EXPECT_THAT(resize_image(filled_image(1, 1, 3, 9), 2, 2).bytes, testing::Each(9));
  EXPECT_THROW(resize_image(image, 0, 1), ConfigError);
  EXPECT_THROW(resize_image(image, 1, 5000), ConfigError);
}

TEST(Image, ADataUriIsBase64) {
  const Image image = filled_image(2, 2, 1, 128);
  const std::string uri = png_data_uri(image);
  EXPECT_THAT(uri, testing::StartsWith("data:image/png;base64,iVBORw0KGgo"));
  EXPECT_EQ((uri.size() - 22) % 4, 0U);
}

TEST(Image, FlickrsPicturesAreRead) {
  const char* given = std::getenv("RONDO_DATA");
  const std::string folder =
      std::string(given != nullptr ? given : "../shared/data") + "/flickr8k_mini/images";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const Image image = read_image(entry.path().string());
    EXPECT_EQ(image.channels, 3);
    EXPECT_GT(image.width * image.height, 1000);
    if (++read == 20) break;
  }
  EXPECT_EQ(read, 20);
}

}  // namespace
}  // namespace rondo
