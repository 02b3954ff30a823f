#include "layers/equations.h"

namespace rondo {

std::string lstm_cell(const CellKind& kind) {
  const LstmBlocks at = kind.lstm();
  return fmt::format("{}c + {}g", at.f >= 0 ? "f*" : "", at.i >= 0 || kind.coupled ? "i*" : "");
}

std::string lstm_output(const CellKind& kind) {
  const char* squashed = kind.without == Ablation::kOutputTanh ? "c'" : "tanh(c')";
  return (kind.lstm().o >= 0 ? "o*" : "") + std::string(squashed);
}

namespace {

std::string rnn(const RecurrentOptions& options) {
  return fmt::format("  h' = {}(W x + b_ih + U h + b_hh)\n", name_of(options.nonlinearity));
}

std::string gru(const RecurrentOptions& options) {
  const std::string z = "  z = s(W_z x + b_iz + U_z h + b_hz)\n";
  std::string text = options.coupled ? z + "  r = 1 - z\n" : "  r = s(W_r x + b_ir + U_r h + b_hr)\n" + z;
  text += options.reset == Reset::kAfter ? "  n = tanh(W_n x + b_in + r*(U_n h + b_hn))\n"
                                         : "  n = tanh(W_n x + b_in + U_n (r*h) + b_hn)\n";
  return text + "  h' = (1 - z)*n + z*h\n";
}

std::string lstm(const RecurrentOptions& options) {
  const auto gate = [&](char name, const char* cell) {
    const std::string peephole = options.peepholes ? fmt::format(" + p_{}*{}", name, cell) : "";
    return fmt::format("  {0} = s(W_{0} x + b_i{0} + U_{0} h + b_h{0}{1})\n", name, peephole);
  };
  const LstmBlocks at = options.kind().lstm();
  std::string text = at.i >= 0 ? gate('i', "c") : "";
  if (at.f >= 0) text += gate('f', "c");
  if (options.coupled) text += "  i = 1 - f\n";
  const std::string g = "W_g x + b_ig + U_g h + b_hg";
  text += options.without == Ablation::kInputTanh ? "  g = " + g + "\n" : "  g = tanh(" + g + ")\n";
  text += fmt::format("  c' = {}\n", lstm_cell(options.kind()));
  if (at.o >= 0) text += gate('o', "c'");
  const std::string output = lstm_output(options.kind());
  return text + "  h' = " + (options.projection > 0 ? "W_hr (" + output + ")" : output) + "\n";
}

std::string along(const char* name, const char* below, Along kind, OutputGate gate) {
  const auto sum = [&](const char* block) {
    return fmt::format("W_{0}{1} H{2} + b_{0}{1}", name, block, below);
  };
  if (kind == Along::kIdentity) return fmt::format("  h_{}' = {}\n", name, sum(""));
  if (kind != Along::kLstm) return fmt::format("  h_{}' = {}({})\n", name, name_of(kind), sum(""));
  std::string text;
  for (const char* block : {"i", "f", "o"}) text += fmt::format("  {} = s({})\n", block, sum(block));
  return text + fmt::format("  g = tanh({0})\n  m_{1}' = f*m_{1} + i*g\n  h_{1}' = {2}m_{1}')\n", sum("g"),
                            name, gate == OutputGate::kInside ? "tanh(o*" : "o*tanh(");
}

// Where the input enters and what is read above the last layer.
std::string grid_ends(const GridOptions& g) {
  const bool cells = g.along_depth == Along::kLstm;
  return fmt::format("  below the first layer {0} = W x + b; what is read of the last one is {0}\n",
                     cells ? "[h_d; m_d]" : "h_d");
}

// The dimensions of a block in the order of their computation.
std::string grid(const RecurrentOptions& options) {
  const GridOptions& g = options.grid;
  const std::string depth = along("d", g.priority == Priority::kDepth && g.dimensions() > 1 ? "'" : "",
                                  g.along_depth, g.output_gate);
  const std::string shared = (g.tied_layers ? "  all layers share these W and b\n" : "") + grid_ends(g);
  if (g.dimensions() == 1) return "  H = h_d (d depth)\n" + depth + shared;
  const std::string time = along("t", g.priority == Priority::kTime ? "'" : "", g.along_time, g.output_gate);
  std::string text = "  H = [h_d; h_t] (d depth, t time)\n";
  if (g.priority == Priority::kTime) return text + depth + "  H' = [h_d'; h_t]\n" + time + shared;
  text += time;
  if (g.priority == Priority::kDepth) text += "  H' = [h_d; h_t']\n";
  return text + depth + shared;
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
    case Cell::kGrid:
      return grid(options);
  }
  return "";
}

}  // namespace rondo
