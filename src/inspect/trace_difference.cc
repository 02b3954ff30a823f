#include <algorithm>
#include <bit>
#include <cmath>

#include "inference/text_generator.h"
#include "inspect/difference.h"

namespace rondo {

namespace {

/// The same numbers of both, as they are computed.
struct Compared {
  std::string place;
  const Tensor &a, &b;
  const std::vector<std::string>* tokens = nullptr;  ///< by step, or null: there are no steps
  const std::vector<std::string>* units = nullptr;   ///< by column, or null: units
  int64_t steps = -1;                                ///< rows that are compared; -1: all
  bool reverse = false;
};

class Comparison {
 public:
  Comparison(TraceDifference& found, double tolerance) : found_(found), tolerance_(tolerance) {}

  /// All series of one direction of a layer: step by step.
  void add(const std::vector<Compared>& series) {
    if (series.empty()) return;
    std::vector<std::optional<ValueDifference>> largest(series.size());
    const int64_t rows = rows_of(series.front());
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t step = series.front().reverse ? rows - 1 - i : i;
      for (size_t s = 0; s < series.size(); ++s) add_row(series[s], step, largest[s]);
    }
    for (std::optional<ValueDifference>& one : largest) {
      if (one) found_.largest.push_back(std::move(*one));
    }
  }

 private:
  static int64_t rows_of(const Compared& series) {
    return series.steps >= 0 ? series.steps : series.a.matrix().rows;
  }

  void add_row(const Compared& series, int64_t step, std::optional<ValueDifference>& largest) {
    const float *a = series.a.matrix().row<float>(step), *b = series.b.matrix().row<float>(step);
    for (int64_t j = 0; j < series.a.matrix().columns; ++j) {
      if (std::bit_cast<uint32_t>(a[j]) == std::bit_cast<uint32_t>(b[j])) continue;
      const ValueDifference difference = at(series, step, j);
      if (!found_.first && (tolerance_ == 0 || !(difference.size() <= tolerance_))) found_.first = difference;
      if (!largest || !(difference.size() <= largest->size())) largest = difference;
    }
  }

  static ValueDifference at(const Compared& series, int64_t step, int64_t column) {
    ValueDifference made{.place = series.place,
                         .a = series.a.matrix().row<float>(step)[column],
                         .b = series.b.matrix().row<float>(step)[column]};
    const auto t = static_cast<size_t>(step), j = static_cast<size_t>(column);
    if (series.tokens != nullptr) {
      made.step = step;
      if (t < series.tokens->size()) made.token = (*series.tokens)[t];
    }
    made.unit = series.units != nullptr && j < series.units->size() ? quoted_token((*series.units)[j])
                                                                    : fmt::format("unit {}", column);
    return made;
  }

  TraceDifference& found_;
  double tolerance_;
};

std::string words_of(const LayerTrace& layer) {
  std::string words = fmt::format("{}{}layer {}", layer.part, layer.part.empty() ? "" : " ", layer.layer);
  if (layer.dimension >= 0) words += layer.dimension == 0 ? " along depth" : " along time";
  return words + (layer.reverse ? " in reverse" : "");
}

bool comparable(const LayerTrace& a, const LayerTrace& b) {
  if (a.part != b.part || a.layer != b.layer || a.reverse != b.reverse || a.dimension != b.dimension ||
      a.series.size() != b.series.size()) {
    return false;
  }
  for (size_t s = 0; s < a.series.size(); ++s) {
    if (a.series[s].name != b.series[s].name || a.series[s].values.dim(1) != b.series[s].values.dim(1)) {
      return false;
    }
  }
  return true;
}

bool comparable(const TextTrace& a, const TextTrace& b) {
  return std::ranges::equal(a.layers, b.layers,
                            [](const LayerTrace& x, const LayerTrace& y) { return comparable(x, y); });
}

std::vector<std::string> read_by_decoder(const TextTrace& trace) {
  std::vector<std::string> tokens = trace.target_tokens;
  tokens.insert(tokens.begin(), Vocabulary::kEndToken);
  if (!tokens.empty()) tokens.pop_back();
  return tokens;
}

/// Steps of a decoder that read the same in both.
int64_t common_steps(const TextTrace& a, const TextTrace& b) {
  const size_t most = std::min(a.target_tokens.size(), b.target_tokens.size());
  for (size_t t = 0; t < most; ++t) {
    if (a.target_tokens[t] != b.target_tokens[t]) return static_cast<int64_t>(t) + 1;
  }
  return static_cast<int64_t>(most);
}

Tensor as_column(const std::vector<double>& values) {
  Tensor column({static_cast<int64_t>(values.size()), 1});
  for (size_t i = 0; i < values.size(); ++i) column.data<float>()[i] = static_cast<float>(values[i]);
  return column;
}

void compare_words(const TextTrace& a, const TextTrace& b, std::vector<std::string>& said) {
  if (a.translation != b.translation) {
    said.push_back(
        fmt::format("translation: {} and {}", quoted_token(a.translation), quoted_token(b.translation)));
  }
  for (size_t t = 0; t < a.tags.size(); ++t) {
    if (a.tags[t] == b.tags[t]) continue;
    said.push_back(
        fmt::format("tag of word {} {}: {} and {}", t, quoted_token(a.tokens[t]), a.tags[t], b.tags[t]));
  }
  if (!a.output || a.labels != b.labels) return;
  const auto best = [](const TextTrace& trace) {
    return trace.labels[static_cast<size_t>(largest(trace.output.values<float>(), 1).front())];
  };
  if (best(a) != best(b)) said.push_back(fmt::format("best label: {} and {}", best(a), best(b)));
}

void compare_outputs(const TextTrace& a, const TextTrace& b, int64_t decoder_steps, Comparison& comparison) {
  const auto add = [&](const char* name, const Tensor& x, const Tensor& y,
                       const std::vector<std::string>* tokens, const std::vector<std::string>* units) {
    if (x && y && x.shape() == y.shape()) comparison.add({{name, x, y, tokens, units}});
  };
  if (a.labels == b.labels) {
    add("probabilities", a.output, b.output, nullptr, &a.labels);
    if (a.kind == "tagger") add("marginals", a.predictions, b.predictions, &a.tokens, &a.labels);
  }
  if (a.kind == "classifier") add("attention", a.attention, b.attention, nullptr, &a.tokens);
  const std::vector<std::string> probability = {"p"};
  const Tensor x = as_column(a.next_probabilities), y = as_column(b.next_probabilities);
  if (a.kind == "language_model") {
    add("probability of the next token", x, y, &a.tokens, &probability);
  } else if (a.kind == "translator") {
    if (a.attention && b.attention) {
      comparison.add({{"attention", a.attention, b.attention, &a.target_tokens, &a.tokens, decoder_steps}});
    }
    const bool same_words = a.target_tokens == b.target_tokens;
    if (same_words) add("probability of the token written", x, y, &a.target_tokens, &probability);
  }
}

}  // namespace

double ValueDifference::size() const { return std::abs(a - b); }

TraceDifference trace_difference(const TextTrace& a, const TextTrace& b, double tolerance) {
  TraceDifference found;
  if (a.kind != b.kind) {
    found.note = "not compared: the models are of different kinds";
    return found;
  }
  if (a.tokens != b.tokens) {
    found.note = fmt::format("not compared: the text has {} tokens here and {} there, or other ones",
                             a.tokens.size(), b.tokens.size());
    return found;
  }
  Comparison comparison(found, tolerance);
  const int64_t decoder_steps = common_steps(a, b);
  const std::vector<std::string> decoder_tokens = read_by_decoder(a);
  if (comparable(a, b)) {
    for (size_t l = 0; l < a.layers.size(); ++l) {
      const LayerTrace& layer = a.layers[l];
      const bool decoder = layer.part == "decoder";
      std::vector<Compared> all;
      for (size_t s = 0; s < layer.series.size(); ++s) {
        all.push_back({.place = fmt::format("{}, {}", words_of(layer), layer.series[s].name),
                       .a = layer.series[s].values,
                       .b = b.layers[l].series[s].values,
                       .tokens = decoder                      ? &decoder_tokens
                                 : layer.part == "characters" ? &a.characters
                                                              : &a.tokens,
                       .steps = decoder ? decoder_steps : -1,
                       .reverse = layer.reverse});
      }
      comparison.add(all);
    }
  } else {
    found.note = "gates and states not compared: the layers are of other shapes";
  }
  compare_outputs(a, b, decoder_steps, comparison);
  compare_words(a, b, found.outputs);
  return found;
}

namespace {

// `step 3 "the", unit 17: 0.5320000 and 0.5430000`
std::string where(const ValueDifference& d) {
  const std::string step = d.step < 0 ? "" : fmt::format("step {} {}, ", d.step, quoted_token(d.token));
  return fmt::format("{}{}: {:.7g} and {:.7g}", step, d.unit, d.a, d.b);
}

// The places in a column, then the differences.
std::string table_of(const std::vector<ValueDifference>& largest) {
  size_t width = 0;
  for (const ValueDifference& one : largest) width = std::max(width, one.place.size());
  std::string text;
  for (const ValueDifference& one : largest) {
    text += fmt::format("    {:<{}}  {:>9.3g}  {}\n", one.place, width, one.size(), where(one));
  }
  return text;
}

nlohmann::ordered_json json_of(const ValueDifference& d) {
  nlohmann::ordered_json json{{"place", d.place}};
  if (d.step >= 0) {
    json["step"] = d.step;
    json["token"] = d.token;
  }
  json["unit"] = d.unit;
  json["a"] = d.a;
  json["b"] = d.b;
  json["difference"] = d.size();
  return json;
}

}  // namespace

std::string difference_text(const TraceDifference& difference, double tolerance) {
  std::string text;
  const std::string more = tolerance == 0 ? "" : fmt::format(" by more than {:g}", tolerance);
  if (!difference.note.empty()) text += "  " + difference.note + "\n";
  if (difference.same() && difference.largest.empty()) return text + "  the same bits\n";
  if (const auto& first = difference.first) {
    text += fmt::format("  first{}: {}, {}, by {:.3g}\n", more, first->place, where(*first), first->size());
  }
  if (!difference.first && difference.note.empty()) text += fmt::format("  no number differs{}\n", more);
  if (!difference.largest.empty()) text += "  largest of each series\n" + table_of(difference.largest);
  for (const std::string& one : difference.outputs) text += fmt::format("  {}\n", one);
  return text;
}

nlohmann::ordered_json difference_json(const TraceDifference& difference) {
  nlohmann::ordered_json json{{"same", difference.same()}};
  if (!difference.note.empty()) json["note"] = difference.note;
  if (difference.first) json["first"] = json_of(*difference.first);
  json["largest"] = nlohmann::ordered_json::array();
  for (const ValueDifference& one : difference.largest) json["largest"].push_back(json_of(one));
  json["outputs"] = difference.outputs;
  return json;
}

}  // namespace rondo
