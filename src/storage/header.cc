#include "storage/header.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"

namespace rondo {

namespace {

// Receives the parser's events and stops it at the first one that the format does not allow: the document is
// never built, so its depth is bounded by the format's own.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(TensorHeader& header, const std::string& path) : header_(header), path_(path) {}

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a truth value"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("bytes"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ != State::kShape && state_ != State::kOffsets) return unexpected("a number");
    std::vector<uint64_t>& list = state_ == State::kShape ? entry().shape : entry().data_offsets;
    const size_t limit = state_ == State::kShape ? kMaxDimensions : 2;
    if (list.size() == limit) {
      throw_error<FormatError>("{}: {}: {} has more than {} numbers", path_, where(), key_, limit);
    }
    list.push_back(value);
    return true;
  }

  bool string(string_t& text) override {
    if (state_ == State::kMetadata) {
      header_.metadata[key_] = std::move(text);
    } else if (state_ == State::kEntry && key_ == "dtype") {
      entry().dtype = std::move(text);
    } else {
      return unexpected("text");
    }
    return true;
  }

  bool key(string_t& name) override {
    if (state_ == State::kTop && !names_.insert(name).second) twice(name);
    if (state_ == State::kMetadata && header_.metadata.contains(name)) twice(name);
    if (state_ == State::kEntry) check_field(name);
    key_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override {
    if (state_ == State::kStart) {
      state_ = State::kTop;
    } else if (state_ == State::kTop && key_ == "__metadata__") {
      state_ = State::kMetadata;
    } else if (state_ == State::kTop) {
      header_.entries.push_back({.name = key_, .dtype = {}, .shape = {}, .data_offsets = {}});
      fields_.clear();
      state_ = State::kEntry;
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::kEntry) check_entry();
    state_ = state_ == State::kTop ? State::kEnd : State::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ != State::kEntry || key_ == "dtype") return unexpected("a list");
    state_ = key_ == "shape" ? State::kShape : State::kOffsets;
    return true;
  }

  bool end_array() override {
    state_ = State::kEntry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw_error<FormatError>("{}: its header is no valid JSON at character {}: the file is damaged", path_,
                             position);
  }

 private:
  enum class State { kStart, kTop, kMetadata, kEntry, kShape, kOffsets, kEnd };

  TensorEntry& entry() { return header_.entries.back(); }

  std::string where() {
    if (state_ == State::kStart) return "header";
    if (state_ == State::kMetadata) return fmt::format("metadata {}", in_quotes(key_));
    if (state_ == State::kTop) return fmt::format("tensor {}", in_quotes(key_));
    return fmt::format("tensor {}", in_quotes(entry().name));
  }

  bool unexpected(const char* what) {
    throw_error<FormatError>("{}: {}: {} where the format has none; is it a safetensors file?", path_,
                             where(), what);
  }

  void twice(const std::string& name) {
    throw_error<FormatError>("{}: {} stands twice in the header", path_, in_quotes(name));
  }

  void check_field(const std::string& name) {
    if (name != "dtype" && name != "shape" && name != "data_offsets") {
      throw_error<FormatError>("{}: {}: unknown field {}", path_, where(), in_quotes(name));
    }
    if (!fields_.insert(name).second) {
      throw_error<FormatError>("{}: {}: {} stands twice", path_, where(), name);
    }
  }

  void check_entry() {
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!fields_.contains(field)) throw_error<FormatError>("{}: {}: no {}", path_, where(), field);
    }
    if (entry().data_offsets.size() != 2) {
      throw_error<FormatError>("{}: {}: data_offsets must be two numbers, got {}", path_, where(),
                               entry().data_offsets.size());
    }
  }

  TensorHeader& header_;
  const std::string& path_;
  State state_ = State::kStart;
  std::string key_;
  std::set<std::string> names_;
  std::set<std::string> fields_;
};

}  // namespace

std::string in_quotes(std::string_view name) {
  constexpr size_t kShown = 80;
  std::string text(name.substr(0, kShown));
  if (name.size() > kShown) text += "...";
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

TensorHeader parse_tensor_header(std::string_view json, const std::string& path) {
  // nlohmann-json takes a zero byte for the end and would not look at what follows it.
  const size_t zero = json.find('\0');
  if (zero != std::string_view::npos) {
    throw_error<FormatError>("{}: its header has a zero byte at {}: the file is damaged", path, zero);
  }
  TensorHeader header;
  HeaderReader reader(header, path);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  return header;
}

}  // namespace rondo
