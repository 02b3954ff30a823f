// A recurrent stack on oneDNN's RNN primitives (2.x), with weights in the format that each primitive asks
// for.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "peer.h"

namespace rondo::bench {

/// The primitives of one case, created once. float32, or bfloat16 with float32 cell states, biases and
/// gradients.
class OnednnStack {
 public:
  /// @param steps  of one execution: 1 for a stream, whose states are then arguments of the primitive.
  /// @param trains  forward for training; with c.training() the backward primitive too.
  /// @param scales  of int8; else empty.
  OnednnStack(const dnnl::engine& engine, const Case& c, int64_t steps, bool trains,
              const dnnl::primitive_attr& scales);

  using Arguments = std::unordered_map<int, dnnl::memory>;
  dnnl::memory make_memory(bool backward, int argument) const;
  bool wants(bool backward, int argument) const;
  void forward(dnnl::stream& stream, const Arguments& arguments) { forward_.execute(stream, arguments); }
  void backward(dnnl::stream& stream, const Arguments& arguments) { backward_.execute(stream, arguments); }
  bool trains() const { return trains_; }

 private:
  struct Shapes {
    dnnl::memory::desc x, h, c, w_ih, w_hh, bias, y;
  };
  struct Types {
    dnnl::memory::data_type x, weights, y;
  };
  Shapes shapes(const Case& c, int64_t steps, const Types& types) const;
  void create_rnn(const Case& c, const Shapes& s, const Shapes& d);
  void create_lstm(const Case& c, const Shapes& s, const Shapes& d);
  void create_gru(const Case& c, const Shapes& s, const Shapes& d);

  dnnl::engine engine_;
  bool trains_;
  dnnl::primitive_attr scales_;
  dnnl::primitive_desc_base forward_desc_, backward_desc_;
  dnnl::primitive forward_, backward_;
};

}  // namespace rondo::bench
