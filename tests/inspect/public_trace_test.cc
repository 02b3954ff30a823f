// rondo::Trace.
#include <cmath>

#include "rondo/trace.h"
#include "small_models.h"
#include "storage/test_files.h"

namespace rondo {
namespace {

using testing::HasSubstr;

TEST(PublicTrace, HasTheNumbersOfTheTracer) {
  const TestFolder folder;
  const std::string path = folder.file("m.rondo");
  const RecurrentOptions recurrent{.hidden = 5, .layers = 2, .bidirectional = true};
  write_model_file(path, pack_classifier(worded_classifier({.embedding = 4, .recurrent = recurrent})));
  const Trace trace = Trace::of(path, "a good film", true);
  const auto backend = open_device("cpu", 1);
  const TextTrace traced = Tracer(path, *backend, {}).trace("a good film", {.gradient = GradientRequest{}});
  EXPECT_EQ(trace.tokens, traced.tokens);
  EXPECT_EQ(trace.series.size(), 4U * 6);
  const TraceSeries& forget = trace.find("f", 1, true);
  EXPECT_EQ(forget.at(2, 3), traced.layers[3].find("f").values.at(2 * 5 + 3));
  EXPECT_EQ(trace.gradient_of, traced.gradient_of);
  double squares = 0;
  for (int64_t e = 0; e < 4; ++e) squares += traced.d_tokens.at(4 + e) * traced.d_tokens.at(4 + e);
  EXPECT_FLOAT_EQ(trace.connectivity[1], static_cast<float>(std::sqrt(squares)));
  EXPECT_EQ(trace.contribution.size(), 3U);
}

TEST(PublicTrace, SaysWhatIsNotThere) {
  const TestFolder folder;
  const std::string path = folder.file("m.rondo");
  write_model_file(path, pack_classifier(worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}})));
  const Trace trace = Trace::of(path, "");
  EXPECT_TRUE(trace.tokens.empty());
  EXPECT_THROW((void)trace.find("h").at(0, 0), ShapeError);
  try {
    (void)trace.find("z");
    ADD_FAILURE() << "an lstm has no z";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("it has i f o g c h"));
  }
  EXPECT_THROW((void)trace.find("f", 1), ConfigError);
  EXPECT_THROW(Trace::of(folder.file("absent.rondo"), "a"), IoError);
}

}  // namespace
}  // namespace rondo
