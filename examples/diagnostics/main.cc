// rondo-diagnostics reverse [--attention bahdanau|none|...] [--threads N] ...
// rondo-diagnostics adding|copy|mnist|memorisation|addition|parity [--length N] [--data FOLDER]
//     [--cell lstm|rnn|gru|grid] [--threads N] ...
// rondo-diagnostics gradients [--problem noise|adding] [--cell lstm|rnn|gru] [--format tsv|jsonl] ...
// rondo-diagnostics clipping [--length N] [--clip 1] [--recurrent-scale 1.5] ...
// rondo-diagnostics mnist-grid --data FOLDER [--patch 2] [--hidden 100] [--threads N] ...
// Prints a curve, a line a measurement. After the name of a diagnostic, --help lists its options.
#include <chrono>
#include <cstdio>

#include "base/errors.h"
#include "diagnostics/diagnostics.h"
#include "diagnostics/gradient_commands.h"
#include "diagnostics/mnist_grid.h"
#include "diagnostics/reversing.h"
#include "tensor/device.h"

namespace {

using namespace rondo;

struct Command {
  diagnostics::Options run;
  int64_t length = 0;
  int64_t symbols = 8;
  std::string data = "mnist";
  int64_t threads = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    run.visit(v);
    v("length", length,
      "steps of adding (100) and copy (30), symbols of memorisation (6), digits of addition (4), bits of "
      "parity (8)",
      Range{1, 100000});
    v("symbols", symbols, "different ones of memorisation", Range{2, 65536});
    v("data", data, "folder of the idx files of mnist");
    v("threads", threads, "0: one a processor", Range{0, 4096});
  }
};

struct ReversingCommand {
  diagnostics::ReversingOptions run;
  int64_t threads = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    run.visit(v);
    v("threads", threads, "0: one a processor", Range{0, 4096});
  }
};

struct MnistGridCommand {
  diagnostics::MnistGridOptions run;
  int64_t threads = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    run.visit(v);
    v("threads", threads, "0: one a processor", Range{0, 4096});
  }
};

std::unique_ptr<diagnostics::Problem> make_problem(const std::string& name, const Command& command) {
  const auto length = [&](int64_t usual) { return command.length == 0 ? usual : command.length; };
  if (name == "adding" && command.length == 1)
    throw_error<ConfigError>("--length 1: adding takes two at least");
  if (name == "adding") return diagnostics::make_adding(length(100));
  if (name == "copy") return diagnostics::make_copy(length(30));
  if (name == "memorisation") return diagnostics::make_memorisation(length(6), command.symbols);
  if (name == "addition") return diagnostics::make_addition(length(4));
  if (name == "parity") return diagnostics::make_parity(length(8));
  if (name == "mnist") return diagnostics::make_mnist(command.data);
  throw_error<ConfigError>(
      "no diagnostic {}; there are adding, copy, mnist, memorisation, addition, parity, mnist-grid, "
      "reverse, gradients and clipping",
      name);
}

/// @return false where the list of options was asked for, and printed.
bool set_options(const OptionList& options, const std::vector<std::string>& words) {
  for (size_t i = 1; i < words.size(); i += 2) {
    if (words[i] == "--help") {
      for (const Option& o : options.all()) {
        std::printf("--%s (%s; default %s)  %s\n", o.name.c_str(), o.accepts().c_str(), o.text().c_str(),
                    o.help.c_str());
      }
      return false;
    }
    if (!words[i].starts_with("--") || i + 1 == words.size()) {
      throw_error<ConfigError>("{}: expected --OPTION VALUE", words[i]);
    }
    options.find(words[i].substr(2)).set_text(words[i + 1]);
  }
  return true;
}

template <class TableCommand>
void run_table(const std::vector<std::string>& words, void (*run)(const TableCommand&)) {
  TableCommand command;
  if (set_options(OptionList(command), words)) run(command);
}

void run_reversing(const std::vector<std::string>& words) {
  ReversingCommand command;
  if (!set_options(OptionList(command), words)) return;
  const auto backend = open_device("cpu", static_cast<int>(command.threads));
  const auto begun = std::chrono::steady_clock::now();
  diagnostics::run_reversing(command.run, *backend, [&](const diagnostics::ReversingPoint& point) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
    std::printf("update %6lld  loss %.6f  exact %5.1f %%  on the anti-diagonal %5.1f %%  %4.0f s\n",
                static_cast<long long>(point.update), point.loss, 100 * point.exact, 100 * point.diagonal,
                seconds.count());
    std::fflush(stdout);
  });
}

void run_mnist_grid(const std::vector<std::string>& words) {
  MnistGridCommand command;
  if (!set_options(OptionList(command), words)) return;
  const auto backend = open_device("cpu", static_cast<int>(command.threads));
  const auto begun = std::chrono::steady_clock::now();
  diagnostics::run_mnist_grid(command.run, *backend, [&](const diagnostics::MnistGridPoint& point) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
    std::printf("epoch %3lld  loss %.6f  test error %5.2f %%  %4.0f s\n", static_cast<long long>(point.epoch),
                point.loss, 100 * point.error, seconds.count());
    std::fflush(stdout);
  });
}

void run_command(const std::vector<std::string>& words) {
  const char* usage =
      "usage: rondo-diagnostics adding|copy|mnist|memorisation|addition|parity|mnist-grid|reverse|gradients|"
      "clipping [--OPTION VALUE]... | --help";
  if (words.empty()) throw_error<ConfigError>("{}", usage);
  if (words[0] == "--help") return void(std::puts(usage));
  if (words[0] == "reverse") return run_reversing(words);
  if (words[0] == "mnist-grid") return run_mnist_grid(words);
  if (words[0] == "gradients")
    return run_table<diagnostics::GradientsCommand>(words, diagnostics::run_gradients);
  if (words[0] == "clipping")
    return run_table<diagnostics::ClippingCommand>(words, diagnostics::run_clipping);
  Command command;
  if (!set_options(OptionList(command), words)) return;
  const auto problem = make_problem(words[0], command);
  const auto backend = open_device("cpu", static_cast<int>(command.threads));
  std::printf("%s, cell %s, %d threads; without memory the loss is %.4f\n", words[0].c_str(),
              name_of(command.run.cell), backend->threads().threads(), problem->memoryless_loss());
  const auto begun = std::chrono::steady_clock::now();
  diagnostics::run(*problem, command.run, *backend, [&](const diagnostics::Point& point) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
    std::printf("update %6lld  loss %.6f  right %5.1f %%  %4.0f s\n", static_cast<long long>(point.update),
                point.loss, 100 * point.accuracy, seconds.count());
    std::fflush(stdout);
  });
}

}  // namespace

int main(int count, char** words) {
  try {
    run_command({words + 1, words + count});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rondo-diagnostics: %s\n", error.what());
    return 2;
  }
}
