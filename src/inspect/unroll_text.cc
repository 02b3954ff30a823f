// Unrolled steps as a page to read, and as JSON.
#include <algorithm>
#include <cmath>

#include "inference/text_generator.h"
#include "inspect/unroll.h"
#include "layers/equations.h"

namespace rondo {

namespace {

std::string number(double value) { return fmt::format("{:.6f}", value); }

// " + 0.210000", " - 0.030000": a sum is read from left to right.
std::string added(double value, bool first) {
  if (first) return number(value);
  return fmt::format(" {} {}", std::signbit(value) ? '-' : '+', number(std::abs(value)));
}

std::string call(const std::string& activation, const std::string& inside) {
  return activation.empty() ? inside : fmt::format("{}({})", activation, inside);
}

// As the second factor of a product.
std::string factor(double value) {
  return std::signbit(value) ? fmt::format("({})", number(value)) : number(value);
}

// W x + b_in + r*(U h + b_hn), in symbols or with numbers.
std::string reset_sum(const UnrolledGate& gate, bool numbers) {
  if (!numbers) return "W x + b_in + r*(U h + b_hn)";
  const auto& t = gate.terms;
  return fmt::format("{}{} + {}*({}{})", number(t[0].second), added(t[1].second, false), number(t[2].second),
                     number(t[3].second), added(t[4].second, false));
}

std::string sum_of(const UnrolledGate& gate, bool numbers) {
  if (gate.terms.size() == 5) return reset_sum(gate, numbers);
  std::string text;
  for (const auto& [name, value] : gate.terms) {
    if (numbers) {
      text += added(value, text.empty());
    } else {
      text += (text.empty() ? "" : " + ") + name;
    }
  }
  return text;
}

std::string line_of(const UnrolledGate& gate, const CellKind& kind) {
  const std::string name = kind.cell == Cell::kRnn ? "h'" : gate.name;
  if (gate.terms.empty()) {
    const char* other = kind.cell == Cell::kGru ? "z" : "f";
    return fmt::format("  {:<2} = 1 - {} = {}\n", name, other, number(gate.value));
  }
  const std::string sum = gate.activation.empty() ? "" : call(gate.activation, number(gate.sum)) + " = ";
  return fmt::format("  {:<2} = {}\n     = {} = {}{}\n", name, call(gate.activation, sum_of(gate, false)),
                     call(gate.activation, sum_of(gate, true)), sum, number(gate.value));
}

double value_of(const UnrolledStep& step, const std::string& name) {
  for (const UnrolledGate& gate : step.gates) {
    if (gate.name == name) return gate.value;
  }
  return 0;
}

// "0.500000*" of a gate that there is.
std::string times(const UnrolledStep& step, const char* gate) {
  const bool there = std::ranges::any_of(step.gates, [&](const UnrolledGate& g) { return g.name == gate; });
  return there ? number(value_of(step, gate)) + "*" : "";
}

std::string cell_line(const UnrolledStep& step, const CellKind& kind) {
  return fmt::format("  c' = {} = {}{} + {}{} = {}\n", lstm_cell(kind), times(step, "f"),
                     factor(step.c_before), times(step, "i"), factor(value_of(step, "g")), number(step.c));
}

std::string state_lines(const UnrolledStep& step, const Unrolled& unrolled) {
  if (unrolled.cell_kind.cell == Cell::kRnn) return "";
  if (unrolled.cell_kind.cell == Cell::kGru) {
    return fmt::format("  h' = (1 - z)*n + z*h = {}*{} + {}*{} = {}\n", number(1 - value_of(step, "z")),
                       factor(value_of(step, "n")), number(value_of(step, "z")), factor(step.h_before),
                       number(step.h));
  }
  const char* name = unrolled.has_projection ? "m " : "h'";
  const CellKind& kind = unrolled.cell_kind;
  const double squashed = kind.without == Ablation::kOutputTanh ? step.c : std::tanh(step.c);
  std::string text = fmt::format("  {} = {} = {}{} = {}\n", name, lstm_output(kind), times(step, "o"),
                                 factor(squashed), number(step.h));
  if (step.projects) {
    text += fmt::format("  h' = row {} of W_hr times all {} m = {}\n", unrolled.unit, unrolled.units,
                        number(step.projected));
  }
  return text;
}

std::string step_text(const UnrolledStep& step, const Unrolled& unrolled) {
  std::string text = fmt::format("step {} {}", step.step, quoted_token(step.token));
  if (!unrolled.has_projection) text += fmt::format("   h = {}", number(step.h_before));
  if (unrolled.cell_kind.has_cell_state()) text += fmt::format("   c = {}", number(step.c_before));
  text += '\n';
  for (const UnrolledGate& gate : step.gates) {
    text += line_of(gate, unrolled.cell_kind);
    if (gate.name == "g") text += cell_line(step, unrolled.cell_kind);
  }
  return text + state_lines(step, unrolled) + '\n';
}

}  // namespace

std::string unrolled_text(const Unrolled& unrolled) {
  std::string text = fmt::format(
      "{}: {}, {}layer {}{}, unit {} of {}, {} in {}\n"
      "x: {} inputs, h: {} states before the step, s logistic, * times, ' after the step\n\n",
      unrolled.model, unrolled.kind, unrolled.part.empty() ? "" : unrolled.part + ", ", unrolled.layer,
      unrolled.reverse ? " in reverse" : "", unrolled.unit, unrolled.units, unrolled.cell, unrolled.precision,
      unrolled.inputs, unrolled.states);
  for (const UnrolledStep& step : unrolled.steps) text += step_text(step, unrolled);
  if (unrolled.steps.empty()) text += "the text has no step\n\n";
  return text + fmt::format("{} what the model computed: largest difference {:.1e}, allowed {:.0e}\n",
                            unrolled.equals_trace() ? "equal to" : "DIFFERENT FROM",
                            unrolled.largest_difference, Unrolled::kTolerance);
}

namespace {

nlohmann::ordered_json json_of(const UnrolledGate& gate) {
  nlohmann::ordered_json json{{"name", gate.name}};
  if (!gate.terms.empty()) json["activation"] = gate.activation;
  for (const auto& [name, value] : gate.terms) json["terms"][name] = value;
  if (!gate.terms.empty()) json["sum"] = gate.sum;
  json["value"] = gate.value;
  json["traced"] = gate.traced;
  return json;
}

nlohmann::ordered_json json_of(const UnrolledStep& step, const Unrolled& unrolled) {
  nlohmann::ordered_json json{{"step", step.step}, {"token", step.token}};
  for (const UnrolledGate& gate : step.gates) json["gates"].push_back(json_of(gate));
  if (unrolled.cell_kind.has_cell_state()) {
    json["c_before"] = step.c_before;
    json["c"] = step.c;
    json["c_traced"] = step.c_traced;
  }
  if (!unrolled.has_projection) json["h_before"] = step.h_before;
  json[unrolled.has_projection ? "m" : "h"] = step.h;
  json[unrolled.has_projection ? "m_traced" : "h_traced"] = step.h_traced;
  if (step.projects) {
    json["h"] = step.projected;
    json["h_traced"] = step.projected_traced;
  }
  return json;
}

}  // namespace

nlohmann::ordered_json unrolled_json(const Unrolled& unrolled) {
  nlohmann::ordered_json json{{"model", unrolled.model},     {"kind", unrolled.kind},
                              {"cell", unrolled.cell},       {"precision", unrolled.precision},
                              {"part", unrolled.part},       {"layer", unrolled.layer},
                              {"reverse", unrolled.reverse}, {"unit", unrolled.unit},
                              {"units", unrolled.units},     {"steps", nlohmann::ordered_json::array()}};
  for (const UnrolledStep& step : unrolled.steps) json["steps"].push_back(json_of(step, unrolled));
  json["largest_difference"] = unrolled.largest_difference;
  json["equal"] = unrolled.equals_trace();
  return json;
}

}  // namespace rondo
