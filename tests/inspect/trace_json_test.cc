// Traces as JSON and as a page: exact numbers, units that are left out, texts that try to break out.
#include "inspect/trace_json.h"

#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>

#include "inspect/look_page.h"
#include "small_models.h"

namespace rondo {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Tensor tensor(Shape shape, const std::vector<float>& values) {
  return Tensor::from(values).reshape(std::move(shape));
}

std::vector<float> decoded(const std::string& base64) {
  static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : base64) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(letters.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 255);
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// Three steps of three units of which the second varies most and the first least.
TextTrace small_trace() {
  LayerTrace layer;
  layer.series = {
      {"f", SeriesRole::kGate, tensor({3, 3}, {0.05F, 0.95F, 0.5F, 0.05F, 0.5F, 0.5F, 0.99F, 0.05F, 0.5F})},
      {"c", SeriesRole::kCell, tensor({3, 3}, {1, -5, 0.1F, 1, 5, 2, 1, -5, 1 / 3.0F})}};
  layer.d_states = tensor({3, 2}, {3, 4, 0, 0, 0.3F, -0.4F});
  TextTrace trace{
      .model = "m.rondo", .kind = "classifier", .cell = "lstm", .precision = "f32", .text = "a b c"};
  trace.tokens = {"a", "b", "c"};
  trace.layers.push_back(layer);
  trace.labels = {"no", "yes"};
  trace.gradient_of = "log p(yes)";
  trace.embeddings = tensor({3, 2}, {1, 1, 2, 0, -1, 0.5F});
  trace.d_tokens = tensor({3, 2}, {3, 4, 0, 0, 1, -1});
  return trace;
}

json entry_of(const TextTrace& trace, const TraceJsonOptions& options = {}) {
  return json::parse(traces_json({&trace, 1}, options))["entries"][0];
}

TEST(TraceJson, HoldsEveryValueExactly) {
  const TextTrace trace = small_trace();
  const json layer = entry_of(trace)["layers"][0];
  EXPECT_EQ(layer["units"], 3);
  for (size_t i = 0; i < 2; ++i) {
    const std::span<const float> values = trace.layers[0].series[i].values.values<float>();
    EXPECT_EQ(decoded(layer["series"][i]["values"]), std::vector(values.begin(), values.end()));
    EXPECT_FALSE(layer["series"][i].contains("units"));
  }
}

TEST(TraceJson, EncodesEveryLengthAndBit) {
  for (const int64_t count : {1, 2, 3, 4, 5}) {
    TextTrace trace = small_trace();
    std::vector<float> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = std::bit_cast<float>(static_cast<uint32_t>(0x12FE9A7B + i * 0x01F3));
    trace.output = Tensor::from(values);
    EXPECT_EQ(decoded(entry_of(trace)["output"]), values);
  }
}

TEST(TraceJson, KeepsTheUnitsThatVaryMostAndTheSaturationOfAll) {
  const json series = entry_of(small_trace(), {.units = 2})["layers"][0]["series"];
  for (const json& one : series) EXPECT_EQ(one["units"], json({1, 2}));
  EXPECT_THAT(decoded(series[0]["values"]), ElementsAre(0.95F, 0.5F, 0.5F, 0.5F, 0.05F, 0.5F));
  EXPECT_THAT(decoded(series[0]["low"]), ElementsAre(2 / 3.0F, 1 / 3.0F, 0));
  EXPECT_THAT(decoded(series[0]["high"]), ElementsAre(1 / 3.0F, 1 / 3.0F, 0));
  EXPECT_FALSE(series[1].contains("low"));
}

TEST(TraceJson, TellsTheGradientAsNormsAndProducts) {
  const json entry = entry_of(small_trace());
  EXPECT_EQ(entry["gradient_of"], "log p(yes)");
  EXPECT_EQ(entry["connectivity"][0], 5.0);
  EXPECT_EQ(entry["contribution"], json({7.0, 0.0, -1.5}));
  EXPECT_EQ(entry["layers"][0]["gradient_norms"], json({5.0, 0.0, 0.5}));
}

TEST(TraceJson, LeavesOutWhatAModelHasNot) {
  TextTrace trace = small_trace();
  trace.gradient_of.clear();
  trace.layers[0].d_states = {};
  const json entry = entry_of(trace);
  for (const char* name :
       {"connectivity", "gradient_of", "attention", "beam", "alternatives", "tags", "predictions"}) {
    EXPECT_FALSE(entry.contains(name)) << name;
  }
  EXPECT_FALSE(entry["layers"][0].contains("gradient_norms"));
}

TEST(TraceJson, SurvivesBytesThatAreNoText) {
  TextTrace trace = small_trace();
  trace.tokens[1] = "\xff\xfe";
  EXPECT_EQ(entry_of(trace)["tokens"][1], "\uFFFD\uFFFD");
}

TEST(TraceJson, IsWrittenForEveryKindOfModel) {
  const auto backend = open_device("cpu", 1);
  for (const RecurrentOptions& recurrent : small_stacks()) {
    const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
    const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {});
    for (const char* text : {"", "good", "a good film"}) {
      const TextTrace trace = tracer.trace(text);
      const json entry = entry_of(trace, {.units = 2});
      ASSERT_EQ(entry["layers"].size(), trace.layers.size()) << words_of(recurrent);
      for (const json& layer : entry["layers"]) {
        for (const json& one : layer["series"])
          EXPECT_EQ(decoded(one["values"]).size(), trace.tokens.size() * 2);
      }
    }
  }
}

TEST(LiveliestUnits, StandInOrderAndAreAllWithoutALimit) {
  const Tensor values = tensor({2, 4}, {0, 1, 5, 0, 0, 2, -5, 3});
  EXPECT_THAT(liveliest_units(values, 2), ElementsAre(2, 3));
  EXPECT_THAT(liveliest_units(values, 0), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(liveliest_units(values, 9), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(liveliest_units(Tensor({0, 4}), 2), ElementsAre(0, 1));
}

std::string numbers_of(const std::string& page) {
  const std::string begin = "id=\"numbers\">";
  const size_t at = page.find(begin) + begin.size();
  return page.substr(at, page.find("</script>", at) - at);
}

TEST(LookPage, HoldsTheJson) {
  const TextTrace trace = small_trace();
  const LookPage page = look_page({&trace, 1});
  EXPECT_EQ(json::parse(numbers_of(page.html)), json::parse(traces_json({&trace, 1})));
  EXPECT_EQ(page.left_out, "");
}

TEST(LookPage, NothingInATextEndsTheScript) {
  TextTrace trace = small_trace();
  trace.text =
      "</script><script>alert(1)</script> <!-- {{script}} {{style}} {{numbers}} \u2028\u2029 \U0001F600 "
      "&amp;";
  trace.tokens[0] = trace.model = trace.labels[0] = trace.text;
  const LookPage page = look_page({&trace, 1});
  const std::string numbers = numbers_of(page.html);
  for (const char* mark : {"<", ">", "&", "\u2028", "\u2029"}) EXPECT_THAT(numbers, Not(HasSubstr(mark)));
  EXPECT_EQ(json::parse(numbers)["entries"][0]["text"], trace.text);
  const TextTrace plain = small_trace();
  EXPECT_EQ(page.html.size() - numbers.size(),
            look_page({&plain, 1}).html.size() - numbers_of(look_page({&plain, 1}).html).size());
}

TEST(LookPage, LeavesOutUnitsUntilItFits) {
  TextTrace trace = small_trace();
  std::vector<float> values(3 * 2000);
  std::iota(values.begin(), values.end(), 0.0F);
  for (TracedSeries& one : trace.layers[0].series) one.values = tensor({3, 2000}, values);
  const int64_t limit = static_cast<int64_t>(look_page({&trace, 1}, {.units = 100}).html.size());
  const LookPage page = look_page({&trace, 1}, {.most_bytes = limit});
  EXPECT_LE(static_cast<int64_t>(page.html.size()), limit);
  EXPECT_THAT(page.left_out, HasSubstr("of 2000 in the widest"));
  EXPECT_EQ(json::parse(numbers_of(page.html))["notes"][0], page.left_out);
  const LookPage least = look_page({&trace, 1}, {.most_bytes = 1});
  EXPECT_THAT(least.left_out, HasSubstr("4 units are drawn"));
}

TEST(LookPage, ItsScriptKeepsItsNamesToItself) {
  EXPECT_TRUE(look_script().starts_with("(() => {\n\"use strict\";"));
  EXPECT_TRUE(look_script().ends_with("globalThis.render_look = render_look;\n})();\n"));
  EXPECT_THAT(look_script(), Not(HasSubstr("</script")));
  EXPECT_THAT(std::string(look_style()), Not(HasSubstr("</style")));
}

}  // namespace
}  // namespace rondo
