#include "serve/http_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <deque>
#include <thread>

#include "serve/connection_threads.h"
#include "serve/http_exchange.h"
#include "serve/strict_json.h"

namespace rondo::serve {

namespace {

using namespace std::chrono_literals;

constexpr int kMostRequests = 10000;  // of one connection

// What the library's handlers cannot be told otherwise: whose request they are called for. A connection has
// its thread, and a thread one request at a time.
thread_local HttpExchange* current = nullptr;

std::string time_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%FT%T", &parts);
  return fmt::format("{}.{:03}Z", std::string_view(text.data(), size), millis);
}

/// Connections above the limit: each is told so, and closed when the client has read it or a moment is over.
class Refused {
 public:
  void add(Descriptor socket) {
    constexpr size_t kMost = 64;  // with the connections fewer than the library's select() takes
    if (sockets_.size() >= kMost) sockets_.pop_front();
    const std::string answer = bare_answer(error_reply(503, "too many connections; try again later", 1));
    send(socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(socket.get(), SHUT_WR);
    sockets_.push_back({std::move(socket), Clock::now() + 1s});
  }
  /// Reads what came, so that closing is no reset.
  void tidy() {
    std::array<char, 4096> ignored;
    for (auto& [socket, end] : sockets_) {
      if (recv(socket.get(), ignored.data(), ignored.size(), MSG_DONTWAIT) == 0) end = {};
    }
    const Clock::time_point now = Clock::now();
    std::erase_if(sockets_, [&](const auto& one) { return one.second <= now; });
  }
  bool empty() const { return sockets_.empty(); }

 private:
  std::deque<std::pair<Descriptor, Clock::time_point>> sockets_;
};

}  // namespace

/// The library's server without its own loop and threads: it parses a request and writes an answer.
class HttpServer::Connections : private httplib::Server {
 public:
  Connections(Service& service, const ServeOptions& options, Log log)
      : service_(&service),
        options_(options.connection),
        local_(is_loopback(options.host) && options.service.token.empty()),
        log_(std::move(log)),
        listener_(options.host, options.port) {
    svr_sock_ = listener_.descriptor();  // the library takes -1 for a server that stops, and cuts streams
    set_handlers();
    set_keep_alive_timeout(static_cast<time_t>(options_.idle_timeout_s));
    set_keep_alive_max_count(kMostRequests);
  }

  int port() const { return listener_.port(); }
  void stop() const { stop_.set(); }
  void accept_all();
  void serve(const Descriptor& socket) noexcept;

 private:
  void set_handlers();
  bool serve_request(HttpStream& stream, bool last, bool& left_unread);
  bool accept_one(ConnectionThreads& threads, Refused& refused);
  bool process(HttpStream& stream, bool last, const std::function<void(httplib::Request&)>& begin);
  void finish(const httplib::Request& request, const httplib::Response& response) const;

  Service* service_;
  ConnectionOptions options_;
  bool local_;
  Log log_;
  Listener listener_;
  StopEvent stop_;
};

void HttpServer::Connections::set_handlers() {
  using httplib::Request, httplib::Response;
  set_pre_routing_handler([](const Request& request, Response& response) {
    return current->answer_head(request, response) ? HandlerResponse::Handled : HandlerResponse::Unhandled;
  });
  // Only what answer_head() let through comes here: a path of the table of routes, so a short one, of any
  // bytes.
  Post(R"([\s\S]*)", [](const Request& request, Response& response, const httplib::ContentReader&) {
    current->answer_body(request, response);
  });
  set_error_handler([](const Request&, Response& response) { current->explain(response); });
  set_expect_100_continue_handler(
      [](const Request& request, Response& response) { return current->expect(request, response); });
  set_logger([this](const Request& request, const Response& response) { finish(request, response); });
}

void HttpServer::Connections::finish(const httplib::Request& request,
                                     const httplib::Response& response) const {
  const std::string route = current->route();
  const double seconds = current->seconds();
  service_->metrics().count_request(route, response.status, seconds);
  if (!log_) return;
  log_(to_text(nlohmann::ordered_json{{"time", time_now()},
                                      {"client", request.remote_addr},
                                      {"method", request.method},
                                      {"route", route},
                                      {"status", response.status},
                                      {"ms", std::round(seconds * 1e6) / 1e3},
                                      {"bytes", response.body.size()}}));
}

bool HttpServer::Connections::process(HttpStream& stream, bool last,
                                      const std::function<void(httplib::Request&)>& begin) {
  bool closed = false;
  const bool answered = process_request(stream, last, closed, begin);
  return answered && !closed;
}

/// @return  whether another request may follow on this connection.
bool HttpServer::Connections::serve_request(HttpStream& stream, bool last, bool& left_unread) {
  HttpExchange exchange(*service_, stream, local_);
  current = &exchange;
  stream.begin_request();
  const bool goes_on =
      process(stream, last, [&](httplib::Request& request) { exchange.begin(request, last); });
  current = nullptr;
  exchange.answer_none();
  stream.flush();
  left_unread = exchange.left_unread();
  return goes_on && !exchange.must_close() && !stream.has_failed();
}

void HttpServer::Connections::serve(const Descriptor& socket) noexcept {
  ++service_->connections;
  try {
    const std::function<bool()> crowded = [this] {
      return service_->connections >= static_cast<size_t>(options_.connections);
    };
    HttpStream stream(socket, stop_, options_, crowded);
    bool left_unread = false;
    for (int count = 1; stream.wait_for_request(); ++count) {
      const bool last = count == kMostRequests || stop_.is_set();
      if (!serve_request(stream, last, left_unread)) break;
    }
    if (left_unread) stream.linger();
  } catch (const std::exception&) {
    current = nullptr;  // out of memory: the connection is closed, the server lives
  }
  --service_->connections;
}

void HttpServer::Connections::accept_all() {
  ConnectionThreads threads(static_cast<size_t>(options_.connections),
                            [this](const Descriptor& socket) { serve(socket); });
  Refused refused;
  for (;;) {
    std::array<pollfd, 2> both = {pollfd{.fd = listener_.descriptor(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = stop_.descriptor(), .events = POLLIN, .revents = 0}};
    const int timeout_ms = refused.empty() ? -1 : 50;
    poll(both.data(), both.size(), timeout_ms);
    refused.tidy();
    if (both[1].revents != 0) {
      while (accept_one(threads, refused)) {  // who came before the end is not lost
      }
      listener_.close();
      return;  // the threads wait for what has begun
    }
    if (both[0].revents != 0) accept_one(threads, refused);
  }
}

/// @return  whether there was one.
bool HttpServer::Connections::accept_one(ConnectionThreads& threads, Refused& refused) {
  Descriptor socket = listener_.accept();
  if (socket.get() < 0) {
    // No descriptor is left, or the client has gone: neither is the end of the server.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  if (!threads.take(socket)) {
    service_->metrics().count_refused_connection();
    refused.add(std::move(socket));
  }
  return true;
}

HttpServer::HttpServer(Service& service, const ServeOptions& options, Log log)
    : connections_(std::make_unique<Connections>(service, options, std::move(log))) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const { return connections_->port(); }
void HttpServer::run() { connections_->accept_all(); }
void HttpServer::stop() { connections_->stop(); }
void HttpServer::serve(const Descriptor& socket) { connections_->serve(socket); }

}  // namespace rondo::serve
