// The public streaming class against the public classifier: the same model, the same bits.
#include "rondo/session.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "counted_new.h"
#include "models/classifier_model.h"
#include "storage/classifier_file.h"

namespace rondo {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kWords = {"<unk>", "sugar", "honey", "cake", "chips", "olives", "soy"};
constexpr const char* kText =
    "sugar honey olives unheard soy cake chips sugar sugar honey olives soy soy cake "
    "cake chips olives honey sugar";

class SessionTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path()); }
  static std::string path() {
    return (std::filesystem::temp_directory_path() / ("rondo-session-" + std::to_string(getpid()))).string();
  }

  // A model of random weights: what it says is of no interest here, only that it says it twice.
  static Classifier model(const ClassifierOptions& options, const std::string& precision = "model",
                          uint64_t seed = 3, bool several = false) {
    ClassifierModel made;
    made.tokenizer = make_tokenizer(TokenizerKind::kWords);
    made.vocabulary = Vocabulary::from_tokens(kWords);
    made.labels = LabelSet({"salty", "sour", "sweet"}, several);
    made.network = std::make_unique<ClassifierNetwork>(options, made.vocabulary.size(), made.labels.size());
    made.network->initialize(Stream(seed));
    save_classifier(path(), made, nlohmann::json::object());
    return Classifier::load(path(), 1, precision);
  }
  static ClassifierOptions options(const RecurrentOptions& recurrent, PoolKind pool = PoolKind::kMax) {
    return {.embedding = 5, .embedding_deviation = 1, .recurrent = recurrent, .pool = pool};
  }
};

// Probabilities that predict gives to a text, in the order of the labels.
std::vector<float> predicted(const Classifier& model, const std::string& text) {
  std::vector<float> all(model.labels().size());
  for (const Prediction& prediction : model.predict(text, all.size())) {
    const auto at = std::find(model.labels().begin(), model.labels().end(), prediction.label);
    all[static_cast<size_t>(at - model.labels().begin())] = prediction.probability;
  }
  return all;
}

bool equal(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST_F(SessionTest, SaysAfterEveryTokenWhatPredictSaysOfTheTextSoFar) {
  for (const char* precision : {"f32", "bf16", "int8"}) {
    for (const PoolKind pool : {PoolKind::kFinal, PoolKind::kMean, PoolKind::kMax, PoolKind::kConcat}) {
      for (const Cell cell : {Cell::kRnn, Cell::kLstm, Cell::kGru}) {
        const Classifier classifier =
            model(options({.cell = cell, .hidden = 19, .layers = 2}, pool), precision);
        Session session(classifier);
        EXPECT_TRUE(equal(session.probabilities(), predicted(classifier, ""))) << name_of(pool);
        std::string so_far;
        for (const char* word : {"sugar", "honey", "unheard", "olives", "soy"}) {
          so_far += std::string(word) + " ";
          session.feed_text(word);
          EXPECT_TRUE(equal(session.probabilities(), predicted(classifier, so_far)))
              << name_of(cell) << " " << name_of(pool) << " " << precision << ": " << so_far;
        }
      }
    }
  }
}

TEST_F(SessionTest, IdsTokensTextAndVectorsAreOneAndTheSame) {
  const Classifier classifier = model(options({.hidden = 7}, PoolKind::kConcat));
  Session by_text(classifier);
  by_text.feed_text(kText);
  Session by_token(classifier), by_id(classifier), in_one(classifier);
  std::vector<int32_t> ids;
  const auto tokens = make_tokenizer(TokenizerKind::kWords)->tokens(kText);
  by_token.feed_tokens(tokens);
  for (const std::string& token : tokens) ids.push_back(by_id.id_of(token));
  for (const int32_t id : ids) by_id.feed(id);
  in_one.feed(ids);
  EXPECT_EQ(by_text.steps(), 19);
  for (Session* session : {&by_token, &by_id, &in_one}) EXPECT_EQ(session->save(), by_text.save());
  const ClassifierModel read = load_classifier(path());
  Session by_vector(classifier);
  std::vector<float> vectors;
  for (const int32_t id : ids) {
    const float* row = read.network->embedding().table().value.data<float>() + id * 5;
    vectors.insert(vectors.end(), row, row + 5);
  }
  by_vector.feed_vectors(vectors);
  EXPECT_EQ(by_vector.save(), by_text.save());
  EXPECT_THROW(by_vector.feed_vectors(std::span(vectors).first(4)), ShapeError);
}

TEST_F(SessionTest, ShowsItsStates) {
  const Classifier lstm = model(options({.cell = Cell::kLstm, .hidden = 7, .layers = 2, .projection = 3}));
  Session session(lstm);
  session.feed_text(kText);
  EXPECT_EQ(session.layers(), 2);
  EXPECT_EQ(session.h(0).size(), 3U);
  EXPECT_EQ(session.c(1).size(), 7U);
  EXPECT_TRUE(equal(session.output(), session.h(1)));
  EXPECT_THROW(session.h(2), ShapeError);
  EXPECT_THROW(session.h(-1), ShapeError);
  session.reset();
  EXPECT_EQ(session.steps(), 0);
  EXPECT_EQ(session.save(), Session(lstm).save());
  const Classifier gru = model(options({.cell = Cell::kGru, .hidden = 4}));
  EXPECT_TRUE(Session(gru).c(0).empty());
}

TEST_F(SessionTest, AllocatesNothingAStep) {
  for (const PoolKind pool : {PoolKind::kFinal, PoolKind::kMax, PoolKind::kConcat}) {
    const Classifier classifier = model(options({.hidden = 64, .layers = 2}, pool));
    Session session(classifier);
    const std::vector<int32_t> ids(40, 2);
    const std::vector<float> vectors(10, 0.5F);
    const auto steps = [&] {
      for (int32_t id = 0; id < 7; ++id) session.feed(id);
      session.feed(ids);
      session.feed_vectors(vectors);
      session.reset();
    };
    steps();  // the thread's scratch memory grows to its size
    const int64_t before = allocations();
    steps();
    EXPECT_EQ(allocations(), before) << name_of(pool);
  }
}

TEST_F(SessionTest, AForkAndASavedStateGoOnAsTheOriginal) {
  for (const char* precision : {"f32", "int8"}) {
    const Classifier classifier =
        model(options({.cell = Cell::kLstm, .hidden = 9}, PoolKind::kConcat), precision);
    Session one(classifier);
    one.feed_text("sugar honey");
    const std::string saved = one.save();
    Session fork = one;
    fork.feed_text("olives soy");
    EXPECT_NE(fork.save(), saved);
    EXPECT_EQ(one.save(), saved);
    Session restored(classifier);
    restored.restore(saved);
    EXPECT_EQ(restored.steps(), 2);
    restored.feed_text("olives soy");
    EXPECT_EQ(restored.save(), fork.save());
    EXPECT_TRUE(equal(restored.probabilities(), predicted(classifier, "sugar honey olives soy")));
    one = fork;
    EXPECT_EQ(one.save(), fork.save());
  }
}

TEST_F(SessionTest, KeepsItsModelAliveAndRunsBesideOthers) {
  auto classifier = std::make_unique<Classifier>(model(options({.cell = Cell::kGru, .hidden = 33})));
  Session alone(*classifier);
  alone.feed_text(kText);
  std::vector<Session> sessions(4, Session(*classifier));
  classifier.reset();
  std::vector<std::thread> threads;
  for (Session& session : sessions) threads.emplace_back([&session] { session.feed_text(kText); });
  for (std::thread& thread : threads) thread.join();
  for (const Session& session : sessions) EXPECT_EQ(session.save(), alone.save());
}

TEST_F(SessionTest, ReadsNoFurtherThanTheModel) {
  ClassifierOptions limited = options({.hidden = 6}, PoolKind::kMean);
  limited.max_length = 4;
  const Classifier classifier = model(limited);
  Session session(classifier);
  for (int i = 0; i < 3; ++i) session.feed_text("sugar olives cake");
  EXPECT_EQ(session.steps(), 4);
  EXPECT_TRUE(equal(session.probabilities(), predicted(classifier, "sugar olives cake sugar olives cake")));
}

TEST_F(SessionTest, RefusesAnUnknownIdBeforeItReadsAny) {
  const Classifier classifier = model(options({.hidden = 6}));
  Session session(classifier);
  EXPECT_THROW(session.feed(std::vector<int32_t>{1, 2, 7}), DataError);
  EXPECT_THROW(session.feed(-1), DataError);
  EXPECT_THROW(session.feed_text("honey \xFF"), DataError);
  EXPECT_EQ(session.steps(), 0);
}

TEST_F(SessionTest, RefusesModelsThatNeedTheWholeText) {
  const Classifier both = model(options({.hidden = 6, .bidirectional = true}));
  try {
    const Session session(both);
    FAIL() << "a bidirectional model was accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--no-bidirectional"));
  }
  const Classifier attention = model(options({.hidden = 6}, PoolKind::kAttention));
  Session session(attention);
  session.feed_text("honey");
  EXPECT_EQ(session.output().size(), 6U);
  EXPECT_THROW(session.probabilities(), ConfigError);
}

TEST_F(SessionTest, SeveralLabelsHaveProbabilitiesOfTheirOwn) {
  const Classifier classifier = model(options({.hidden = 6}), "model", 3, true);
  Session session(classifier);
  session.feed_text("honey cake");
  EXPECT_TRUE(equal(session.probabilities(), predicted(classifier, "honey cake")));
}

TEST_F(SessionTest, HostileStatesAreRefusedAndChangeNothing) {
  const Classifier classifier = model(options({.hidden = 6}, PoolKind::kMean));
  Session session(classifier);
  session.feed_text("honey cake");
  const std::string good = session.save();
  const auto refused = [&](const std::string& bytes, const char* why) {
    try {
      session.restore(bytes);
      FAIL() << "accepted: " << why;
    } catch (const FormatError& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
    EXPECT_EQ(session.save(), good);
  };
  for (size_t size = 0; size < good.size(); ++size) refused(good.substr(0, size), "session:");
  for (size_t at = 0; at < good.size(); ++at) {
    std::string altered = good;
    altered[at] = static_cast<char>(altered[at] ^ 0x40);
    refused(altered, "session:");
  }
  refused(good + "x", "cut or altered");
  refused("", "no state of a session");
  const Classifier other = model(options({.hidden = 6}, PoolKind::kMean), "model", 4);
  const std::string foreign = Session(other).save();
  refused(foreign, "another model");
  const Classifier bf16 = model(options({.hidden = 6}, PoolKind::kMean), "bf16");
  refused(Session(bf16).save(), "precision");
  Session vectors(classifier);
  vectors.feed_vectors(std::vector<float>(5, std::numeric_limits<float>::quiet_NaN()));
  refused(vectors.save(), "no session can reach");
}

TEST_F(SessionTest, APrecisionThatThereIsNotIsRefused) {
  model(options({.hidden = 6}));
  EXPECT_THROW(Classifier::load(path(), 1, "f16"), ConfigError);
}

}  // namespace
}  // namespace rondo
