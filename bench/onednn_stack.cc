#include "onednn_stack.h"

namespace rondo::bench {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

dnnl::rnn_direction direction_of(const Case& c) {
  return c.directions == 2 ? dnnl::rnn_direction::bidirectional_concat
                           : dnnl::rnn_direction::unidirectional_left2right;
}

}  // namespace

OnednnStack::Shapes OnednnStack::shapes(const Case& c, int64_t steps, const Types& types) const {
  const int64_t G = c.gates(), H = c.hidden;
  // lbr_gru: a fourth bias stands inside the product with the reset gate.
  const int64_t biases = c.cell == "gru" ? 4 : G;
  Shapes s;
  s.x = {{steps, c.batch, c.input}, types.x, Tag::tnc};
  // 2.6.3 takes the states for the gradient of w_hh from y where its layout allows, one step too late; where
  // an initial state is given instead, it reads what nobody wrote. By batch y is another layout, and all is
  // right.
  const bool by_batch = c.training() && c.precision == "f32" && c.cell != "gru";
  s.y = {{steps, c.batch, c.output()}, types.y, by_batch ? Tag::ntc : Tag::tnc};
  s.w_ih = {{c.layers, c.directions, c.input, G, H}, types.weights, Tag::any};
  s.w_hh = {{c.layers, c.directions, H, G, H}, types.weights, Tag::any};
  s.bias = {{c.layers, c.directions, biases, H}, Type::f32, Tag::ldgo};
  if (c.streaming()) {
    s.h = {{c.layers, c.directions, c.batch, H}, types.x, Tag::ldnc};
    s.c = {{c.layers, c.directions, c.batch, H}, Type::f32, Tag::ldnc};
  }
  return s;
}

OnednnStack::OnednnStack(const dnnl::engine& engine, const Case& c, int64_t steps, bool trains,
                         const dnnl::primitive_attr& scales)
    : engine_(engine), trains_(trains), scales_(scales) {
  const Types wide{Type::f32, Type::f32, Type::f32};
  const Types types = c.precision == "bf16"   ? Types{Type::bf16, Type::bf16, Type::bf16}
                      : c.precision == "int8" ? Types{Type::u8, Type::s8, Type::f32}
                                              : wide;
  const Shapes s = shapes(c, steps, types);
  const Shapes d = shapes(c, steps, wide);
  if (c.cell == "rnn") {
    create_rnn(c, s, d);
  } else if (c.cell == "lstm") {
    create_lstm(c, s, d);
  } else {
    create_gru(c, s, d);
  }
}

void OnednnStack::create_rnn(const Case& c, const Shapes& s, const Shapes& d) {
  using Forward = dnnl::vanilla_rnn_forward;
  using Backward = dnnl::vanilla_rnn_backward;
  const auto tanh = dnnl::algorithm::eltwise_tanh;
  const auto kind = trains_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const Forward::desc forward(kind, tanh, direction_of(c), s.x, s.h, s.w_ih, s.w_hh, s.bias, s.y, s.h);
  const Forward::primitive_desc pd(forward, scales_, engine_);
  forward_desc_ = pd;
  forward_ = Forward(pd);
  if (!c.training()) return;
  const Backward::desc backward(dnnl::prop_kind::backward, tanh, direction_of(c), s.x, s.h, s.w_ih, s.w_hh,
                                s.bias, s.y, s.h, d.x, d.h, d.w_ih, d.w_hh, d.bias, d.y, d.h);
  const Backward::primitive_desc backward_pd(backward, engine_, pd);
  backward_desc_ = backward_pd;
  backward_ = Backward(backward_pd);
}

void OnednnStack::create_lstm(const Case& c, const Shapes& s, const Shapes& d) {
  using Forward = dnnl::lstm_forward;
  using Backward = dnnl::lstm_backward;
  const auto kind = trains_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const Forward::desc forward(kind, direction_of(c), s.x, s.h, s.c, s.w_ih, s.w_hh, s.bias, s.y, s.h, s.c);
  const Forward::primitive_desc pd(forward, scales_, engine_);
  forward_desc_ = pd;
  forward_ = Forward(pd);
  if (!c.training()) return;
  const Backward::desc backward(dnnl::prop_kind::backward, direction_of(c), s.x, s.h, s.c, s.w_ih, s.w_hh,
                                s.bias, s.y, s.h, s.c, d.x, d.h, d.c, d.w_ih, d.w_hh, d.bias, d.y, d.h, d.c);
  const Backward::primitive_desc backward_pd(backward, engine_, pd);
  backward_desc_ = backward_pd;
  backward_ = Backward(backward_pd);
}

void OnednnStack::create_gru(const Case& c, const Shapes& s, const Shapes& d) {
  using Forward = dnnl::lbr_gru_forward;
  using Backward = dnnl::lbr_gru_backward;
  const auto kind = trains_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const Forward::desc forward(kind, direction_of(c), s.x, s.h, s.w_ih, s.w_hh, s.bias, s.y, s.h);
  const Forward::primitive_desc pd(forward, scales_, engine_);
  forward_desc_ = pd;
  forward_ = Forward(pd);
  if (!c.training()) return;
  const Backward::desc backward(dnnl::prop_kind::backward, direction_of(c), s.x, s.h, s.w_ih, s.w_hh, s.bias,
                                s.y, s.h, d.x, d.h, d.w_ih, d.w_hh, d.bias, d.y, d.h);
  const Backward::primitive_desc backward_pd(backward, engine_, pd);
  backward_desc_ = backward_pd;
  backward_ = Backward(backward_pd);
}

bool OnednnStack::wants(bool backward, int argument) const {
  const dnnl::primitive_desc_base& desc = backward ? backward_desc_ : forward_desc_;
  return desc.query_md(dnnl::query::exec_arg_md, argument).get_size() > 0;
}

memory OnednnStack::make_memory(bool backward, int argument) const {
  const dnnl::primitive_desc_base& desc = backward ? backward_desc_ : forward_desc_;
  return {desc.query_md(dnnl::query::exec_arg_md, argument), engine_};
}

}  // namespace rondo::bench
