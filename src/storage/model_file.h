// A trained model in one safetensors file: weights under PyTorch's names, and beside them all that it takes
// to use them.
//   write_model_file("news.rondo", {.kind = "classifier", .config = options.to_json(), .labels = {"World"},
//   ...}); ModelFile model = read_model_file("news.rondo");
// Python reads it too: safetensors.safe_open("news.rondo", "numpy").metadata()["vocabulary"].
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/safetensors.h"

namespace rondo {

/// The newest version of the format that this Rondo writes and reads.
inline constexpr int kModelFileVersion = 1;

struct ModelFile {
  std::string kind;  ///< "classifier", "tagger", ...
  int version = kModelFileVersion;
  nlohmann::json config = nlohmann::json::object();
  std::vector<std::string> labels, vocabulary;  ///< in the order of their ids; valid UTF-8
  std::string tokenizer_model;                  ///< bytes of a subword tokenizer's own file, or empty
  nlohmann::json metrics = nlohmann::json::object();
  NamedTensors tensors;
  /// Of a translator with a vocabulary a language: the target's; vocabulary and tokenizer_model are the
  /// source's. Empty: there is none.
  std::vector<std::string> target_vocabulary = {};
  std::string target_tokenizer_model = {};

  const Tensor& find(const std::string& name) const { return find_tensor(tensors, name); }
};

/// The file's content: the metadata keys format ("rondo"), format_version, kind, config, labels, vocabulary,
/// metrics (the last four as JSON) and checksum; the tensors, and tokenizer_model as the uint8 tensor
/// "tokenizer.model"; target_vocabulary and "target_tokenizer.model" likewise, where there are any. JSON has
/// no infinity: a number that is not finite becomes null.
/// @throws FormatError that names a token or label which is not UTF-8.
TensorFile to_tensor_file(const ModelFile& model);

/// Of any file that Rondo wrote: format, version, and the checksum where there is one.
/// @throws FormatError that says which of them is wrong.
void check_rondo_file(const TensorFile& file, const std::string& path);

/// @param path  for messages.
/// @throws FormatError: not Rondo's, of a newer version, altered, or a part of it is missing.
ModelFile from_tensor_file(TensorFile file, const std::string& path);

/// By an AtomicFile: the path holds the old model or the new one. @throws FormatError; IoError.
void write_model_file(const std::string& path, const ModelFile& model);

/// "language model" of the kind "language_model", for messages.
std::string kind_in_words(const ModelFile& file);
/// "m.rondo: it holds a tagger, a classifier is needed here; rondo predict and rondo evaluate take it".
/// @param wanted  with its article.
[[noreturn]] void refuse_kind(const ModelFile& file, const std::string& path, const std::string& wanted);

/// @throws FormatError that says what is wrong; a checkpoint is refused with the option that takes it.
/// IoError.
ModelFile read_model_file(const std::string& path);

}  // namespace rondo
