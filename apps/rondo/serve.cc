// rondo serve: models behind HTTP.

#include <csignal>
#include <mutex>
#include <thread>

#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "serve/http_server.h"
#include "verbs.h"

namespace rondo::app {

namespace {

using serve::HttpServer, serve::Service, serve::ServeOptions;

constexpr int64_t kMostToken = 4096;

// What a bearer token may hold (RFC 6750); what an editor adds at the end of the line does not count.
std::string read_token(const std::string& path) {
  std::string token = read_file(path, kMostToken);
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  constexpr const char* kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  if (token.empty() || token.find_first_not_of(kAllowed) != std::string::npos) {
    throw_error<ConfigError>(
        "--token-file {}: expected one line of letters, digits and -._~+/=; make one by: openssl rand -hex "
        "32",
        path);
  }
  return token;
}

// Threads that are made from now on leave these signals to sigwait().
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void reload(Service& service) {
  const std::vector<std::string> failures = service.reload();
  for (const std::string& failure : failures) {
    say("serve: {}; the model that was loaded before goes on\n", failure);
  }
  say("serve: {} models loaded anew\n", service.models().all().size() - failures.size());
}

void describe(Service& service, const ServeOptions& options) {
  for (const serve::ModelPointer& model : service.models().all()) {
    say("{}: {} of {} parameters, {}\n", model->name(), serve::in_words(model->kind()), model->parameters(),
        model->path());
  }
  if (!serve::is_loopback(options.host) && options.service.token.empty()) {
    say("warning: whoever reaches {} may use it; --token-file asks for a token\n", options.host);
  }
}

// A second signal to end does so at once; one to load anew means nothing any more.
void wait_for_signals(Service& service, const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGHUP) {
      reload(service);
      continue;
    }
    sigset_t ends = signals;
    sigdelset(&ends, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
    return;
  }
}

int serve_models(const std::vector<std::string>& paths, ServeOptions options) {
  if (!options.token_file.empty()) options.service.token = read_token(options.token_file);
  const sigset_t signals = block_signals();
  Service service(paths, options.service);
  std::mutex log_mutex;
  const auto log = [&log_mutex](const std::string& line) {
    const std::lock_guard lock(log_mutex);
    say_text(line + "\n");
  };
  HttpServer server(service, options, options.log ? HttpServer::Log(log) : nullptr);
  describe(service, options);
  const std::string host =
      options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
  put("http://{}:{}/\n", host, server.port());
  flush_output();
  std::thread thread([&] { server.run(); });
  wait_for_signals(service, signals);
  say("serve: ending, once the requests that have begun are answered\n");
  server.stop();
  thread.join();
  return 0;
}

}  // namespace

Run add_serve(CLI::App& app) {
  CLI::App* serve_app = app.add_subcommand("serve", "models behind HTTP, and a page to try them");
  serve_app->footer(
      "Prints its address on standard output. SIGTERM ends it when what has begun is answered, SIGHUP\n"
      "loads the models anew. What it answers: /openapi.json; docs/serve.md shows each by curl.\n"
      "Examples:\n"
      "  rondo serve news.rondo\n"
      "  rondo serve news.rondo names.rondo poems.rondo --port 8000 --log\n"
      "  curl --json '{\"text\": \"Shares rose after the talks\"}' http://127.0.0.1:8000/v1/predict");
  auto paths = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<ServeOptions>();
  serve_app->add_option("model", *paths, "model files, of any kinds")->required();
  auto line = std::make_shared<CommandLine>(*serve_app);
  line->add("Server", *options);
  line->add_config();
  return [=] {
    line->apply();
    return serve_models(*paths, *options);
  };
}

}  // namespace rondo::app
