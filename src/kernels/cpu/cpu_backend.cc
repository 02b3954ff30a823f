#include "kernels/cpu/cpu_backend.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/errors.h"
#include "base/processor.h"
#include "kernels/cpu/crf.h"
#include "kernels/cpu/dropout.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/losses.h"
#include "kernels/cpu/optimizer.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/query_attention.h"
#include "kernels/cpu/recurrent_passes.h"
#include "kernels/cpu/sequences.h"
#include "kernels/cpu/targets.h"
#include "kernels/reference/checks.h"
#include "kernels/reference/crf.h"
#include "kernels/reference/query_attention.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {

namespace {

using reference::Checks;

bool fast(const ConstMatrix& m) { return m.type == DType::kFloat32; }

/// Rows of the tables that stand for x.
void check_tables(const RecurrentForward& pass) {
  const Checks checks("recurrent_forward", DType::kFloat32);
  for (const RecurrentDirection& d : pass.directions) {
    checks.ids("x_rows", pass.x_rows, pass.rows.rows(), packed_table_rows(d));
  }
}

/// Float32 goes to the vector code, every other type to the reference.
class CpuBackend final : public ReferenceBackend {
 public:
  explicit CpuBackend(int num_threads) : ReferenceBackend(num_threads) {}

  std::string name() const override { return "cpu " + cpu_target(); }

  void product(const Product& p) override {
    if (!fast(p.a)) return ReferenceBackend::product(p);
    reference::check_product(p);
    const DenormalsAreZero guard;
    cpu_product(threads(), p);
  }

  std::unique_ptr<PackedRecurrent> pack_recurrent(const CellKind& kind, const RecurrentWeights& weights,
                                                  Precision precision, ConstMatrix embedding,
                                                  bool streams) override {
    ReferenceBackend::pack_recurrent(kind, weights, precision, embedding, streams);  // checks the operands
    if (!fast(weights.w_hh)) return nullptr;
    const DenormalsAreZero guard;
    return cpu_pack_recurrent(threads(), kind, weights, precision, embedding, streams);
  }
  void recurrent_forward(const RecurrentForward& pass) override {
    reference::check_recurrent(pass);
    if (!fast(pass.x)) return ReferenceBackend::recurrent_forward(pass);
    if (!pass.x && !pass.x_rows.empty()) check_tables(pass);
    const DenormalsAreZero guard;
    cpu_recurrent_forward(threads(), pass);
  }
  void recurrent_backward(const RecurrentBackward& pass) override {
    reference::check_recurrent(pass);
    if (!fast(pass.x)) return ReferenceBackend::recurrent_backward(pass);
    const DenormalsAreZero guard;
    cpu_recurrent_backward(threads(), pass);
  }

  void gather_rows(ConstMatrix table, std::span<const int32_t> ids, Matrix y) override {
    if (!fast(table)) return ReferenceBackend::gather_rows(table, ids, y);
    const Checks checks("gather_rows", table.type);
    checks.shape("table", table, table.rows, table.columns);
    checks.ids("ids", ids, y.rows, table.rows);
    checks.shape("y", y, y.rows, table.columns);
    cpu_gather_rows(threads(), table, ids, y);
  }
  void scatter_add_rows(ConstMatrix d_y, std::span<const int32_t> ids, Matrix d_table) override {
    if (!fast(d_y)) return ReferenceBackend::scatter_add_rows(d_y, ids, d_table);
    const Checks checks("scatter_add_rows", d_y.type);
    checks.shape("d_y", d_y, d_y.rows, d_y.columns);
    checks.ids("ids", ids, d_y.rows, d_table.rows);
    checks.shape("d_table", d_table, d_table.rows, d_y.columns);
    const DenormalsAreZero guard;
    cpu_scatter_add_rows(threads(), d_y, ids, d_table);
  }

  void copy(ConstMatrix x, Matrix y, bool accumulate) override {
    if (!fast(x)) return ReferenceBackend::copy(x, y, accumulate);
    Checks("copy", x.type).shape("y", y, x.rows, x.columns);
    const DenormalsAreZero guard;
    cpu_copy(threads(), x, y, accumulate);
  }
  void multiply(ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate) override {
    if (!fast(a)) return ReferenceBackend::multiply(a, b, y, accumulate);
    const Checks checks("multiply", a.type);
    checks.shape("b", b, b.rows == 1 ? 1 : a.rows, a.columns);
    checks.shape("y", y, a.rows, a.columns);
    const DenormalsAreZero guard;
    cpu_multiply(threads(), a, b, y, accumulate);
  }
  void scale(Matrix y, double factor) override {
    if (!fast(y)) return ReferenceBackend::scale(y, factor);
    Checks("scale", y.type).shape("y", y, y.rows, y.columns);
    const DenormalsAreZero guard;
    cpu_scale(threads(), y, static_cast<float>(factor));
  }
  void fill(Matrix y, double value) override {
    if (!fast(y)) return ReferenceBackend::fill(y, value);
    Checks("fill", y.type).shape("y", y, y.rows, y.columns);
    cpu_fill(threads(), y, static_cast<float>(value));
  }
  void add_column_sums(ConstMatrix x, Matrix y) override {
    if (!fast(x)) return ReferenceBackend::add_column_sums(x, y);
    const Checks checks("add_column_sums", x.type);
    checks.shape("x", x, x.rows, x.columns);
    checks.shape("y", y, 1, x.columns);
    const DenormalsAreZero guard;
    cpu_add_column_sums(threads(), x, y);
  }
  double sum_of_squares(ConstMatrix x) override {
    if (!fast(x)) return ReferenceBackend::sum_of_squares(x);
    Checks("sum_of_squares", x.type).shape("x", x, x.rows, x.columns);
    const DenormalsAreZero guard;
    return cpu_sum_of_squares(threads(), x);
  }

  void activate(Activation kind, ConstMatrix x, Matrix y) override {
    if (!fast(x)) return ReferenceBackend::activate(kind, x, y);
    Checks("activate", x.type).shape("y", y, x.rows, x.columns);
    const DenormalsAreZero guard;
    cpu_activate(threads(), kind, x, y);
  }
  void activate_backward(Activation kind, ConstMatrix y, ConstMatrix d_y, Matrix d_x) override {
    if (!fast(y)) return ReferenceBackend::activate_backward(kind, y, d_y, d_x);
    const Checks checks("activate_backward", y.type);
    checks.shape("d_y", d_y, y.rows, y.columns);
    checks.shape("d_x", d_x, y.rows, y.columns);
    const DenormalsAreZero guard;
    cpu_activate_backward(threads(), kind, y, d_y, d_x);
  }

  void dropout_mask(const Stream& stream, double probability, Matrix mask) override {
    if (!fast(mask)) return ReferenceBackend::dropout_mask(stream, probability, mask);
    if (!(probability >= 0 && probability <= 1)) {
      throw_error<ConfigError>("dropout_mask: probability must be 0 to 1, got {}", probability);
    }
    Checks("dropout_mask", mask.type).shape("mask", mask, mask.rows, mask.columns);
    cpu_dropout_mask(threads(), stream, probability, mask);
  }

  void pool(Pool kind, const PackedRows& rows, ConstMatrix x, Matrix y, Matrix chosen) override {
    if (!fast(x)) return ReferenceBackend::pool(kind, rows, x, y, chosen);
    const Checks checks("pool", x.type);
    checks.packed(rows);
    checks.shape("x", x, rows.rows(), x.columns);
    checks.shape("y", y, rows.sequences, x.columns);
    const DenormalsAreZero guard;
    if (kind == Pool::kMean) return cpu_pool_mean(rows, x, y);
    checks.shape("chosen", chosen, rows.sequences, x.columns, DType::kInt32);
    cpu_pool_max(rows, x, y, chosen);
  }
  void pool_backward(Pool kind, const PackedRows& rows, ConstMatrix d_y, ConstMatrix chosen,
                     Matrix d_x) override {
    if (!fast(d_y)) return ReferenceBackend::pool_backward(kind, rows, d_y, chosen, d_x);
    const Checks checks("pool_backward", d_y.type);
    checks.packed(rows);
    checks.shape("d_y", d_y, rows.sequences, d_y.columns);
    checks.shape("d_x", d_x, rows.rows(), d_y.columns);
    const DenormalsAreZero guard;
    if (kind == Pool::kMean) return cpu_pool_mean_backward(rows, d_y, d_x);
    checks.shape("chosen", chosen, rows.sequences, d_y.columns, DType::kInt32);
    cpu_pool_max_backward(d_y, chosen, d_x);
  }

  void attend(const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights, Matrix y) override {
    if (!fast(x)) return ReferenceBackend::attend(rows, scores, x, weights, y);
    reference::check_attend(rows, scores, x, weights, y);
    const DenormalsAreZero guard;
    cpu_attend(threads(), rows, scores, x, weights, y);
  }
  void attend_backward(const PackedRows& rows, ConstMatrix weights, ConstMatrix x, ConstMatrix d_y,
                       Matrix d_scores, Matrix d_x) override {
    if (!fast(x)) return ReferenceBackend::attend_backward(rows, weights, x, d_y, d_scores, d_x);
    reference::check_attend_backward(rows, weights, x, d_y, d_scores, d_x);
    const DenormalsAreZero guard;
    cpu_attend_backward(threads(), rows, weights, x, d_y, d_scores, d_x);
  }

  void softmax_cross_entropy(ConstMatrix logits, std::span<const int32_t> targets, Matrix probabilities,
                             Matrix losses) override {
    if (!fast(logits)) return ReferenceBackend::softmax_cross_entropy(logits, targets, probabilities, losses);
    reference::check_softmax(logits, targets, probabilities, losses);
    if (logits.columns == 0) return;
    const DenormalsAreZero guard;
    cpu_softmax_cross_entropy(threads(), logits, targets, probabilities, losses);
  }
  void softmax_cross_entropy_backward(ConstMatrix probabilities, std::span<const int32_t> targets,
                                      ConstMatrix d_losses, Matrix d_logits) override {
    if (!fast(probabilities)) {
      return ReferenceBackend::softmax_cross_entropy_backward(probabilities, targets, d_losses, d_logits);
    }
    reference::check_softmax_backward(probabilities, targets, d_losses, d_logits);
    const DenormalsAreZero guard;
    cpu_softmax_cross_entropy_backward(threads(), probabilities, targets, d_losses, d_logits);
  }

  void attention_forward(const AttentionForward& pass) override {
    if (!fast(pass.in.keys)) return ReferenceBackend::attention_forward(pass);
    reference::check_attention(pass);
    const DenormalsAreZero guard;
    cpu_attention_forward(threads(), pass);
  }
  void attention_backward(const AttentionBackward& pass) override {
    if (!fast(pass.in.keys)) return ReferenceBackend::attention_backward(pass);
    reference::check_attention(pass);
    const DenormalsAreZero guard;
    cpu_attention_backward(threads(), pass);
  }

  void crf_forward(const CrfForward& pass) override {
    if (!fast(pass.scores)) return ReferenceBackend::crf_forward(pass);
    reference::check_crf(pass);
    const DenormalsAreZero guard;
    cpu_crf_forward(threads(), pass);
  }
  void crf_backward(const CrfBackward& pass) override {
    if (!fast(pass.scores)) return ReferenceBackend::crf_backward(pass);
    reference::check_crf(pass);
    const DenormalsAreZero guard;
    cpu_crf_backward(threads(), pass);
  }
  void crf_decode(const CrfDecode& pass) override {
    reference::check_crf(pass);
    cpu_crf_decode(threads(), pass);
  }

  void optimize(const OptimizerStep& step) override {
    if (!fast(step.parameter)) return ReferenceBackend::optimize(step);
    const DenormalsAreZero guard;
    cpu_optimize(threads(), step);
  }
  void catch_up(const OptimizerCatchUp& missed) override {
    if (!fast(missed.table.parameter)) return ReferenceBackend::catch_up(missed);
    const DenormalsAreZero guard;
    cpu_catch_up(threads(), missed);
  }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads) {
  static const bool forced = [] {
    const char* target = std::getenv("RONDO_TARGET");
    if (target != nullptr) force_cpu_target(target);
    return true;
  }();
  static_cast<void>(forced);
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace rondo
