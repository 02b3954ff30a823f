// What `rondo serve` can be told: where it listens, and every limit.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"
#include "inference/predictor.h"

namespace rondo::serve {

/// What one request may ask for. Beyond it stands 422, for the body 413.
struct RequestLimits {
  int64_t max_body = 1 << 20;
  int64_t max_text = 100000;
  int64_t max_texts = 256;
  int64_t max_length = 2000;
  int64_t max_beam = 16;
  int64_t max_look = 2000;
  int64_t max_look_bytes = 2'000'000;

  template <class Visitor>
  void visit(Visitor& v) {
    v("max-body", max_body, "bytes of a request's body; 413 above", Range{1, 1 << 30});
    v("max-text", max_text, "bytes of one text; 422 above", Range{1, 1 << 30});
    v("max-texts", max_texts, "texts of one request; 422 above", Range{1, 1e6});
    v("max-length", max_length, "tokens that a generation may ask for; 422 above", Range{1, 1e9});
    v("max-beam", max_beam, "beam and n-best that a request may ask for; 422 above", Range{1, 1000});
    v("max-look", max_look, "bytes, and so tokens, of a text that is looked into; 422 above", Range{1, 1e6});
    v("max-look-bytes", max_look_bytes,
      "bytes of gates and states in an answer; units that vary least are left out above", Range{1000, 1e9});
  }
};

/// How requests wait, and how many run together.
struct QueueOptions {
  int threads = 0;
  int64_t batch = 32;
  double batch_wait_ms = 0;
  int64_t queue = 256;

  template <class Visitor>
  void visit(Visitor& v) {
    v("threads", threads, "requests that are worked on at once; 0 takes one for each processor",
      Range{0, 1024});
    v("batch", batch, "texts of waiting requests that run together; changes speed, never results",
      Range{1, 10000});
    v("batch-wait-ms", batch_wait_ms,
      "milliseconds that a request waits for others to run with; 0: those that wait anyway", Range{0, 10000});
    v("queue", queue, "requests that wait for a thread; 503 with Retry-After above", Range{1, 1e6});
  }
};

/// What every connection is held to.
struct ConnectionOptions {
  // A thread each; the library's select() does not go to 1024.
  static constexpr double kMostConnections = 900;

  int64_t connections = 256;
  double read_timeout_s = 10;
  double write_timeout_s = 10;
  double idle_timeout_s = 30;

  template <class Visitor>
  void visit(Visitor& v) {
    v("connections", connections, "open at once; 503 with Retry-After above", Range{1, kMostConnections});
    v("read-timeout-s", read_timeout_s, "seconds in which a request must be here whole; 408 after",
      Range{0.01, 3600});
    v("write-timeout-s", write_timeout_s, "seconds in which a client must take some of the answer",
      Range{0.01, 3600});
    v("idle-timeout-s", idle_timeout_s, "seconds for which a connection stays open between requests",
      Range{0.01, 3600});
  }
};

/// What the server as a whole is held to.
struct ServiceOptions {
  std::vector<std::string> name;
  double timeout_s = 30;
  int64_t generations = 8;
  int64_t sessions = 1000;
  double session_idle_s = 600;
  RequestLimits limits;
  QueueOptions queue;
  InferenceOptions inference;
  std::string token;  // no option: what --token-file holds; empty: whoever comes is served

  template <class Visitor>
  void visit(Visitor& v) {
    v("name", name, "names of the models in their order; else those of the files without .rondo");
    v("timeout-s", timeout_s, "seconds for one request; 504 after", Range{0.01, 86400});
    v("generations", generations, "texts that are written at once; 429 above", Range{1, 1e4});
    v("sessions", sessions, "sessions that are open at once; 429 above", Range{0, 1e6});
    v("session-idle-s", session_idle_s, "seconds without a request after which a session is closed",
      Range{0.01, 1e9});
    limits.visit(v);
    queue.visit(v);
    inference.visit(v);
  }
};

struct ServeOptions {
  std::string host = "127.0.0.1";
  int port = 8080;
  std::string token_file;
  bool log = false;
  ServiceOptions service;
  ConnectionOptions connection;

  template <class Visitor>
  void visit(Visitor& v) {
    v("host", host, "address to listen on; 0.0.0.0: all of this machine's");
    v("port", port, "port to listen on; 0: a free one, which is printed", Range{0, 65535});
    v("token-file", token_file, "file with the token that clients must send; 401 without");
    v("log", log, "a JSON line a request on standard error; it holds no texts");
    service.visit(v);
    connection.visit(v);
  }
};

}  // namespace rondo::serve
