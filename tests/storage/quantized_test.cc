#include "storage/quantized.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/words.h"
#include "rondo/errors.h"
#include "small_classifier.h"
#include "storage/classifier_file.h"
#include "test_files.h"

namespace rondo {
namespace {

using testing::HasSubstr;

// Rows of sizes far apart, with ties, zeros and a row of nothing.
Tensor matrix(int64_t rows, int64_t columns, uint64_t seed) {
  Tensor tensor({rows, columns});
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double size = std::pow(10.0, static_cast<double>(i / columns % 13) - 6);
    tensor.data<float>()[i] = static_cast<float>(Stream(seed).normal(i) * size);
  }
  std::fill_n(tensor.data<float>() + columns, columns, 0.0F);
  return tensor;
}

ClassifierModel small_model() {
  ClassifierOptions options{.embedding = 30, .pool = PoolKind::kAttention};
  options.recurrent = {.hidden = 40, .layers = 2, .peepholes = true, .projection = 20};
  return small_classifier(options);
}

Tensor& tensor_of(ModelFile& file, const std::string& name) {
  for (auto& [own, tensor] : file.tensors) {
    if (own == name) return tensor;
  }
  throw std::runtime_error(name);
}

template <class Kind>
void expect_refused(const ModelFile& file, const char* what) {
  try {
    unpack_classifier(file, "m.rondo");
    FAIL() << "accepted: " << what;
  } catch (const Kind& error) {
    EXPECT_THAT(error.what(), HasSubstr(what));
    EXPECT_THAT(error.what(), HasSubstr("m.rondo"));
  }
}

TEST(Quantized, ANumberIsAtMostHalfAScaleAway) {
  const Tensor w = matrix(26, 33, 1);
  const QuantizedMatrix q = quantize_matrix(w, "w");
  EXPECT_EQ(q.numbers.shape(), w.shape());
  EXPECT_EQ(q.scales.shape(), (Shape{26}));
  const Tensor back = dequantize_matrix(q, "w");
  for (int64_t i = 0; i < w.size(); ++i) {
    EXPECT_LE(std::abs(back.at(i) - w.at(i)), 0.50001 * q.scales.at(i / 33)) << i;
  }
  EXPECT_EQ(q.scales.at(1), 0);
}

TEST(Quantized, TheInt8KernelFindsTheVeryNumbersAndScalesAgain) {
  // Many rows: about one scale in a hundred would move by a rounding if nothing were done about it.
  const Tensor w = matrix(4000, 9, 2);
  const QuantizedMatrix q = quantize_matrix(w, "w");
  const Tensor back = dequantize_matrix(q, "w");
  ScratchFrame frame;
  std::vector<float> scales(4000);
  std::vector<int32_t> offsets(4000);
  const ConstMatrix words = quantize_rows(frame, back.matrix(), scales.data(), offsets.data());
  for (int64_t r = 0; r < 4000; ++r) {
    ASSERT_EQ(scales[r], q.scales.data<float>()[r]) << r;
    ASSERT_EQ(std::memcmp(words.row<float>(r), q.numbers.data<int8_t>() + r * 9, 9), 0) << r;
  }
}

TEST(Quantized, AMatrixThatIsNotFiniteIsRefused) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Tensor w = matrix(3, 4, 1);
    w.data<float>()[5] = bad;
    EXPECT_THROW(quantize_matrix(w, "w"), DataError);
  }
}

TEST(Quantized, AModelShrinksToAboutAQuarterAndComesBackFromItsFile) {
  const TestFolder folder;
  const ModelFile file = pack_classifier(small_model());
  const ModelFile small = quantize(file);
  EXPECT_TRUE(is_quantized(small));
  int64_t before = 0, after = 0;
  for (const auto& [name, tensor] : file.tensors) before += tensor.bytes();
  for (const auto& [name, tensor] : small.tensors) after += tensor.bytes();
  EXPECT_LT(after, before * 0.35);  // biases, peepholes and scales weigh much in so small a model
  write_model_file(folder.file("small.rondo"), small);
  const ClassifierModel model = load_classifier(folder.file("small.rondo"));
  EXPECT_EQ(model.options().recurrent.precision, Precision::kInt8);
  for (const Parameter& parameter : model.network->parameters().all()) {
    const Tensor& stored = small.find(parameter.name);
    const Tensor wanted =
        stored.type() == DType::kInt8
            ? dequantize_matrix({stored, small.find(parameter.name + ".scale")}, parameter.name)
            : stored;
    EXPECT_EQ(std::memcmp(parameter.value.raw(), wanted.raw(), wanted.bytes()), 0) << parameter.name;
  }
  EXPECT_EQ(small.find("lstm.weight_peephole_l0").type(), DType::kFloat32);
  EXPECT_EQ(small.find("lstm.weight_hr_l1").type(), DType::kInt8);
  EXPECT_THROW(quantize(small), ConfigError);
}

TEST(Quantized, WhatDoesNotFitIsNamed) {
  const ModelFile good = quantize(pack_classifier(small_model()));
  ModelFile file = good;
  tensor_of(file, "linear.weight.scale") = Tensor::zeros({3});
  expect_refused<FormatError>(file, "linear.weight");
  file = good;
  std::erase_if(file.tensors, [](const auto& tensor) { return tensor.first == "lstm.weight_hh_l0.scale"; });
  expect_refused<FormatError>(file, "without lstm.weight_hh_l0.scale");
  file = good;
  file.tensors.emplace_back("linear.bias.scale", Tensor::zeros({2}));
  expect_refused<FormatError>(file, "speaks of");
  for (const float bad : {-1.0F, std::numeric_limits<float>::quiet_NaN(), 1e38F}) {
    file = good;
    Tensor scales = good.find("linear.weight.scale").clone();
    scales.data<float>()[1] = bad;
    tensor_of(file, "linear.weight.scale") = scales;
    expect_refused<FormatError>(file, "of row 1");
  }
  file = good;
  Tensor numbers = good.find("linear.weight").clone();
  numbers.data<int8_t>()[0] = -128;
  tensor_of(file, "linear.weight") = numbers;
  expect_refused<FormatError>(file, "-128");
  file = good;
  tensor_of(file, "linear.bias") = Tensor::zeros({2}, DType::kInt8);
  expect_refused<FormatError>(file, "without linear.bias.scale");
  file = good;
  tensor_of(file, "linear.weight") = Tensor::zeros({2, 21}, DType::kInt8);
  expect_refused<FormatError>(file, "speaks of");
}

TEST(Quantized, EveryCutAndEveryFlippedByteOfTheFileIsRefused) {
  const TestFolder folder;
  write_model_file(folder.file("small.rondo"), quantize(pack_classifier(small_model())));
  const std::string bytes = get_bytes(folder.file("small.rondo"));
  for (size_t size = 0; size < bytes.size(); size += 97) {
    EXPECT_THROW(parse_tensor_file(bytes.substr(0, size), "cut"), FormatError) << size;
  }
  for (size_t at = 8; at < bytes.size(); at += 307) {
    std::string altered = bytes;
    altered[at] = static_cast<char>(altered[at] ^ 0x20);
    put_bytes(folder.file("altered.rondo"), altered);
    // Upper and lower case of the checksum's own digits are not the same text either.
    EXPECT_THROW(load_classifier(folder.file("altered.rondo")), Error) << at;
  }
}

}  // namespace
}  // namespace rondo
