#include "storage/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "rondo/errors.h"
#include "test_files.h"

namespace rondo {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TensorFile small_file() {
  TensorFile file;
  file.metadata = {{"kind", "test"}, {"about", "a \"quote\", é and \n"}};
  file.tensors = {{"weight", counting({2, 3})},
                  {"double", counting({3}, DType::kFloat64)},
                  {"ids", counting({1, 1, 2}, DType::kInt32)},
                  {"bytes", counting({5}, DType::kUint8)},
                  {"none", Tensor({0, 4})}};
  return file;
}

TEST(Safetensors, ComesBackAsItWasWritten) {
  const TestFolder folder;
  const TensorFile file = small_file();
  write_tensor_file(folder.file("a"), file);
  const TensorFile again = read_tensor_file(folder.file("a"));
  EXPECT_EQ(again.metadata, file.metadata);
  EXPECT_TRUE(same(again.tensors, file.tensors));
  EXPECT_EQ(folder.num_files(), 1U);
}

TEST(Safetensors, NumbersKeepTheirBits) {
  const TestFolder folder;
  TensorFile file;
  const float special[] = {-0.0F, std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::denorm_min()};
  file.tensors = {{"x", Tensor::from(special)}};
  write_tensor_file(folder.file("a"), file);
  EXPECT_TRUE(same(read_tensor_file(folder.file("a")).tensors, file.tensors));
}

TEST(Safetensors, SameContentGivesSameBytes) {
  const TestFolder folder;
  write_tensor_file(folder.file("a"), small_file());
  write_tensor_file(folder.file("b"), small_file());
  EXPECT_EQ(get_bytes(folder.file("a")), get_bytes(folder.file("b")));
}

TEST(Safetensors, HeaderIsPaddedWithSpacesToEightBytes) {
  for (size_t length = 1; length < 10; ++length) {
    TensorFile file;
    file.tensors = {{std::string(length, 'n'), counting({1})}};
    const std::string header = tensor_file_header(file);
    EXPECT_EQ(header.size() % 8, 0U);
    EXPECT_EQ(header.substr(0, header.find('}', header.find("data_offsets")) + 2),
              "{\"" + std::string(length, 'n') + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})");
    EXPECT_EQ(header.find_first_not_of(' ', header.rfind('}') + 1), std::string::npos);
  }
}

TEST(Safetensors, FileOfNothingIsReadBack) {
  const TestFolder folder;
  write_tensor_file(folder.file("a"), {});
  const TensorFile again = read_tensor_file(folder.file("a"));
  EXPECT_TRUE(again.metadata.empty());
  EXPECT_TRUE(again.tensors.empty());
}

TEST(Safetensors, ScalarComesBackWithOneElement) {
  const TestFolder folder;
  put_bytes(folder.file("a"),
            safetensors_bytes(R"({"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", "\x07"));
  const Tensor scalar = read_tensor_file(folder.file("a")).find("s");
  EXPECT_EQ(scalar.shape(), Shape{1});
  EXPECT_EQ(scalar.at(0), 7);
}

TEST(Safetensors, TensorsAreFoundByNameAndMissedByName) {
  const TensorFile file = small_file();
  EXPECT_EQ(file.find("ids").dim(2), 2);
  EXPECT_THAT([&] { file.find("bias"); }, ThrowsMessage<FormatError>(HasSubstr("\"bias\" is missing")));
}

TEST(Safetensors, WhatTheFormatCannotHoldIsRefused) {
  const TestFolder folder;
  const auto write = [&](TensorFile file) { write_tensor_file(folder.file("a"), file); };
  EXPECT_THAT(
      [&] {
        write({.metadata = {}, .tensors = {{"z", Tensor({1}, DType::kComplex128)}}});
      },
      ThrowsMessage<FormatError>(HasSubstr("\"z\": complex")));
  EXPECT_THAT(
      [&] {
        write({.metadata = {}, .tensors = {{"x", counting({1})}, {"x", counting({2})}}});
      },
      ThrowsMessage<FormatError>(HasSubstr("\"x\" is given twice")));
  EXPECT_THROW(write({.metadata = {}, .tensors = {{"__metadata__", counting({1})}}}), FormatError);
  EXPECT_THROW(write({.metadata = {{"k", "\xff"}}, .tensors = {}}), FormatError);
  EXPECT_THROW(write({.metadata = {}, .tensors = {{"\xff", counting({1})}}}), FormatError);
  EXPECT_EQ(folder.num_files(), 0U);
}

TEST(Safetensors, ChecksumIsOfTheContentNotOfItsOrder) {
  TensorFile file = small_file();
  const std::string before = checksum(file);
  EXPECT_EQ(before.size(), 8U);
  std::swap(file.tensors[0], file.tensors[3]);
  file.metadata["checksum"] = before;
  EXPECT_EQ(checksum(file), before);
  file.tensors[0].second.data<uint8_t>()[1] ^= 1;
  EXPECT_NE(checksum(file), before);
  file = small_file();
  file.tensors[0].second = file.tensors[0].second.reshape({3, 2});
  EXPECT_NE(checksum(file), before);
  file = small_file();
  file.metadata["kind"] = "tests";
  EXPECT_NE(checksum(file), before);
}

}  // namespace
}  // namespace rondo
