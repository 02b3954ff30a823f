// rondo unroll: the arithmetic of one unit, step by step with the numbers of a text.

#include "inspect/unroll.h"

#include "command_line.h"
#include "console.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct UnrollCommand {
  UnitOptions unroll;
  bool json = false;
  InferenceOptions inference;

  template <class Visitor>
  void visit(Visitor& v) {
    unroll.visit(v);
    v("json", json, "print one JSON object: every term, gate and state, beside what the model computed");
    inference.visit(v);
  }
};

int run_unroll(const std::string& path, const std::string& text, const UnrollCommand& command,
               const RunOptions& run) {
  const auto backend = open_device(run.device, run.threads);
  const Tracer tracer(path, *backend, command.inference);
  const TextTrace trace = tracer.trace(checked_text(text, false), {.alternatives = 0, .max_prefixes = 0});
  const Unrolled unrolled = unroll(tracer, trace, command.unroll);
  put_text(command.json ? unrolled_json(unrolled).dump(2) + "\n" : unrolled_text(unrolled));
  return unrolled.equals_trace() ? 0 : 1;
}

}  // namespace

Run add_unroll(CLI::App& app) {
  CLI::App* unroll_app = app.add_subcommand("unroll", "the arithmetic of one unit, step by step");
  unroll_app->footer(
      "Every gate of one unit as a sum of its terms, for every token: the equations of rondo info with\n"
      "the numbers of a text. Exit status 1 if they do not give what the model computed.\n"
      "Examples:\n"
      "  rondo unroll news.rondo \"Shares rose after the talks\" --unit 3\n"
      "  rondo unroll news.rondo \"Shares rose after the talks\" --layer 1 --reverse --steps 0-2\n"
      "  rondo unroll en-de.rondo \"a dog runs\" --part decoder --json");
  auto path = std::make_shared<std::string>();
  auto text = std::make_shared<std::string>();
  auto command = std::make_shared<UnrollCommand>();
  auto run = std::make_shared<RunOptions>();
  unroll_app->add_option("model", *path, "model file")->required();
  unroll_app->add_option("text", *text, "a text")->required();
  auto line = std::make_shared<CommandLine>(*unroll_app);
  line->add("Unroll", *command);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return run_unroll(*path, *text, *command, *run);
  };
}

}  // namespace rondo::app
