#include "kernels/cpu_targets.h"

namespace rondo {
namespace {

/// The arrays that the two passes write, by name.
std::vector<std::pair<std::string, const Array<float>*>> results(const RecurrentOperands<float>& o) {
  std::vector<std::pair<std::string, const Array<float>*>> all = {{"y", &o.y}, {"d_x", &o.d_x}};
  for (const auto& d : o.directions) {
    const std::string at = d.reverse ? " reverse" : " forward";
    for (const auto& [name, array] : std::initializer_list<std::pair<const char*, const Array<float>*>>{
             {"h_n", &d.h_n},
             {"c_n", &d.c_n},
             {"gates", &d.gates},
             {"cells", &d.cells},
             {"d_h0", &d.d_h0},
             {"d_c0", &d.d_c0},
             {"d_states", &d.d_states},
             {"d_w_ih", &d.d_weights.w_ih},
             {"d_w_hh", &d.d_weights.w_hh},
             {"d_b_ih", &d.d_weights.b_ih},
             {"d_b_hh", &d.d_weights.b_hh},
             {"d_w_hr", &d.d_weights.w_hr},
             {"d_peepholes", &d.d_weights.peepholes}}) {
      all.emplace_back(name + at, array);
    }
  }
  return all;
}

void expect_near(const RecurrentOperands<float>& got, const RecurrentOperands<float>& expected,
                 double tolerance) {
  const auto a = results(got), b = results(expected);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_LE(difference(*a[i].second, *b[i].second), tolerance) << a[i].first;
    EXPECT_TRUE(a[i].second->padding_untouched()) << a[i].first;
  }
}

void expect_same_bits(const RecurrentOperands<float>& got, const RecurrentOperands<float>& expected) {
  const auto a = results(got), b = results(expected);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(same_bits(*a[i].second, *b[i].second)) << a[i].first;
  }
}

/// Weights near the size at which layers begin. Larger ones make a wide plain network chaotic: what two
/// roundings differ by would grow from step to step beyond any tolerance.
void calm(RecurrentOperands<float>& operands) {
  const auto fan_in = static_cast<float>(operands.shape.input + operands.shape.hidden);
  for (auto& direction : operands.directions) {
    for (Array<float>* weights : direction.weights.all()) {
      for (float& value : weights->values) value *= 2 / std::sqrt(fan_in);
    }
  }
}

struct Comparison {
  Precision precision = Precision::kFloat32;
  double tolerance = 1e-5;
  int64_t distinct = 0;  ///< rows of x where they repeat
  bool backward = true;
};

RecurrentOperands<float> make_operands(const RecurrentCase& shape, const Comparison& comparison) {
  RecurrentOperands<float> operands(shape, 1, 3);
  calm(operands);
  operands.precision = comparison.precision;
  if (comparison.distinct > 0) operands.repeat_rows(comparison.distinct);
  return operands;
}

void compare_with_reference(const std::vector<RecurrentCase>& cases, const Comparison& comparison) {
  ReferenceBackend reference;
  for (const RecurrentCase& shape : cases) {
    SCOPED_TRACE(shape.name);
    RecurrentOperands<float> expected = make_operands(shape, comparison);
    RecurrentOperands<float> expected_forward = make_operands(shape, comparison);
    reference.recurrent_forward(expected.forward());
    reference.recurrent_forward(expected_forward.forward());
    if (comparison.backward) reference.recurrent_backward(expected.backward());
    for_each_target(1, [&](Backend& backend) {
      RecurrentOperands<float> got = make_operands(shape, comparison);
      backend.recurrent_forward(got.forward());
      expect_near(got, expected_forward, comparison.tolerance);
      if (!comparison.backward) return;
      backend.recurrent_backward(got.backward());
      expect_near(got, expected, comparison.tolerance);
    });
  }
}

constexpr Precision kPrecisions[] = {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8};

/// Cases of one step: no state was rounded yet, so nothing but sums of float32 may differ.
std::vector<RecurrentCase> one_step(std::vector<RecurrentCase> cases) {
  for (RecurrentCase& shape : cases) shape.lengths.assign(11, 1);
  return cases;
}

TEST(CpuRecurrent, EveryCellAndOptionIsNearTheReference) { compare_with_reference(recurrent_cases(), {}); }

TEST(CpuRecurrent, SizesAroundVectorsAndTilesAreNearTheReference) {
  compare_with_reference(wide_recurrent_cases(), {});
}

TEST(CpuRecurrent, RowsThatRepeatAreNearTheReference) {
  compare_with_reference(wide_recurrent_cases(), {.distinct = 13});
}

TEST(CpuRecurrent, AStepOfEachPrecisionIsNearTheReference) {
  // Gradients of gates that fall on another side of a rounding differ by 2^-9; forward nothing does.
  compare_with_reference(one_step(wide_recurrent_cases()),
                         {.precision = Precision::kBfloat16, .backward = false});
  compare_with_reference(one_step(wide_recurrent_cases()),
                         {.precision = Precision::kInt8, .backward = false});
}

TEST(CpuRecurrent, PassesOfEachPrecisionAreNearTheReference) {
  // A state near the middle of two bfloat16 (two int8) is rounded up here and down there: 2^-9 (1/254).
  compare_with_reference(wide_recurrent_cases(), {.precision = Precision::kBfloat16, .tolerance = 4e-3});
  compare_with_reference(wide_recurrent_cases(),
                         {.precision = Precision::kInt8, .tolerance = 8e-3, .backward = false});
}

TEST(CpuRecurrent, PrecisionsStayNearFloat32) {
  ReferenceBackend reference;
  for (const RecurrentCase& shape : wide_recurrent_cases()) {
    SCOPED_TRACE(shape.name);
    RecurrentOperands<float> exact = make_operands(shape, {});
    reference.recurrent_forward(exact.forward());
    reference.recurrent_backward(exact.backward());
    for_each_target(1, [&](Backend& backend) {
      RecurrentOperands<float> bfloat16 = make_operands(shape, {.precision = Precision::kBfloat16});
      backend.recurrent_forward(bfloat16.forward());
      backend.recurrent_backward(bfloat16.backward());
      EXPECT_LE(difference(bfloat16.y, exact.y), 2e-2);
      // relu: a unit near zero is on here and off there, and its whole gradient with it.
      if (!shape.kind.relu) expect_near(bfloat16, exact, 2e-2);
      RecurrentOperands<float> int8 = make_operands(shape, {.precision = Precision::kInt8});
      backend.recurrent_forward(int8.forward());
      EXPECT_LE(difference(int8.y, exact.y), 4e-2);
      EXPECT_THROW(backend.recurrent_backward(int8.backward()), ShapeError);
    });
  }
}

TEST(CpuRecurrent, StatesBeyondOneHaveTheirOwnScaleInInt8) {
  const CellKind kind{.cell = Cell::kLstm, .without = Ablation::kOutputTanh};
  const RecurrentCase shape{.name = "", .kind = kind, .input = 8, .hidden = 16, .lengths = {12}};
  const auto operands = [&](Precision precision) {
    RecurrentOperands<float> made = make_operands(shape, {.precision = precision});
    made.directions[0].weights.b_ih.fill(2);  // gates open, g near 1: c grows by nearly one a step
    made.directions[0].weights.w_hh.fill(0.02F);
    return made;
  };
  ReferenceBackend reference;
  RecurrentOperands<float> exact = operands(Precision::kFloat32);
  reference.recurrent_forward(exact.forward());
  EXPECT_GT(exact.directions[0].h_n(0, 0), 5);
  for_each_target(1, [&](Backend& backend) {
    RecurrentOperands<float> int8 = operands(Precision::kInt8);
    backend.recurrent_forward(int8.forward());
    EXPECT_LE(difference(int8.y, exact.y), 0.05);
  });
}

TEST(CpuRecurrent, WeightsPackedBeforeGiveTheSameBits) {
  for (const RecurrentCase& shape : wide_recurrent_cases()) {
    for (const Precision precision : kPrecisions) {
      SCOPED_TRACE(shape.name + " " + std::to_string(static_cast<int>(precision)));
      for_each_target(2, [&](Backend& backend) {
        const Comparison repeated{.precision = precision, .distinct = 13};
        RecurrentOperands<float> expected = make_operands(shape, repeated);
        backend.recurrent_forward(expected.forward());
        for (const bool table : {false, true}) {
          RecurrentOperands<float> got = make_operands(shape, repeated);
          RecurrentForward pass = got.forward();
          std::vector<RecurrentDirection> directions(pass.directions.begin(), pass.directions.end());
          std::vector<std::unique_ptr<PackedRecurrent>> packed;
          for (RecurrentDirection& d : directions) {
            packed.push_back(
                backend.pack_recurrent(shape.kind, d.weights, precision, table ? pass.x : ConstMatrix()));
            d.packed = packed.back().get();
          }
          pass.directions = directions;
          if (table) pass.x = {};
          backend.recurrent_forward(pass);
          expect_same_bits(got, expected);
        }
      });
    }
  }
}

TEST(CpuRecurrent, RowsOutsideXOrItsTableAreRefused) {
  const auto cpu = make_cpu_backend(1);
  const RecurrentCase shape = wide_recurrent_cases().front();
  RecurrentOperands<float> operands = make_operands(shape, {.distinct = 3});
  operands.x_rows[4] = 3;
  EXPECT_THROW(cpu->recurrent_forward(operands.forward()), ShapeError);
  EXPECT_THROW(cpu->recurrent_backward(operands.backward()), ShapeError);
  RecurrentForward pass = operands.forward();
  std::vector<RecurrentDirection> directions(pass.directions.begin(), pass.directions.end());
  const ConstMatrix x = pass.x;
  pass.x = {};
  pass.directions = directions;
  EXPECT_THROW(cpu->recurrent_forward(pass), ShapeError);  // neither x nor a table
  std::vector<std::unique_ptr<PackedRecurrent>> packed;
  for (RecurrentDirection& d : directions) {
    packed.push_back(cpu->pack_recurrent(shape.kind, d.weights, Precision::kFloat32, x));
    d.packed = packed.back().get();
  }
  EXPECT_THROW(cpu->recurrent_forward(pass), ShapeError);  // row 3 of a table of 3
}

TEST(CpuRecurrent, ThreadsChangeNoBit) {
  std::vector<RecurrentCase> cases;
  for (RecurrentCase shape : wide_recurrent_cases()) {
    if (shape.hidden != 65) continue;
    // More sequences: enough work for several shards.
    for (int i = 0; i < 40; ++i) shape.lengths.push_back(3 + i % 17);
    cases.push_back(shape);
    // Two sequences: too few to share, so threads share the units of each step.
    shape.hidden = 160;
    shape.projection = shape.projection > 0 ? 80 : 0;
    shape.lengths = {40, 37};
    shape.name += "_streams";
    cases.push_back(shape);
  }
  const auto two = make_cpu_backend(2), four = make_cpu_backend(4);
  for (const RecurrentCase& shape : cases) {
    for (const Precision precision : kPrecisions) {
      SCOPED_TRACE(shape.name + " " + std::to_string(static_cast<int>(precision)));
      const bool trains = precision != Precision::kInt8;
      for_each_target(1, [&](Backend& one) {
        RecurrentOperands<float> expected = make_operands(shape, {.precision = precision, .distinct = 40});
        one.recurrent_forward(expected.forward());
        if (trains) one.recurrent_backward(expected.backward());
        for (Backend* backend : {two.get(), four.get()}) {
          RecurrentOperands<float> got = make_operands(shape, {.precision = precision, .distinct = 40});
          backend->recurrent_forward(got.forward());
          if (trains) backend->recurrent_backward(got.backward());
          expect_same_bits(got, expected);
        }
      });
    }
  }
}

/// Sequences 0, 3, 11 and 17 (by falling length) of a batch, each again alone.
void compare_alone(Backend& backend, const RecurrentCase& shape, Precision precision) {
  RecurrentOperands<float> batch(shape, 3);
  batch.precision = precision;
  backend.recurrent_forward(batch.forward());
  for (int64_t n : {0, 3, 11, 17}) {
    const PackedRows rows = batch.packing.rows();
    int64_t length = 0;
    while (length < rows.steps() && n < rows.count(length)) ++length;
    RecurrentCase single = shape;
    single.lengths = {length};
    RecurrentOperands<float> alone(single, 3);
    alone.precision = precision;
    for (size_t d = 0; d < alone.directions.size(); ++d) {
      alone.directions[d].weights = batch.directions[d].weights;
    }
    for (int64_t t = 0; t < length; ++t) {
      std::copy_n(&batch.x(rows.row(t, n), 0), shape.input, &alone.x(t, 0));
    }
    backend.recurrent_forward(alone.forward());
    for (int64_t t = 0; t < length; ++t) {
      EXPECT_EQ(std::memcmp(&alone.y(t, 0), &batch.y(rows.row(t, n), 0), alone.y.columns * 4), 0);
    }
  }
}

TEST(CpuRecurrent, ASequenceAloneHasTheBitsThatItHasInABatch) {
  for (const RecurrentCase& wide : wide_recurrent_cases()) {
    if (wide.hidden != 65 && wide.hidden != 17) continue;
    RecurrentCase shape = wide;
    shape.initial_state = shape.state_mask = false;
    SCOPED_TRACE(shape.name);
    for_each_target(1, [&](Backend& backend) {
      for (const Precision precision : kPrecisions) compare_alone(backend, shape, precision);
    });
  }
}

TEST(CpuRecurrent, OperandsThatDisagreeAreRefused) {
  const auto cpu = make_cpu_backend(1);
  RecurrentOperands<float> operands(recurrent_cases().front(), 4);
  operands.x = Array<float>(2, 3);
  EXPECT_THROW(cpu->recurrent_forward(operands.forward()), ShapeError);
  EXPECT_THROW(cpu->recurrent_backward(operands.backward()), ShapeError);
}

}  // namespace
}  // namespace rondo
