// Rondo's Grid LSTM as a peer of bench/grid/run, by the line protocol of peer.h. Of a case it reads hidden,
// input, batch, steps, layers, threads, mode, precision, and variant "tied". Inputs: projection W [2H, D] and
// b; of each layer, or of all, depth's W [4H, 2H] and b and time's; x [T, B, D]; d_y [T, B, 2H]. Outputs: y,
// and training the gradients as the weights lie.
#include <memory>
#include <stdexcept>

#include "kernels/cpu/cpu_backend.h"
#include "layers/grid.h"
#include "peer.h"
#include "precision.h"
#include "rondo_peak.h"

namespace rondo::bench {
namespace {

class GridPeer : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override {
    case_ = c;
    const std::vector<float> values = read_floats(inputs);
    backend_ = make_cpu_backend(c.threads);
    set_ = std::make_unique<ParameterSet>();
    stack_ = std::make_unique<RecurrentStack>(
        *set_, c.input,
        RecurrentOptions{.cell = Cell::kGrid,
                         .hidden = c.hidden,
                         .layers = c.layers,
                         .grid = {.tied_layers = c.variant == "tied" && c.layers > 1},
                         .precision = precision_of(c.precision)});
    const float* at = values.data();
    const float* const end = at + values.size();
    const auto fill = [&](const Tensor& tensor) {
      if (end - at < tensor.size()) throw std::runtime_error(inputs + ": too short");
      std::copy_n(at, tensor.size(), tensor.data<float>());
      at += tensor.size();
    };
    for (Parameter& parameter : set_->all()) fill(parameter.value);
    packing_ = Packing(std::vector<int64_t>(static_cast<size_t>(c.batch), c.steps));
    x_ = Tensor({packing_.num_rows(), c.input});
    d_y_ = Tensor({packing_.num_rows(), 2 * c.hidden});
    fill(x_);
    fill(d_y_);
    if (at != end) throw std::runtime_error(inputs + ": too long");
  }

  void run() override {
    Tape tape(*backend_, {.recording = case_.training()});
    const Variable y = stack_->forward(tape, tape.input(x_), packing_).y;
    y_ = y.value();
    if (!case_.training()) return;
    set_->clear_gradients();
    tape.backward(product_with(tape, y));
  }

  std::vector<float> outputs() override {
    std::vector<float> all(y_.values<float>().begin(), y_.values<float>().end());
    if (!case_.training()) return all;
    for (const Parameter& parameter : set_->all()) {
      const std::span<float> gradient = parameter.gradient.values<float>();
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    return all;
  }
  double peak(const std::string& precision) override { return measured_peak(precision_of(precision)); }
  nlohmann::json versions() const override { return {{"backend", make_cpu_backend(1)->name()}}; }

 private:
  /// A loss whose gradient of y is d_y; its own value is of no use to anyone.
  Variable product_with(Tape& tape, const Variable& y) const {
    return tape.make_result(Tensor::zeros({1}), {y},
                            [this](const Gradients& g) { backend_->copy(d_y_.matrix(), g.input(0), true); });
  }

  Case case_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ParameterSet> set_;
  std::unique_ptr<RecurrentStack> stack_;
  Packing packing_;
  Tensor x_, d_y_, y_;
};

}  // namespace
}  // namespace rondo::bench

int main() {
  rondo::bench::GridPeer peer;
  return rondo::bench::serve(peer);
}
