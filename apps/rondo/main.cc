// The command. Parses, runs one verb, and alone turns errors into exit statuses:
// 0 done, 1 failed, 2 usage, 3 data.

#include <csignal>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "base/errors.h"
#include "console.h"
#include "help_format.h"
#include "usage.h"
#include "verbs.h"

namespace rondo::app {
namespace {

enum ExitStatus { kDone = 0, kFailed = 1, kUsage = 2, kData = 3 };

int report(int status, const std::string& message) {
  say("rondo: {}\n", message);
  return status;
}

// The help of a command that was left half said, where errors go.
int report_help(const CLI::App& app) {
  say_text(app.help());
  return kUsage;
}

void describe(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormat>());
  app.set_help_flag("-h,--help", "print this and end");
  app.set_version_flag("--version", "rondo " RONDO_VERSION, "print the version and end");
  app.require_subcommand(0, 1);
  app.footer(
      "A first model:\n"
      "  rondo data debian-sections -o sections.tsv\n"
      "  rondo train classify -i sections.tsv -o sections.rondo\n"
      "  rondo predict sections.rondo \"a fast web server\"\n\n"
      "Results go to standard output, progress to standard error; - is standard input.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 wrong data.");
}

int run(const std::vector<std::string>& arguments) {
  CLI::App app{"Recurrent neural networks for text: train, run, explain, ship.", "rondo"};
  describe(app);
  // In the order of the help.
  const std::pair<const char*, Run> verbs[] = {{"train", add_train(app, arguments)},
                                               {"predict", add_predict(app)},
                                               {"evaluate", add_evaluate(app)},
                                               {"generate", add_generate(app)},
                                               {"score", add_score(app)},
                                               {"translate", add_translate(app)},
                                               {"caption", add_caption(app)},
                                               {"bleu", add_bleu(app)},
                                               {"info", add_info(app)},
                                               {"look", add_look(app)},
                                               {"unroll", add_unroll(app)},
                                               {"diff", add_diff(app)},
                                               {"doctor", add_doctor(app)},
                                               {"serve", add_serve(app)},
                                               {"quantize", add_quantize(app)},
                                               {"bench", add_bench(app)},
                                               {"check-gradients", add_check_gradients(app)},
                                               {"data", add_data(app)}};
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    put_text(named_command(app).help());
    return kDone;
  } catch (const CLI::CallForVersion& version) {
    put("{}\n", version.what());
    return kDone;
  } catch (const CLI::ParseError& error) {
    return report(kUsage, usage_message(app, error));
  }
  const CLI::App& command = named_command(app);
  if (!command.get_subcommands({}).empty()) return report_help(command);
  for (const auto& [name, run_verb] : verbs) {
    if (app.got_subcommand(name)) return run_verb();
  }
  return kUsage;
}

}  // namespace

int guarded(const std::vector<std::string>& arguments) {
  try {
    const int status = run(arguments);
    flush_output();
    return status;
  } catch (const ReaderGone&) {
    return kFailed;
  } catch (const ConfigError& error) {
    return report(kUsage, error.what());
  } catch (const DataError& error) {
    return report(kData, error.what());
  } catch (const FormatError& error) {
    return report(kData, error.what());
  } catch (const Error& error) {
    return report(kFailed, error.what());
  } catch (const std::bad_alloc&) {
    return report(
        kFailed,
        "out of memory; take a smaller --batch, --hidden, --embedding, --max-length or --image-size");
  } catch (const std::exception& error) {
    return report(kFailed,
                  fmt::format("unexpected: {}; this is a defect of Rondo, please report it", error.what()));
  }
}

}  // namespace rondo::app

int main(int count, char** words) {
  // A reader that went away (| head) is an error of writing, not a sudden end.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that reached the limit of the shell (ulimit -f).
  std::signal(SIGXFSZ, SIG_IGN);
  return rondo::app::guarded({words + 1, words + count});
}
