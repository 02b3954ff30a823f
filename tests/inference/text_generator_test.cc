// Generation against the whole forward pass, and what must not change the text.
#include "inference/text_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "allocations.h"
#include "inference/stop_strings.h"
#include "inference/text_scorer.h"
#include "small_language_model.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Cells, layers, one-hot, tied, projected, adaptive.
std::vector<LanguageModelOptions> cases() {
  const RecurrentOptions lstm{.cell = Cell::kLstm, .hidden = 19, .layers = 2};
  return {
      {.embedding = 7, .recurrent = lstm},
      {.embedding = 0, .recurrent = {.cell = Cell::kGru, .hidden = 16}},
      {.embedding = 9, .recurrent = {.cell = Cell::kRnn, .hidden = 33}},
      {.embedding = 19, .recurrent = lstm, .tied = true},
      {.embedding = 5, .recurrent = {.cell = Cell::kLstm, .hidden = 20, .projection = 16}},
      {.embedding = 6, .recurrent = {.hidden = 32}, .adaptive = {"5", "12"}},
      {.embedding = 6,
       .recurrent = {.cell = Cell::kGrid, .hidden = 14, .layers = 3, .grid = {.tied_layers = true}}},
      {.embedding = 0,
       .recurrent = {.cell = Cell::kGrid, .hidden = 9, .layers = 2, .grid = {.priority = Priority::kTime}}}};
}

// log p of each id that follows `ids`, by one pass over all of them.
Tensor full_pass(const LanguageModel& model, Backend& backend, const std::vector<int32_t>& ids) {
  std::vector<int32_t> inputs{model.end()};
  inputs.insert(inputs.end(), ids.begin(), ids.end());
  const int64_t lengths[] = {static_cast<int64_t>(inputs.size())};
  Tape tape(backend);
  const LanguagePass pass = model.network->forward(tape, inputs, Packing(lengths));
  return model.network->output().log_probabilities(pass.y);
}

TEST(TextGenerator, LogProbabilityIsThatOfTheWholeForwardPass) {
  const auto backend = open_device("cpu", 1);
  for (size_t n = 0; n < cases().size(); ++n) {
    SCOPED_TRACE(n);
    const LanguageModel model = small_language_model(cases()[n]);
    const TextGenerator generator(model, *backend, Precision::kFloat32);
    const Prompt prompt = generator.read("the base");
    const Generation made = generator.generate(
        prompt, {.length = 60, .ignore_end = true, .sampling = {.temperature = 1.3}, .log_probability = true},
        0);
    ASSERT_EQ(made.ids.size(), 60U);
    std::vector<int32_t> all = prompt.ids;
    all.insert(all.end(), made.ids.begin(), made.ids.end());
    const Tensor expected = full_pass(model, *backend, all);
    double sum = 0;
    for (size_t i = 0; i < made.ids.size(); ++i) {
      sum += expected.at(static_cast<int64_t>(prompt.ids.size() + i) * model.vocabulary.size() + made.ids[i]);
    }
    EXPECT_NEAR(made.log_probability, sum, 1e-4 * std::abs(sum));
  }
}

TEST(LanguageReader, ScoresAreTheLogitsOfTheWholePass) {
  const auto backend = open_device("cpu", 1);
  for (size_t n = 0; n < cases().size(); ++n) {
    SCOPED_TRACE(n);
    const LanguageModel model = small_language_model(cases()[n]);
    LanguageReader reader(model, *backend, prepare_reader(model, *backend, Precision::kFloat32));
    const std::vector<int32_t> ids =
        model.encode("a ship and a lighthouse on the map");  // 2 pieces of 16, and more
    reader.read(ids);
    const Tensor expected = full_pass(model, *backend, ids);
    const int64_t V = model.vocabulary.size(), last = static_cast<int64_t>(ids.size()) * V;
    std::vector<float> scores(reader.scores().begin(), reader.scores().end());
    const std::span<const float> p = reader.probabilities();
    for (int64_t id = 0; id < V; ++id) {
      EXPECT_NEAR(std::log(p[static_cast<size_t>(id)]), expected.at(last + id), 1e-5);
      EXPECT_NEAR(reader.log_probability(static_cast<int32_t>(id)), expected.at(last + id), 1e-5);
    }
    LanguageReader by_one(model, *backend, prepare_reader(model, *backend, Precision::kFloat32));
    for (const int32_t id : ids) by_one.read(std::span(&id, 1));
    EXPECT_EQ(std::memcmp(by_one.scores().data(), scores.data(), scores.size() * sizeof(float)), 0);
  }
}

TEST(TextGenerator, SameSeedSameTextForAnyThreadsAndFromAFork) {
  const LanguageModel model = small_language_model({.embedding = 7, .recurrent = {.hidden = 300}});
  const GenerateOptions options{.length = 80, .seed = 5, .ignore_end = true};
  std::vector<std::string> texts;
  for (const int threads : {1, 2, 3}) {
    const auto backend = open_device("cpu", threads);
    const TextGenerator generator(model, *backend, Precision::kFloat32);
    const Prompt prompt = generator.read("hello");
    generator.generate(prompt, options, 1);  // whatever came before
    texts.push_back(generator.generate(prompt, options, 0).text);
    texts.push_back(generator.generate(generator.read("hello"), options, 0).text);
  }
  for (const std::string& text : texts) EXPECT_EQ(text, texts.front());
  EXPECT_GT(texts.front().size(), 10U);
}

TEST(TextGenerator, SamplesAndSeedsDrawFromStreamsOfTheirOwn) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.embedding = 7});
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  const Prompt prompt = generator.read("a");
  const auto text = [&](uint64_t seed, uint64_t sample) {
    return generator.generate(prompt, {.length = 40, .seed = seed, .ignore_end = true}, sample).text;
  };
  EXPECT_NE(text(1, 0), text(1, 1));
  EXPECT_NE(text(1, 0), text(2, 0));
  EXPECT_EQ(text(1, 1), text(1, 1));
  // the very numbers: step i of sample n is number i of Stream(seed, {n})
  LanguageReader reader = prompt.reader;
  Sampler sampler({}, model.vocabulary.size(), Stream(7, {2}));
  sampler.forbid(model.end());
  std::string expected;
  for (uint64_t step = 0; step < 40; ++step) {
    const int32_t id = sampler.next(reader.scores(), {}, step);
    expected += model.vocabulary.token(id);
    reader.read(std::span(&id, 1));
  }
  EXPECT_EQ(text(7, 2), expected);
}

TEST(TextGenerator, GreedyFollowsTheLargestScore) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.embedding = 7});
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  const Prompt prompt = generator.read("ab");
  const Generation made =
      generator.generate(prompt, {.length = 20, .ignore_end = true, .sampling = {.greedy = true}}, 0);
  std::vector<int32_t> all = prompt.ids;
  for (const int32_t id : made.ids) {
    const Tensor rows = full_pass(model, *backend, all);
    const int64_t V = model.vocabulary.size();
    const float* row = rows.data<float>() + static_cast<int64_t>(all.size()) * V;
    EXPECT_EQ(id, std::max_element(row + 2, row + V) - row);  // neither the unknown word nor the end
    all.push_back(id);
  }
}

TEST(TextGenerator, PiecesMakeTheTextAndTheCallerMayEndIt) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.embedding = 7});
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  const Prompt prompt = generator.read("");
  std::string pieces;
  const GenerateOptions options{.length = 50, .ignore_end = true};
  const Generation made = generator.generate(prompt, options, 0, [&](std::string_view piece) {
    pieces += piece;
    return true;
  });
  EXPECT_EQ(pieces, made.text);
  EXPECT_EQ(made.why, StopReason::kLength);
  int calls = 0;
  const Generation ended =
      generator.generate(prompt, options, 0, [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(ended.why, StopReason::kCaller);
  EXPECT_EQ(ended.text, made.text.substr(0, 3));
}

TEST(TextGenerator, EndsAtTheEndOfTheDocument) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.embedding = 7});
  Tensor bias = model.network->parameters().find("decoder.bias").value;
  bias.data<float>()[model.end()] = 100;
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  const Generation made = generator.generate(generator.read("a"), {.length = 50}, 0);
  EXPECT_EQ(made.why, StopReason::kEnd);
  EXPECT_EQ(made.text, "");
  EXPECT_EQ(generator.generate(generator.read("a"), {.length = 50, .ignore_end = true}, 0).ids.size(), 50U);
}

TEST(TextGenerator, StopStringEndsTheTextAndIsNotWritten) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.embedding = 7});
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  const Prompt prompt = generator.read("a");
  GenerateOptions options{.length = 60, .ignore_end = true};
  const std::string whole = generator.generate(prompt, options, 0).text;
  options.stop = {"no such thing", whole.substr(30, 5)};
  const Generation made = generator.generate(prompt, options, 0);
  EXPECT_EQ(made.why, StopReason::kStopString);
  EXPECT_EQ(made.text, whole.substr(0, whole.find(options.stop[1])));
  options.stop = {whole.back() + std::string("x")};  // held back at the end, then written
  EXPECT_EQ(generator.generate(prompt, options, 0).text, whole);
}

TEST(TextGenerator, UnknownTokensAreNamedAndAPromptOfNothingElseIsRefused) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.embedding = 7});
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  EXPECT_THAT(generator.read("aXbYX").unknown, ElementsAre("X", "Y"));
  EXPECT_THROW(generator.read("XYZ"), DataError);
  EXPECT_THROW(generator.read("a\xFF"), DataError);
  EXPECT_TRUE(generator.read("").ids.empty());
}

TEST(TextGenerator, WordsGoOnWithOneSpaceWhateverThePromptEndsIn) {
  const auto backend = open_device("cpu", 1);
  const LanguageModel model = small_language_model({.tokenizer = TokenizerKind::kWords, .embedding = 7},
                                                   {"sugar", "honey", "cake", "tea"});
  const TextGenerator generator(model, *backend, Precision::kFloat32);
  const GenerateOptions options{.length = 5, .ignore_end = true};
  const std::string behind_word = generator.generate(generator.read("sugar honey"), options, 0).text;
  const std::string behind_space = generator.generate(generator.read("sugar honey "), options, 0).text;
  EXPECT_EQ(behind_word, " " + behind_space);
  EXPECT_NE(behind_space.front(), ' ');
  EXPECT_NE(generator.generate(generator.read(""), options, 0).text.front(), ' ');
}

TEST(TextGenerator, ATokenAllocatesNothing) {
  const auto backend = open_device("cpu", 1);
  for (const size_t n : {size_t{0}, size_t{1}, size_t{3}}) {
    const LanguageModel model = small_language_model(cases()[n]);
    const TextGenerator generator(model, *backend, Precision::kFloat32);
    const Prompt prompt = generator.read("the base");
    GenerateOptions options{.ignore_end = true,
                            .sampling = {.repetition_penalty = 1.1, .top_k = 10, .top_p = 0.9}};
    const auto spent = [&](int64_t length) {
      options.length = length;
      const int64_t before = allocations();
      generator.generate(prompt, options, 0);
      return allocations() - before;
    };
    spent(1000);
    EXPECT_EQ(spent(1000), spent(200)) << n;
  }
}

std::pair<std::string, bool> stopped(const std::vector<std::string>& stops, const std::string& text,
                                     size_t piece) {
  StopStrings scanner(stops);
  std::string sure;
  for (size_t at = 0; at < text.size(); at += piece) {
    if (scanner.add(std::string_view(text).substr(at, piece), sure)) return {sure, true};
  }
  scanner.finish(sure);
  return {sure, false};
}

TEST(StopStrings, AreFoundHoweverTheTextIsCut) {
  const std::vector<std::string> stops = {"abab", "bac", "xyz"};
  for (const auto& [text, expected, found] :
       {std::tuple{"aabacab", "aa", true}, std::tuple{"aababac", "a", true},
        std::tuple{"xyxyxyz", "xyxy", true}, std::tuple{"ababa", "", true}, std::tuple{"xyab", "xyab", false},
        std::tuple{"", "", false}}) {
    for (size_t piece = 1; piece < 8; ++piece) {
      EXPECT_EQ(stopped(stops, text, piece), (std::pair<std::string, bool>{expected, found}))
          << text << piece;
    }
  }
}

TEST(StopStrings, HoldBackOnlyWhatMayBeTheBeginning) {
  StopStrings scanner({"\n\nTHE END"});
  std::string sure;
  EXPECT_FALSE(scanner.add("one\n", sure));
  EXPECT_EQ(sure, "one");
  EXPECT_FALSE(scanner.add("\nTHE", sure));
  EXPECT_EQ(sure, "one");
  EXPECT_FALSE(scanner.add("RE", sure));
  EXPECT_EQ(sure, "one\n\nTHERE");
  EXPECT_THROW(StopStrings({""}), ConfigError);
  EXPECT_THROW(StopStrings({"\xFF"}), ConfigError);
}

TEST(TextScorer, SaysWhatTheWholePassSaysInAnyCompany) {
  std::vector<std::string> texts = {"a ship", "", "the quick brown fox jumps over the lazy dog", "zzz", "e"};
  texts.emplace_back(700, 'a');  // several blocks
  for (size_t n = 0; n < cases().size(); ++n) {
    SCOPED_TRACE(n);
    const LanguageModel model = small_language_model(cases()[n]);
    const auto one = open_device("cpu", 1), three = open_device("cpu", 3);
    const std::vector<TextScore> scores =
        TextScorer(model, *one, Precision::kFloat32).score(texts, {.ranks = true});
    const std::vector<TextScore> again = TextScorer(model, *three, Precision::kFloat32).score(texts, {});
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<int32_t> ids = model.encode(texts[i]);
      const Tensor rows = full_pass(model, *one, ids);
      ids.push_back(model.end());
      ASSERT_EQ(scores[i].tokens.size(), ids.size());
      const TextScore alone =
          TextScorer(model, *one, Precision::kFloat32).score(std::span(&texts[i], 1), {}).front();
      for (size_t t = 0; t < ids.size(); ++t) {
        const TokenScore& token = scores[i].tokens[t];
        EXPECT_EQ(token.id, ids[t]);
        EXPECT_EQ(token.log_probability, alone.tokens[t].log_probability);
        EXPECT_EQ(token.log_probability, again[i].tokens[t].log_probability);
        const int64_t V = model.vocabulary.size();
        const float* row = rows.data<float>() + static_cast<int64_t>(t) * V;
        EXPECT_NEAR(token.log_probability, row[ids[t]], 1e-4);
        EXPECT_EQ(token.rank, 1 + std::count_if(row, row + V, [&](float p) { return p > row[ids[t]]; }));
      }
    }
    EXPECT_EQ(scores[1].tokens.front().token, "</s>");
    EXPECT_NEAR(scores[0].perplexity(), std::exp(-scores[0].log_probability() / 7), 1e-9);
    EXPECT_EQ(TextScorer(model, *one, Precision::kFloat32).score(texts, {.end = false})[0].tokens.size(), 6U);
  }
}

}  // namespace
}  // namespace rondo
