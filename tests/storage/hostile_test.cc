// Files that are cut, damaged or made to hurt: an error that says what is wrong, and never a crash or a huge
// allocation.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "rondo/errors.h"
#include "storage/checkpoint.h"
#include "storage/model_file.h"
#include "test_files.h"

namespace rondo {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}";
}

class HostileFile : public testing::Test {
 protected:
  /// The message of the FormatError that reading these bytes gives, without the path; "" if they are read.
  std::string error_of(const std::string& bytes) {
    try {
      parse_tensor_file(bytes, path_);
    } catch (const FormatError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path_ + ": ")) << error.what();
      return std::string(error.what()).substr(path_.size() + 2);
    }
    return "";
  }
  std::string header_error(const std::string& header, size_t data = 0) {
    return error_of(safetensors_bytes(header, std::string(data, 'x')));
  }

  TestFolder folder_;
  std::string path_ = folder_.file("news.rondo");
};

TEST_F(HostileFile, EveryCutIsAnError) {
  write_tensor_file(path_,
                    {.metadata = {{"a", "b"}}, .tensors = {{"x", counting({3})}, {"y", counting({2, 2})}}});
  const std::string whole = get_bytes(path_);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(error_of(whole.substr(0, length)), HasSubstr("the file is cut; copy it again")) << length;
  }
  EXPECT_EQ(error_of(whole), "");
  EXPECT_EQ(error_of(whole.substr(0, whole.size() - 1)),
            fmt::format("tensor \"y\" ends at byte {} of {}: the file is cut; copy it again", whole.size(),
                        whole.size() - 1));
  EXPECT_THAT(error_of(whole + "z"), HasSubstr("1 bytes follow the last tensor"));
}

TEST_F(HostileFile, EveryAlteredHeaderByteIsAnErrorOrHarmless) {
  write_tensor_file(path_,
                    {.metadata = {{"a", "b"}}, .tensors = {{"x", counting({3})}, {"y", counting({2, 2})}}});
  const std::string whole = get_bytes(path_);
  const size_t header_end = whole.size() - 7 * sizeof(float);
  int read = 0;
  for (size_t i = 0; i < header_end; ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(value);
      try {
        int64_t total = 0;
        const TensorFile file = parse_tensor_file(bytes, path_);
        for (const auto& [name, tensor] : file.tensors) total += tensor.bytes();
        EXPECT_EQ(total, 28) << i << " " << value;
        ++read;
      } catch (const FormatError&) {
      }
    }
  }
  EXPECT_GT(read, 0);  // another letter in a name does no harm here: the checksum of a model file finds it
}

TEST_F(HostileFile, HugeHeaderLengthIsRefused) {
  EXPECT_THAT(error_of(std::string(8, '\xff') + "{}"), HasSubstr("this is no safetensors file"));
  EXPECT_THAT(error_of(std::string("\x00\x00\x00\x01\x00\x00\x00\x00", 8) + "{}"),
              HasSubstr("its header ends at byte 16777224 of 10"));
  EXPECT_THAT(error_of("PK\x03\x04 a zip archive of another program"),
              testing::AllOf(HasSubstr("not a model of Rondo"), HasSubstr("no safetensors file")));
}

TEST_F(HostileFile, ShapeLargerThanTheFileIsRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(header_error("{" + entry("x", "F32", "[1152921504606846976]", "[0,4611686018427387904]") + "}"),
              HasSubstr("tensor \"x\": its shape [1152921504606846976] is impossible"));
  EXPECT_THAT(header_error("{" + entry("x", "U8", "[4294967296,4294967296]", "[0,0]") + "}"),
              HasSubstr("is impossible"));
  EXPECT_THAT(header_error("{" + entry("x", "U8", "[0,4294967296,4294967296]", "[0,0]") + "}"),
              HasSubstr("is impossible"));
  EXPECT_THAT(header_error("{" + entry("x", "U8", "[99999999999999999999999]", "[0,0]") + "}"),
              HasSubstr("a fraction"));
  EXPECT_THAT(header_error("{" + entry("x", "F32", "[1000000000000]", "[0,4000000000000]") + "}"),
              HasSubstr("ends at byte 4000000000086 of 86: the file is cut"));
}

TEST_F(HostileFile, OffsetsMustFitTheShape) {
  EXPECT_EQ(header_error("{" + entry("x", "F32", "[2]", "[0,4]") + "}", 4),
            "tensor \"x\": F32 [2] needs 8 bytes, its data_offsets are [0, 4]");
  EXPECT_THAT(header_error("{" + entry("x", "F32", "[1]", "[4,0]") + "}", 4), HasSubstr("needs 4 bytes"));
  EXPECT_THAT(
      header_error("{" + entry("x", "U8", "[1]", "[18446744073709551614,18446744073709551615]") + "}"),
      HasSubstr("needs 1 bytes"));
  EXPECT_THAT(header_error("{" + entry("x", "U8", "[1]", "[0]") + "}", 1), HasSubstr("must be two numbers"));
  EXPECT_THAT(header_error("{" + entry("x", "U8", "[1]", "[0,1,2]") + "}", 1), HasSubstr("more than 2"));
}

TEST_F(HostileFile, TensorsMustFillTheDataOnce) {
  EXPECT_THAT(
      header_error("{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[4]", "[2,6]") + "}", 6),
      HasSubstr("\"b\" begins at byte"));
  EXPECT_THAT(
      header_error("{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[4]", "[2,6]") + "}", 6),
      HasSubstr("inside the one before it"));
  EXPECT_THAT(
      header_error("{" + entry("a", "U8", "[2]", "[0,2]") + "," + entry("b", "U8", "[2]", "[3,5]") + "}", 5),
      HasSubstr("with a hole before it"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2]", "[1,3]") + "}", 3),
              HasSubstr("with a hole before it"));
  EXPECT_THAT(
      header_error("{" + entry("a", "U8", "[2]", "[0,2]") + "," + entry("b", "U8", "[2]", "[0,2]") + "}", 2),
      HasSubstr("inside the one before it"));
  // Out of order is allowed.
  EXPECT_EQ(
      header_error("{" + entry("a", "U8", "[2]", "[3,5]") + "," + entry("b", "U8", "[3]", "[0,3]") + "}", 5),
      "");
}

TEST_F(HostileFile, NamesStandOnce) {
  const std::string x = entry("x", "U8", "[0]", "[0,0]");
  EXPECT_EQ(header_error("{" + x + "," + x + "}"), "\"x\" stands twice in the header");
  EXPECT_THAT(header_error(R"({"__metadata__":{},"__metadata__":{}})"), HasSubstr("stands twice"));
  EXPECT_THAT(header_error(R"({"__metadata__":{"a":"1","a":"2"}})"), HasSubstr("\"a\" stands twice"));
  EXPECT_THAT(header_error(R"({"x":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
              HasSubstr("tensor \"x\": dtype stands twice"));
}

TEST_F(HostileFile, OnlyWhatTheFormatKnowsIsTaken) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "does not begin with {"},
      {" {}", "does not begin with {"},
      {"{", "no valid JSON"},
      {"{}{}", "no valid JSON"},
      {R"({"x":1})", "tensor \"x\": a number"},
      {R"({"x":null})", "null"},
      {R"({"x":[]})", "a list"},
      {R"({"x":{}})", "tensor \"x\": no dtype"},
      {R"({"x":{"dtype":"U8","shape":[0]}})", "no data_offsets"},
      {R"({"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}})", "unknown field \"more\""},
      {R"({"x":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}})", "a negative number"},
      {R"({"x":{"dtype":"U8","shape":[1.5],"data_offsets":[0,0]}})", "a fraction"},
      {R"({"x":{"dtype":"U8","shape":[[0]],"data_offsets":[0,0]}})", "a list"},
      {R"({"x":{"dtype":"U8","shape":["0"],"data_offsets":[0,0]}})", "text"},
      {R"({"x":{"dtype":"U8","shape":0,"data_offsets":[0,0]}})", "a number"},
      {R"({"x":{"dtype":8,"shape":[0],"data_offsets":[0,0]}})", "a number"},
      {R"({"x":{"dtype":["U8"],"shape":[0],"data_offsets":[0,0]}})", "a list"},
      {R"({"x":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", "more than 8 numbers"},
      {R"({"x":{"dtype":"BF16","shape":[0],"data_offsets":[0,0]}})", "has the type \"BF16\""},
      {R"({"x":{"dtype":"","shape":[0],"data_offsets":[0,0]}})", "has the type \"\""},
      {R"({"__metadata__":{"a":1}})", "metadata \"a\": a number"},
      {R"({"__metadata__":{"a":{}}})", "an object"},
      {R"({"__metadata__":"a"})", "text"},
      {"{\"\xff\":{}}", "no valid JSON"},
  };
  for (const auto& [header, message] : cases) EXPECT_THAT(header_error(header), HasSubstr(message)) << header;
  EXPECT_THAT(header_error(std::string("{}\0 {}", 6)), HasSubstr("zero byte at 2"));
}

TEST_F(HostileFile, DeepJsonCostsNothing) {
  std::string deep = R"({"x":)";
  for (int i = 0; i < 1'000'000; ++i) deep += R"({"x":)";
  EXPECT_THAT(header_error(deep), HasSubstr("tensor \"x\""));
  EXPECT_THAT(header_error(R"({"x":)" + std::string(1'000'000, '[')), HasSubstr("a list"));
}

TEST_F(HostileFile, NamesInMessagesAreEscapedAndShort) {
  const std::string message = header_error(R"({"\u001b[2J)" + std::string(1000, 'n') + R"(":1})");
  EXPECT_THAT(message, HasSubstr("\\u001b[2J"));
  EXPECT_LT(message.size(), 250U);
}

TEST_F(HostileFile, OnlyRegularFilesAreRead) {
  EXPECT_THAT([&] { read_tensor_file(folder_.file("none")); },
              ThrowsMessage<IoError>(HasSubstr("cannot be read")));
  EXPECT_THAT([&] { read_tensor_file(folder_.file("")); },
              ThrowsMessage<IoError>(HasSubstr("no regular file")));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT([&] { read_tensor_file(path_); }, ThrowsMessage<IoError>(HasSubstr("no regular file")));
  EXPECT_THROW(read_tensor_file("/dev/zero"), IoError);
}

TEST_F(HostileFile, DeepOrWrongMetadataOfAModelIsRefused) {
  const auto error_with = [&](const std::string& key, const std::string& text) {
    TensorFile file = to_tensor_file({.kind = "classifier"});
    file.metadata.erase("checksum");
    file.metadata[key] = text;
    try {
      from_tensor_file(std::move(file), path_);
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_with("config", std::string(100'000, '[')), HasSubstr(": config: nested deeper than 64"));
  EXPECT_THAT(error_with("labels", "[[\"a\"]]"), HasSubstr(": labels: nested deeper than 1"));
  EXPECT_THAT(error_with("labels", "[\"a\",1]"), HasSubstr(": labels[1]: must be text, got number"));
  EXPECT_THAT(error_with("vocabulary", "{}"), HasSubstr(": vocabulary: must be a list, got object"));
  EXPECT_THAT(error_with("metrics", "[]"), HasSubstr(": metrics: must be an object, got array"));
  EXPECT_THAT(error_with("metrics", "{\"a\":1e999}"), HasSubstr(": metrics: no valid JSON"));
  EXPECT_THAT(error_with("config", std::string("{}\0{", 4)), HasSubstr("zero byte"));
  EXPECT_THAT(error_with("config", "{"), HasSubstr("no valid JSON at character"));
  EXPECT_EQ(error_with("config", "{}"), "");
}

}  // namespace
}  // namespace rondo
