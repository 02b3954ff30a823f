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

void compare_with_reference(const std::vector<RecurrentCase>& cases) {
  ReferenceBackend reference;
  for (const RecurrentCase& shape : cases) {
    SCOPED_TRACE(shape.name);
    RecurrentOperands<float> expected(shape, 1, 3);
    RecurrentOperands<float> expected_forward(shape, 1, 3);
    calm(expected);
    calm(expected_forward);
    reference.recurrent_forward(expected.forward());
    reference.recurrent_forward(expected_forward.forward());
    reference.recurrent_backward(expected.backward());
    for_each_target(1, [&](Backend& backend) {
      RecurrentOperands<float> got(shape, 1, 3);
      calm(got);
      backend.recurrent_forward(got.forward());
      expect_near(got, expected_forward, 1e-5);
      backend.recurrent_backward(got.backward());
      expect_near(got, expected, 1e-5);
    });
  }
}

TEST(CpuRecurrent, EveryCellAndOptionIsNearTheReference) { compare_with_reference(recurrent_cases()); }

TEST(CpuRecurrent, SizesAroundVectorsAndTilesAreNearTheReference) {
  compare_with_reference(wide_recurrent_cases());
}

TEST(CpuRecurrent, ThreadsChangeNoBit) {
  std::vector<RecurrentCase> cases;
  for (RecurrentCase shape : wide_recurrent_cases()) {
    if (shape.hidden != 65) continue;
    // More sequences: enough work for several shards.
    for (int i = 0; i < 40; ++i) shape.lengths.push_back(3 + i % 17);
    cases.push_back(shape);
  }
  const auto two = make_cpu_backend(2), four = make_cpu_backend(4);
  for (const RecurrentCase& shape : cases) {
    SCOPED_TRACE(shape.name);
    for_each_target(1, [&](Backend& one) {
      RecurrentOperands<float> expected(shape, 2);
      one.recurrent_forward(expected.forward());
      one.recurrent_backward(expected.backward());
      for (Backend* backend : {two.get(), four.get()}) {
        RecurrentOperands<float> got(shape, 2);
        backend->recurrent_forward(got.forward());
        backend->recurrent_backward(got.backward());
        expect_same_bits(got, expected);
      }
    });
  }
}

TEST(CpuRecurrent, ASequenceAloneHasTheBitsThatItHasInABatch) {
  for (const RecurrentCase& wide : wide_recurrent_cases()) {
    if (wide.hidden != 65 && wide.hidden != 17) continue;
    RecurrentCase shape = wide;
    shape.initial_state = shape.state_mask = false;
    SCOPED_TRACE(shape.name);
    for_each_target(1, [&](Backend& backend) {
      RecurrentOperands<float> batch(shape, 3);
      backend.recurrent_forward(batch.forward());
      for (int64_t n : {0, 3, 11, 17}) {  // sequences by falling length
        const PackedRows rows = batch.packing.rows();
        int64_t length = 0;
        while (length < rows.steps() && n < rows.count(length)) ++length;
        RecurrentCase single = shape;
        single.lengths = {length};
        RecurrentOperands<float> alone(single, 3);
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
