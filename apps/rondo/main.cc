// The command. Parses, runs one verb, and alone turns errors into exit statuses:
// 0 done, 1 failed, 2 usage, 3 data.

#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <new>

#include "command_line.h"
#include "verbs.h"

namespace rondo::app {
namespace {

enum ExitStatus { kDone = 0, kFailed = 1, kUsage = 2, kData = 3 };

int report(int status, const std::string& message) {
  fmt::print(stderr, "rondo: {}\n", message);
  return status;
}

// The deepest command that was named: its options are the ones that a wrong word may have meant.
const CLI::App& named_command(const CLI::App& app) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  return named.empty() ? app : named_command(*named.front());
}

int run(const std::vector<std::string>& arguments) {
  CLI::App app{"Recurrent neural networks for text: train, run, explain, ship.", "rondo"};
  app.set_version_flag("--version", "rondo " RONDO_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  app.footer(
      "A first model:\n"
      "  rondo data debian-sections -o sections.tsv\n"
      "  rondo train classify -i sections.tsv -o sections.rondo\n"
      "  rondo predict sections.rondo \"a fast web server\"\n\n"
      "Results go to standard output, progress to standard error; - is standard input.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 wrong data.");
  const std::vector<Run> verbs = {add_train(app, arguments), add_predict(app),
                                  add_evaluate(app),         add_info(app),
                                  add_check_gradients(app),  add_data(app)};
  const char* const names[] = {"train", "predict", "evaluate", "info", "check-gradients", "data"};
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ExtrasError&) {
    return report(kUsage, unexpected_message(named_command(app), named_command(app).remaining(true)));
  } catch (const CLI::CallForHelp&) {
    return app.exit(CLI::CallForHelp());
  } catch (const CLI::CallForAllHelp&) {
    return app.exit(CLI::CallForAllHelp());
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    return report(kUsage, std::string(error.what()) + "; see rondo --help");
  }
  for (size_t i = 0; i < verbs.size(); ++i) {
    if (app.got_subcommand(names[i])) return verbs[i]();
  }
  return kUsage;
}

}  // namespace

int guarded(const std::vector<std::string>& arguments) {
  try {
    return run(arguments);
  } catch (const ConfigError& error) {
    return report(kUsage, error.what());
  } catch (const DataError& error) {
    return report(kData, error.what());
  } catch (const FormatError& error) {
    return report(kData, error.what());
  } catch (const Error& error) {
    return report(kFailed, error.what());
  } catch (const std::bad_alloc&) {
    return report(kFailed, "out of memory; take a smaller --batch, --hidden, --embedding or --max-length");
  } catch (const std::exception& error) {
    return report(kFailed,
                  fmt::format("unexpected: {}; this is a defect of Rondo, please report it", error.what()));
  }
}

}  // namespace rondo::app

int main(int count, char** words) {
  // A reader that went away (| head) is an error of writing, not a sudden end.
  std::signal(SIGPIPE, SIG_IGN);
  return rondo::app::guarded({words + 1, words + count});
}
