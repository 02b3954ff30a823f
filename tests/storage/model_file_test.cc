#include "storage/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rondo/errors.h"
#include "test_files.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

ModelFile small_model() {
  return {.kind = "classifier",
          .config = {{"hidden", 4}, {"rate", 0.1}, {"cell", "lstm"}},
          .labels = {"World", "Sports"},
          .vocabulary = {"<unk>", "the", "é\n\"", "", "日本"},
          .tokenizer_model = std::string("a\0\xff", 3),
          .metrics = {{"dev", {{"accuracy", 1.0 / 3}}}},
          .tensors = {{"embedding.weight", counting({5, 3})}, {"linear.bias", counting({2})}}};
}

TEST(ModelFile, ComesBackAsItWasWritten) {
  const TestFolder folder;
  const ModelFile model = small_model();
  write_model_file(folder.file("a"), model);
  const ModelFile again = read_model_file(folder.file("a"));
  EXPECT_EQ(again.kind, model.kind);
  EXPECT_EQ(again.version, 1);
  EXPECT_EQ(again.config, model.config);
  EXPECT_EQ(again.labels, model.labels);
  EXPECT_EQ(again.vocabulary, model.vocabulary);
  EXPECT_EQ(again.tokenizer_model, model.tokenizer_model);
  EXPECT_EQ(again.metrics, model.metrics);
  EXPECT_TRUE(same(again.tensors, model.tensors));
  write_model_file(folder.file("b"), again);
  EXPECT_EQ(get_bytes(folder.file("a")), get_bytes(folder.file("b")));
}

TEST(ModelFile, WithoutMetricsIsReadAgain) {
  const TestFolder folder;
  ModelFile model = small_model();
  model.metrics = {};
  write_model_file(folder.file("a"), model);
  EXPECT_TRUE(read_model_file(folder.file("a")).metrics.empty());
}

TEST(ModelFile, EveryAlteredByteIsFound) {
  const TestFolder folder;
  write_model_file(folder.file("a"), small_model());
  const std::string whole = get_bytes(folder.file("a"));
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      // The one flip that is not found turns the key "checksum" into another.
      try {
        const ModelFile again = from_tensor_file(parse_tensor_file(bytes, "b"), "b");
        EXPECT_EQ(again.vocabulary, small_model().vocabulary) << i;
        EXPECT_TRUE(same(again.tensors, small_model().tensors)) << i;
      } catch (const FormatError&) {
      }
    }
  }
}

TEST(ModelFile, AlteredContentIsToldApartFromDamage) {
  const TestFolder folder;
  TensorFile file = to_tensor_file(small_model());
  file.metadata["labels"] = R"(["Sports","World"])";
  write_tensor_file(folder.file("a"), file);
  EXPECT_THAT([&] { read_model_file(folder.file("a")); },
              ThrowsMessage<FormatError>(HasSubstr("was altered after it was written")));
  file.metadata.erase("checksum");
  write_tensor_file(folder.file("a"), file);
  EXPECT_EQ(read_model_file(folder.file("a")).labels[0], "Sports");
}

TEST(ModelFile, NewerVersionSaysSo) {
  const TestFolder folder;
  TensorFile file = to_tensor_file(small_model());
  file.metadata["format_version"] = "7";
  write_tensor_file(folder.file("a"), file);
  EXPECT_THAT(
      [&] { read_model_file(folder.file("a")); },
      ThrowsMessage<FormatError>(HasSubstr("written by a newer Rondo (format 7, this one reads up to 1)")));
  for (const char* text : {"0", "-1", "1x", "", "99999999999999"}) {
    file.metadata["format_version"] = text;
    write_tensor_file(folder.file("a"), file);
    EXPECT_THAT([&] { read_model_file(folder.file("a")); },
                ThrowsMessage<FormatError>(HasSubstr("format_version is")))
        << text;
  }
}

TEST(ModelFile, FileOfAnotherProgramSaysSo) {
  const TestFolder folder;
  write_tensor_file(folder.file("a"), {.metadata = {{"format", "pt"}}, .tensors = {{"x", counting({1})}}});
  EXPECT_THAT([&] { read_model_file(folder.file("a")); },
              ThrowsMessage<FormatError>(AllOf(HasSubstr("not a model of Rondo"), HasSubstr("\"pt\""))));
  write_tensor_file(folder.file("a"), {.metadata = {}, .tensors = {{"x", counting({1})}}});
  EXPECT_THAT([&] { read_model_file(folder.file("a")); },
              ThrowsMessage<FormatError>(HasSubstr("its format is not given")));
}

TEST(ModelFile, MissingPartIsNamed) {
  const TestFolder folder;
  for (const char* key : {"format_version", "kind", "config", "labels", "vocabulary", "metrics"}) {
    TensorFile file = to_tensor_file(small_model());
    file.metadata.erase(key);
    file.metadata.erase("checksum");
    write_tensor_file(folder.file("a"), file);
    EXPECT_THAT([&] { read_model_file(folder.file("a")); },
                ThrowsMessage<FormatError>(HasSubstr(std::string("its metadata has no ") + key)));
  }
}

TEST(ModelFile, TextThatIsNotUtf8IsRefusedByName) {
  const TestFolder folder;
  const auto write = [&](const ModelFile& model) { write_model_file(folder.file("a"), model); };
  ModelFile model = small_model();
  model.vocabulary[3] = "\xff\xfe";
  EXPECT_THAT([&] { write(model); }, ThrowsMessage<FormatError>(HasSubstr("vocabulary[3]")));
  model = small_model();
  model.labels[1] = "\xc3";
  EXPECT_THAT([&] { write(model); }, ThrowsMessage<FormatError>(HasSubstr("labels[1]")));
  model = small_model();
  model.config["name"] = "\xc3";
  EXPECT_THAT([&] { write(model); }, ThrowsMessage<FormatError>(HasSubstr("config")));
  EXPECT_EQ(folder.num_files(), 0U);
}

TEST(ModelFile, TokenizerMustBeBytes) {
  const TestFolder folder;
  ModelFile model = small_model();
  model.tokenizer_model.clear();
  model.tensors.emplace_back("tokenizer.model", counting({2}));
  write_model_file(folder.file("a"), model);
  EXPECT_THAT([&] { read_model_file(folder.file("a")); }, ThrowsMessage<FormatError>(HasSubstr("type U8")));
}

TEST(ModelFile, FailedWriteLeavesTheOldFile) {
  const TestFolder folder;
  write_model_file(folder.file("a"), small_model());
  const std::string before = get_bytes(folder.file("a"));
  ModelFile bad = small_model();
  bad.labels[0] = "\xff";
  EXPECT_THROW(write_model_file(folder.file("a"), bad), FormatError);
  EXPECT_EQ(get_bytes(folder.file("a")), before);
  EXPECT_EQ(folder.num_files(), 1U);
  EXPECT_THROW(write_model_file(folder.file("no/such/folder/a"), small_model()), IoError);
}

}  // namespace
}  // namespace rondo
