// oneDNN as a peer of the benchmark: see peer.h. Padded batches only; one thread or more by OMP_NUM_THREADS.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "onednn_stack.h"

namespace rondo::bench {
namespace {

using dnnl::memory;
using nlohmann::json;

/// oneDNN orders a gru's gates update, reset, candidate; PyTorch reset, update, candidate.
int64_t theirs(const Case& c, int64_t gate) { return c.cell == "gru" && gate < 2 ? 1 - gate : gate; }

void clear(const memory& values) { std::memset(values.get_data_handle(), 0, values.get_desc().get_size()); }

class OnednnPeer : public Peer {
 public:
  void prepare(const Case& c, const std::string& inputs) override;
  void run() override;
  std::vector<float> outputs() override;
  json versions() const override {
    const dnnl_version_t* v = dnnl_version();
    return {{"onednn",
             std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch)}};
  }

 private:
  enum Way { kToTheirs, kToOurs };
  struct Packed {
    memory plain, wanted;
  };

  void build(bool trains);
  double seconds_of_a_run();
  void fill_plain_weights();
  void exchange_weights(const Weights& w, int64_t place, Way way, memory& w_ih, memory& w_hh, memory& bias);
  void pack(bool backward);
  void copy(memory from, memory to, const dnnl::primitive_attr& scales = {});
  void pack_weights(const memory& from, memory to);
  void choose_scales();
  void add_states();
  void add_gradients();
  void step(int64_t t);
  memory plain(int64_t rows);
  void append(memory from, std::vector<float>& out);

  Case case_;
  Inputs inputs_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::unique_ptr<OnednnStack> stack_;
  memory w_ih_, w_hh_, bias_;
  dnnl::primitive_attr scales_;
  OnednnStack::Arguments forward_, backward_;
  std::vector<float> streamed_;
};

void OnednnPeer::prepare(const Case& c, const std::string& inputs) {
  const bool ragged = std::any_of(c.lengths.begin(), c.lengths.end(), [&](int64_t n) { return n < c.steps; });
  if (ragged && c.variant != "padded") throw std::runtime_error("padded batches only");
  if (c.kind != "layer") throw std::runtime_error("no " + c.kind);
  if (c.streaming() && c.precision != "f32") throw std::runtime_error("streams in f32 only here");
  if (c.layers > 1 && c.input_of(1) != c.input) throw std::runtime_error("layers of one input size only");
  case_ = c;
  inputs_ = read_inputs(c, inputs);
  fill_plain_weights();
  choose_scales();
  build(c.training());
  if (c.training() || c.precision == "int8") return;
  // At B = 1 its path for training is often the faster one: take the better.
  const double inference = seconds_of_a_run();
  build(true);
  if (seconds_of_a_run() > inference) build(false);
}

double OnednnPeer::seconds_of_a_run() {
  double best = 1e30;
  for (int i = 0; i < 4; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

memory OnednnPeer::plain(int64_t rows) {
  const memory::dims dims{case_.layers, case_.directions, rows, case_.gates(), case_.hidden};
  return {{dims, memory::data_type::f32, memory::format_tag::ldgoi}, engine_};
}

void OnednnPeer::fill_plain_weights() {
  const int64_t biases = case_.cell == "gru" ? 4 : case_.gates();
  w_ih_ = plain(case_.input);
  w_hh_ = plain(case_.hidden);
  bias_ = {{{case_.layers, case_.directions, biases, case_.hidden},
            memory::data_type::f32,
            memory::format_tag::ldgo},
           engine_};
  for (size_t i = 0; i < inputs_.weights.size(); ++i) {
    exchange_weights(inputs_.weights[i], static_cast<int64_t>(i), kToTheirs, w_ih_, w_hh_, bias_);
  }
}

// Between PyTorch's parameters and the plain form of oneDNN's: its order of gates, and one bias, the sum of
// ours.
void OnednnPeer::exchange_weights(const Weights& w, int64_t place, Way way, memory& w_ih, memory& w_hh,
                                  memory& bias) {
  const int64_t H = case_.hidden, I = case_.input, G = case_.gates();
  const int64_t biases = case_.cell == "gru" ? 4 : G;
  auto* ih = static_cast<float*>(w_ih.get_data_handle()) + place * G * H * I;
  auto* hh = static_cast<float*>(w_hh.get_data_handle()) + place * G * H * H;
  auto* b = static_cast<float*>(bias.get_data_handle()) + place * biases * H;
  const auto move = [way](float* ours, float* other, int64_t count) {
    if (way == kToTheirs) {
      std::copy_n(ours, count, other);
    } else {
      std::copy_n(other, count, ours);
    }
  };
  for (int64_t g = 0; g < G; ++g) {
    const int64_t to = theirs(case_, g);
    move(w.w_ih + g * H * I, ih + to * H * I, H * I);
    move(w.w_hh + g * H * H, hh + to * H * H, H * H);
    const bool separate = case_.cell == "gru" && g == 2;
    if (way == kToOurs || separate) {
      move(w.b_ih + g * H, b + to * H, H);
      move(w.b_hh + g * H, b + (separate ? 3 : to) * H, H);
    } else {
      for (int64_t j = 0; j < H; ++j) b[to * H + j] = w.b_ih[g * H + j] + w.b_hh[g * H + j];
    }
  }
}

void OnednnPeer::copy(memory from, memory to, const dnnl::primitive_attr& scales) {
  dnnl::reorder(from, to, scales).execute(stream_, from, to);
  stream_.wait();
}

// int8's reorder takes weights by rows of inputs.
void OnednnPeer::pack_weights(const memory& from, memory to) {
  if (case_.precision != "int8") return copy(from, to);
  memory turned({from.get_desc().dims(), memory::data_type::f32, memory::format_tag::ldigo}, engine_);
  copy(from, turned);
  copy(turned, to, scales_);
}

// int8: x and h between -1 and 1 become 1 to 255; each row of the weights has a scale, one for W and U
// together.
void OnednnPeer::choose_scales() {
  scales_ = {};
  if (case_.precision != "int8") return;
  const int64_t rows = case_.gates() * case_.hidden;
  std::vector<float> scales(rows);
  const auto largest = [](const memory& w, int64_t row, int64_t columns) {
    const float* begin = static_cast<float*>(w.get_data_handle()) + row * columns;
    const auto smaller = [](float a, float b) { return std::abs(a) < std::abs(b); };
    return std::abs(*std::max_element(begin, begin + columns, smaller));
  };
  for (int64_t row = 0; row < rows; ++row) {
    scales[row] = 127 / std::max(largest(w_ih_, row, case_.input), largest(w_hh_, row, case_.hidden));
  }
  scales_.set_rnn_data_qparams(127, 128);
  scales_.set_rnn_weights_qparams((1 << 3) + (1 << 4), scales);
}

void OnednnPeer::build(bool trains) {
  const int64_t steps = case_.streaming() ? 1 : case_.steps;
  stack_ = std::make_unique<OnednnStack>(engine_, case_, steps, trains, scales_);
  forward_.clear();
  backward_.clear();
  for (const int argument : {DNNL_ARG_SRC_LAYER, DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS,
                             DNNL_ARG_DST_LAYER, DNNL_ARG_WORKSPACE}) {
    if (!stack_->wants(false, argument)) continue;
    forward_[argument] = stack_->make_memory(false, argument);
    clear(forward_[argument]);
  }
  memory x({{steps, case_.batch, case_.input}, memory::data_type::f32, memory::format_tag::tnc}, engine_,
           inputs_.x);
  copy(x, forward_[DNNL_ARG_SRC_LAYER], scales_);
  copy(bias_, forward_[DNNL_ARG_BIAS]);
  pack(false);
  add_states();
  if (case_.training()) add_gradients();
}

void OnednnPeer::add_states() {
  streamed_.assign(case_.steps * case_.batch * case_.hidden, 0);
  for (const int argument :
       {DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER, DNNL_ARG_DST_ITER_C}) {
    if (stack_->wants(false, argument)) forward_[argument] = stack_->make_memory(false, argument);
  }
}

void OnednnPeer::add_gradients() {
  backward_ = forward_;
  for (const int argument :
       {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_DIFF_SRC_LAYER, DNNL_ARG_DIFF_WEIGHTS_LAYER,
        DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST_LAYER, DNNL_ARG_DIFF_SRC_ITER,
        DNNL_ARG_DIFF_SRC_ITER_C, DNNL_ARG_DIFF_DST_ITER, DNNL_ARG_DIFF_DST_ITER_C}) {
    if (!stack_->wants(true, argument)) continue;
    backward_[argument] = stack_->make_memory(true, argument);
    clear(backward_[argument]);
  }
  memory d_y({{case_.steps, case_.batch, case_.output()}, memory::data_type::f32, memory::format_tag::tnc},
             engine_, inputs_.d_y);
  copy(d_y, backward_[DNNL_ARG_DIFF_DST_LAYER]);
}

void OnednnPeer::pack(bool backward) {
  OnednnStack::Arguments& arguments = backward ? backward_ : forward_;
  pack_weights(w_ih_, arguments[DNNL_ARG_WEIGHTS_LAYER]);
  pack_weights(w_hh_, arguments[DNNL_ARG_WEIGHTS_ITER]);
}

void OnednnPeer::run() {
  if (case_.streaming()) {
    for (int64_t t = 0; t < case_.steps; ++t) step(t);
    return;
  }
  // Training packs anew: the optimiser has changed the weights.
  if (case_.training()) pack(false);
  stack_->forward(stream_, forward_);
  if (case_.training()) {
    pack(true);
    // It adds to the gradients of the weights.
    for (const int argument : {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {
      clear(backward_[argument]);
    }
    stack_->backward(stream_, backward_);
  }
  stream_.wait();
}

// float32 alone comes here with its own numbers; the vectors of a stream are the caller's.
void OnednnPeer::step(int64_t t) {
  if (t == 0) {
    for (const int argument : {DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C}) {
      if (forward_.count(argument)) clear(forward_[argument]);
    }
  }
  const int64_t wide = case_.batch * case_.hidden;
  std::memcpy(forward_[DNNL_ARG_SRC_LAYER].get_data_handle(), inputs_.x + t * case_.batch * case_.input,
              case_.batch * case_.input * sizeof(float));
  stack_->forward(stream_, forward_);
  stream_.wait();
  std::memcpy(streamed_.data() + t * wide, forward_[DNNL_ARG_DST_LAYER].get_data_handle(),
              wide * sizeof(float));
  std::swap(forward_[DNNL_ARG_SRC_ITER], forward_[DNNL_ARG_DST_ITER]);
  if (case_.cell == "lstm") std::swap(forward_[DNNL_ARG_SRC_ITER_C], forward_[DNNL_ARG_DST_ITER_C]);
}

void OnednnPeer::append(memory from, std::vector<float>& out) {
  const memory::dims dims = from.get_desc().dims();
  const size_t begin = out.size();
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  out.resize(begin + count);
  memory to({dims, memory::data_type::f32, memory::format_tag::tnc}, engine_, out.data() + begin);
  copy(from, to);
}

std::vector<float> OnednnPeer::outputs() {
  if (case_.streaming()) return streamed_;
  std::vector<float> out;
  append(forward_[DNNL_ARG_DST_LAYER], out);
  if (!case_.training()) return out;
  append(backward_[DNNL_ARG_DIFF_SRC_LAYER], out);
  memory d_w_ih = plain(case_.input), d_w_hh = plain(case_.hidden);
  memory d_bias(bias_.get_desc(), engine_);
  copy(backward_[DNNL_ARG_DIFF_WEIGHTS_LAYER], d_w_ih);
  copy(backward_[DNNL_ARG_DIFF_WEIGHTS_ITER], d_w_hh);
  copy(backward_[DNNL_ARG_DIFF_BIAS], d_bias);
  std::vector<float> gradients(inputs_.x - inputs_.values.data());
  const std::vector<Weights> laid_out = lay_out_weights(case_, gradients.data());
  for (size_t i = 0; i < laid_out.size(); ++i) {
    exchange_weights(laid_out[i], static_cast<int64_t>(i), kToOurs, d_w_ih, d_w_hh, d_bias);
  }
  out.insert(out.end(), gradients.begin(), gradients.end());
  return out;
}

}  // namespace
}  // namespace rondo::bench

int main() {
  rondo::bench::OnednnPeer peer;
  return rondo::bench::serve(peer);
}
