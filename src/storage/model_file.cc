#include "storage/model_file.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/errors.h"
#include "storage/header.h"
#include "storage/json_text.h"

namespace rondo {

namespace {

constexpr const char* kTokenizerTensor = "tokenizer.model";
constexpr const char* kTargetTokenizerTensor = "target_tokenizer.model";
constexpr const char* kTargetVocabulary = "target_vocabulary";

const std::string& metadata(const TensorFile& file, const std::string& key, const std::string& path) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw_error<FormatError>("{}: its metadata has no {}: the file is damaged", path, key);
  }
  return found->second;
}

int read_version(const TensorFile& file, const std::string& path) {
  const std::string& text = metadata(file, "format_version", path);
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1) {
    throw_error<FormatError>("{}: its format_version is {}: the file is damaged", path, in_quotes(text));
  }
  if (version > kModelFileVersion) {
    throw_error<FormatError>(
        "{}: written by a newer Rondo (format {}, this one reads up to {}); use that Rondo or a newer one",
        path, version, kModelFileVersion);
  }
  return version;
}

void check_format(const TensorFile& file, const std::string& path) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != "rondo") {
    throw_error<FormatError>(
        "{}: not a model of Rondo: a safetensors file, but its format is {}, wanted \"rondo\"", path,
        format == file.metadata.end() ? "not given" : in_quotes(format->second));
  }
}

void check_checksum(const TensorFile& file, const std::string& path) {
  const auto stored = file.metadata.find("checksum");
  if (stored == file.metadata.end()) return;
  const std::string computed = checksum(file);
  if (stored->second != computed) {
    throw_error<FormatError>(
        "{}: its content was altered after it was written (checksum {}, computed {}): copy it again; after "
        "an "
        "edit on purpose, leave checksum out of the metadata",
        path, in_quotes(stored->second), computed);
  }
}

std::string bytes_of_tokenizer(const std::string& name, const Tensor& tensor, const std::string& path) {
  if (tensor.type() != DType::kUint8) {
    throw_error<FormatError>("{}: tensor \"{}\" must have the type U8", path, name);
  }
  return {static_cast<const char*>(tensor.raw()), static_cast<size_t>(tensor.bytes())};
}

Tensor tensor_of(const std::string& bytes) {
  Tensor tensor({static_cast<int64_t>(bytes.size())}, DType::kUint8);
  std::copy(bytes.begin(), bytes.end(), tensor.data<uint8_t>());
  return tensor;
}

}  // namespace

TensorFile to_tensor_file(const ModelFile& model) {
  static const auto empty = nlohmann::json::object();
  TensorFile file;
  file.metadata = {{"format", "rondo"},
                   {"format_version", std::to_string(kModelFileVersion)},
                   {"kind", model.kind},
                   {"config", json_text(model.config, "config")},
                   {"labels", json_list_text(model.labels, "labels")},
                   {"vocabulary", json_list_text(model.vocabulary, "vocabulary")},
                   {"metrics", json_text(model.metrics.is_null() ? empty : model.metrics, "metrics")}};
  file.tensors = model.tensors;
  // Last: bytes of any number would put the numbers behind them off their natural alignment.
  if (!model.tokenizer_model.empty()) {
    file.tensors.emplace_back(kTokenizerTensor, tensor_of(model.tokenizer_model));
  }
  if (!model.target_tokenizer_model.empty()) {
    file.tensors.emplace_back(kTargetTokenizerTensor, tensor_of(model.target_tokenizer_model));
  }
  if (!model.target_vocabulary.empty()) {
    file.metadata[kTargetVocabulary] = json_list_text(model.target_vocabulary, kTargetVocabulary);
  }
  file.metadata["checksum"] = checksum(file);
  return file;
}

void check_rondo_file(const TensorFile& file, const std::string& path) {
  check_format(file, path);
  read_version(file, path);
  check_checksum(file, path);
}

ModelFile from_tensor_file(TensorFile file, const std::string& path) {
  check_rondo_file(file, path);
  ModelFile model;
  model.version = read_version(file, path);
  model.kind = metadata(file, "kind", path);
  model.config = parse_json_object(metadata(file, "config", path), path + ": config");
  model.labels = parse_json_list(metadata(file, "labels", path), path + ": labels");
  model.vocabulary = parse_json_list(metadata(file, "vocabulary", path), path + ": vocabulary");
  model.metrics = parse_json_object(metadata(file, "metrics", path), path + ": metrics");
  if (file.metadata.contains(kTargetVocabulary)) {
    model.target_vocabulary =
        parse_json_list(metadata(file, kTargetVocabulary, path), path + ": target_vocabulary");
  }
  for (auto& [name, tensor] : file.tensors) {
    if (name == kTokenizerTensor) {
      model.tokenizer_model = bytes_of_tokenizer(name, tensor, path);
    } else if (name == kTargetTokenizerTensor) {
      model.target_tokenizer_model = bytes_of_tokenizer(name, tensor, path);
    } else {
      model.tensors.emplace_back(std::move(name), std::move(tensor));
    }
  }
  return model;
}

void write_model_file(const std::string& path, const ModelFile& model) {
  write_tensor_file(path, to_tensor_file(model));
}

std::string kind_in_words(const ModelFile& file) {
  std::string words = file.kind;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

void refuse_kind(const ModelFile& file, const std::string& path, const std::string& wanted) {
  static const std::map<std::string, const char*> verbs = {
      {"classifier", "rondo predict and rondo evaluate take it"},
      {"language_model", "rondo generate, rondo score and rondo evaluate take it"},
      {"tagger", "rondo predict and rondo evaluate take it"},
      {"translator", "rondo translate and rondo evaluate take it"},
      {"captioner", "rondo caption and rondo evaluate take it"}};
  const auto verb = verbs.find(file.kind);
  throw_error<FormatError>("{}: it holds a {}, {} is needed here; {}", path, kind_in_words(file), wanted,
                           verb == verbs.end() ? "rondo info describes it" : verb->second);
}

ModelFile read_model_file(const std::string& path) {
  ModelFile model = from_tensor_file(read_tensor_file(path), path);
  if (model.kind == "checkpoint") {
    throw_error<FormatError>(
        "{}: a checkpoint of a training, not a finished model; rondo train --resume takes it", path);
  }
  return model;
}

}  // namespace rondo
