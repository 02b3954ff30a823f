// Streaming: the bits of the whole sequence however it is cut, and no allocation a step.
#include "layers/recurrent_stream.h"

#include <gmock/gmock.h>

#include <cstring>

#include "counted_new.h"
#include "layers/embedding.h"
#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using testing::HasSubstr;

constexpr int64_t kVocabulary = 7, kDimension = 6;
constexpr Precision kPrecisions[] = {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8};

std::vector<int32_t> random_ids(int64_t count) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(Stream(5).below(i, kVocabulary)));
  return ids;
}

struct Net {
  ParameterSet set;
  Embedding embedding;
  RecurrentStack stack;
  std::unique_ptr<Backend> backend;

  explicit Net(const RecurrentOptions& options, const char* device = "cpu", int threads = 1)
      : embedding(set, {.vocabulary = kVocabulary, .dimension = kDimension}),
        stack(set, kDimension, options),
        backend(open_device(device, threads)) {
    initialize_normal(embedding.table().value, 0, 1, Stream(9));
    stack.initialize(Stream(1));
  }
  RecurrentStream stream(Precision precision, bool table) const {
    const Tensor& words = embedding.table().value;
    return {stack, words, *backend,
            std::make_shared<PreparedStack>(stack.prepare(*backend, precision, table ? words : Tensor()))};
  }
  RecurrentOutput whole(Tape& tape, const std::vector<int32_t>& ids) const {
    const Packing packing(std::vector<int64_t>{static_cast<int64_t>(ids.size())});
    return stack.forward(tape, {.x = embedding.forward(tape, ids)}, packing);
  }
};

std::vector<RecurrentOptions> stacks() {
  std::vector<RecurrentOptions> all;
  for (const int64_t layers : {1, 2, 3}) {
    for (const Cell cell : {Cell::kRnn, Cell::kLstm, Cell::kGru}) {
      all.push_back({.cell = cell, .hidden = 21, .layers = layers});
    }
  }
  all.push_back({.cell = Cell::kRnn, .hidden = 5, .nonlinearity = Nonlinearity::kRelu});
  all.push_back({.cell = Cell::kGru, .hidden = 33, .reset = Reset::kBefore});
  all.push_back({.cell = Cell::kLstm, .hidden = 8, .layers = 2, .projection = 3});
  all.push_back({.cell = Cell::kLstm, .hidden = 8, .peepholes = true, .coupled = true});
  all.push_back({.cell = Cell::kLstm, .hidden = 8, .without = Ablation::kOutputTanh});
  all.push_back({.cell = Cell::kGru, .hidden = 7, .coupled = true});
  all.push_back({.cell = Cell::kLstm, .hidden = 18, .layers = 3, .last_hidden = 7});
  all.push_back({.cell = Cell::kGru, .hidden = 7, .layers = 2, .last_hidden = 18});
  all.push_back({.cell = Cell::kGrid, .hidden = 21, .layers = 3, .grid = {.tied_layers = true}});
  all.push_back({.cell = Cell::kGrid, .hidden = 8, .layers = 2, .grid = {.priority = Priority::kNone}});
  all.push_back({.cell = Cell::kGrid, .hidden = 8, .layers = 2, .grid = {.priority = Priority::kTime}});
  all.push_back({.cell = Cell::kGrid, .hidden = 7, .layers = 2, .grid = {.along_time = Along::kTanh}});
  return all;
}

bool equal(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// Outputs of the stream, read in pieces of these sizes, over and over.
std::vector<float> read_in_pieces(RecurrentStream& stream, std::span<const int32_t> ids,
                                  const std::vector<size_t>& pieces) {
  std::vector<float> all;
  for (size_t i = 0; !ids.empty(); ++i) {
    const size_t count = std::min(pieces[i % pieces.size()], ids.size());
    const ConstMatrix y = stream.read(ids.first(count));
    all.insert(all.end(), y.row<float>(0), y.row<float>(0) + y.size());
    ids = ids.subspan(count);
  }
  return all;
}

TEST(RecurrentStream, HasTheBitsOfTheWholeSequenceHoweverItIsCut) {
  const std::vector<int32_t> ids = random_ids(40);
  for (const Precision precision : kPrecisions) {
    for (RecurrentOptions options : stacks()) {
      options.precision = precision;
      if (options.is_grid() && precision == Precision::kInt8) continue;  // refused
      const Net net(options);
      Tape tape(*net.backend);
      const RecurrentOutput whole = net.whole(tape, ids);
      for (const bool table : {false, true}) {
        for (const std::vector<size_t>& pieces : {std::vector<size_t>{1}, {16}, {3, 1, 7}}) {
          RecurrentStream stream = net.stream(precision, table);
          const std::string what = std::string(name_of(options.cell)) + " " + name_of(precision);
          EXPECT_TRUE(equal(read_in_pieces(stream, ids, pieces), whole.y.value().values<float>())) << what;
          for (int64_t layer = 0; layer < options.layers; ++layer) {
            EXPECT_TRUE(equal(stream.h(layer), whole.final.h[layer].value().values<float>())) << what;
            if (options.cell_state_of(layer) == 0) continue;
            EXPECT_TRUE(equal(stream.c(layer), whole.final.c[layer].value().values<float>())) << what;
          }
        }
      }
    }
  }
}

TEST(RecurrentStream, TakesVectorsInTheEmbeddingsPlace) {
  for (const bool table : {false, true}) {
    const Net net({.cell = Cell::kGru, .hidden = 9, .layers = 2});
    RecurrentStream by_id = net.stream(Precision::kFloat32, table);
    RecurrentStream by_vector = net.stream(Precision::kFloat32, table);
    const std::vector<int32_t> ids = {2, 5, 2};
    by_id.read(ids);
    for (const int32_t id : ids) by_vector.read(net.embedding.table().value.matrix().rows_at(id, 1));
    EXPECT_TRUE(equal(by_id.state(), by_vector.state()));
  }
}

TEST(RecurrentStream, AllocatesNothingAStep) {
  const std::vector<int32_t> ids = random_ids(16);
  const std::vector<float> vector(kDimension, 0.5F);
  for (const Precision precision : kPrecisions) {
    for (const RecurrentOptions& options : stacks()) {
      if (options.is_grid() && precision == Precision::kInt8) continue;  // refused
      const Net net(options);
      for (const bool table : {false, true}) {
        RecurrentStream stream = net.stream(precision, table);
        const auto read = [&] {
          for (size_t i = 0; i < ids.size(); ++i) stream.read(std::span(ids).subspan(i, 1));
          stream.read(ids);
          stream.read(ConstMatrix(vector.data(), DType::kFloat32, 1, kDimension, kDimension));
        };
        read();  // the thread's scratch memory grows to its size
        const int64_t before = allocations();
        read();
        EXPECT_EQ(allocations(), before) << name_of(options.cell) << " " << name_of(precision) << table;
      }
    }
  }
}

TEST(RecurrentStream, AllocatesNothingWhereThreadsShareAStep) {
  const std::vector<int32_t> ids = random_ids(16);
  const Net net({.cell = Cell::kLstm, .hidden = 1056, .layers = 2}, "cpu", 2);  // 9 million operations a step
  const Net alone({.cell = Cell::kLstm, .hidden = 1056, .layers = 2}, "cpu", 1);
  RecurrentStream stream = net.stream(Precision::kFloat32, true);
  RecurrentStream expected = alone.stream(Precision::kFloat32, true);
  const auto read = [&](RecurrentStream& each) {
    for (size_t i = 0; i < ids.size(); ++i) each.read(std::span(ids).subspan(i, 1));
    each.read(ids);
  };
  read(expected);
  // Each thread's scratch memory grows to its size when it first takes a part, whenever that is.
  for (int i = 0; i < 4; ++i) {
    stream.reset();
    read(stream);
  }
  EXPECT_TRUE(equal(stream.state(), expected.state()));
  const int64_t before = allocations();
  read(stream);
  EXPECT_LE(allocations() - before, 1);
}

TEST(RecurrentStream, AForkGoesItsOwnWay) {
  const Net net({.cell = Cell::kLstm, .hidden = 9, .layers = 2});
  RecurrentStream one = net.stream(Precision::kFloat32, true);
  one.read(std::vector<int32_t>{1, 2});
  RecurrentStream other = one;
  EXPECT_TRUE(equal(one.state(), other.state()));
  other.read(std::vector<int32_t>{3});
  EXPECT_FALSE(equal(one.state(), other.state()));
  one.read(std::vector<int32_t>{3});
  EXPECT_TRUE(equal(one.state(), other.state()));
  other.reset();
  EXPECT_EQ(std::count(other.state().begin(), other.state().end(), 0.0F), 36);
  other = one;
  EXPECT_TRUE(equal(one.state(), other.state()));
}

TEST(RecurrentStream, RunsOnTheReferenceBackend) {
  const Net net({.cell = Cell::kLstm, .hidden = 4}, "reference");
  RecurrentStream stream = net.stream(Precision::kFloat32, true);
  const std::vector<int32_t> ids = random_ids(5);
  Tape tape(*net.backend);
  EXPECT_TRUE(equal(read_in_pieces(stream, ids, {2}), net.whole(tape, ids).y.value().values<float>()));
}

TEST(RecurrentStream, RefusesWhatItCannotRead) {
  const Net net({.hidden = 4});
  RecurrentStream stream = net.stream(Precision::kFloat32, true);
  EXPECT_THROW(stream.read(std::vector<int32_t>{}), ShapeError);
  EXPECT_THROW(stream.read(std::vector<int32_t>(17, 0)), ShapeError);
  EXPECT_THROW(stream.read(std::vector<int32_t>{7}), DataError);
  EXPECT_THROW(stream.read(std::vector<int32_t>{-1}), DataError);
  EXPECT_THROW(stream.read(Tensor::zeros({1, 5}).matrix()), ShapeError);
  EXPECT_THROW(stream.set_state(std::vector<float>(3)), ShapeError);
  EXPECT_THROW(stream.h(1), ShapeError);
  const Net both({.hidden = 4, .bidirectional = true});
  try {
    both.stream(Precision::kFloat32, false);
    FAIL() << "two directions were accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("both ends"));
  }
}

}  // namespace
}  // namespace rondo
