#include "layers/equations.h"

namespace rondo {

namespace {

std::string rnn(const RecurrentOptions& options) {
  return fmt::format("  h' = {}(W x + b_ih + U h + b_hh)\n", name_of(options.nonlinearity));
}

std::string gru(const RecurrentOptions& options) {
  std::string text =
      "  r = s(W_r x + b_ir + U_r h + b_hr)\n"
      "  z = s(W_z x + b_iz + U_z h + b_hz)\n";
  text += options.reset == Reset::kAfter ? "  n = tanh(W_n x + b_in + r*(U_n h + b_hn))\n"
                                         : "  n = tanh(W_n x + b_in + U_n (r*h) + b_hn)\n";
  return text + "  h' = (1 - z)*n + z*h\n";
}

std::string lstm(const RecurrentOptions& options) {
  const auto gate = [&](char name, const char* cell) {
    const std::string peephole = options.peepholes ? fmt::format(" + p_{}*{}", name, cell) : "";
    return fmt::format("  {0} = s(W_{0} x + b_i{0} + U_{0} h + b_h{0}{1})\n", name, peephole);
  };
  std::string text = options.coupled ? "" : gate('i', "c");
  text += gate('f', "c");
  if (options.coupled) text += "  i = 1 - f\n";
  text += "  g = tanh(W_g x + b_ig + U_g h + b_hg)\n  c' = f*c + i*g\n";
  text += gate('o', "c'");
  return text + (options.projection > 0 ? "  h' = W_hr (o*tanh(c'))\n" : "  h' = o*tanh(c')\n");
}

}  // namespace

std::string equations(const RecurrentOptions& options) {
  switch (options.cell) {
    case Cell::kRnn:
      return rnn(options);
    case Cell::kGru:
      return gru(options);
    case Cell::kLstm:
      return lstm(options);
  }
  return "";
}

}  // namespace rondo
