// Any bytes as what a client sends: an answer in HTTP or none, no wait without end, and a server that goes
// on.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "inference/small_language_model.h"
#include "serve/http_server.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/small_classifier.h"

namespace {

using namespace rondo;
using namespace rondo::serve;

/// A server of two tiny models that is not asked over its port.
struct Served {
  Served() {
    // The tracer reads the file when it is first asked.
    for (const ModelPointer& model : service.models().all()) model->tracer();
    std::filesystem::remove_all(folder);
  }

  static ServeOptions options() {
    ServeOptions options{.port = 0};
    options.service = {.generations = 1, .sessions = 10, .queue = {.threads = 1}};
    options.service.limits = {.max_body = 1000, .max_text = 500, .max_length = 10};
    options.connection = {.read_timeout_s = 1, .write_timeout_s = 0.01, .idle_timeout_s = 1};
    return options;
  }

  static std::vector<std::string> models(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    ClassifierOptions classifier{.embedding = 2};
    classifier.recurrent = {.hidden = 4, .bidirectional = false};
    save_classifier(folder / "news.rondo", small_classifier(classifier), {});
    LanguageModelOptions language{.tokenizer = TokenizerKind::kCharacters, .embedding = 2};
    language.recurrent = {.hidden = 4};
    save_language_model(folder / "poems.rondo", small_language_model(language), {});
    return {folder / "news.rondo", folder / "poems.rondo"};
  }

  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("rondo-fuzz-" + std::to_string(getpid()));
  Service service{models(folder), options().service};
  HttpServer server{service, options()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static Served one;
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) return 0;
  const Descriptor client(ends[0]);
  send(client.get(), bytes, size, MSG_NOSIGNAL);
  shutdown(client.get(), SHUT_WR);
  {
    const Descriptor server(ends[1]);
    one.server.serve(server);
  }
  std::array<char, 9> begin{};
  const ssize_t count = recv(client.get(), begin.data(), begin.size(), 0);
  if (count > 0 && std::string_view(begin.data(), 9) != "HTTP/1.1 ") __builtin_trap();
  return 0;
}
