// The service on a socket: HTTP/1.1 by cpp-httplib, every connection held to the limits.
//   HttpServer server(service, options, [](const std::string& line) { write(line); });
//   std::thread thread([&] { server.run(); });  ...  server.stop();  thread.join();
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "serve/service.h"
#include "serve/sockets.h"

namespace rondo::serve {

class HttpServer {
 public:
  /// Gets a line of JSON, without its line break, for each request; on the thread of the request.
  using Log = std::function<void(const std::string& line)>;

  /// Listens from now on; run() answers. The service must outlive it.
  /// @throws IoError if it cannot listen there.
  HttpServer(Service& service, const ServeOptions& options, Log log = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  /// Answers until stop(); returns when the requests that had begun are answered.
  void run();
  /// Any thread may call.
  void stop();
  /// Answers on a connection that someone else has made, on this thread, until it ends.
  /// @param socket  a stream that does not block.
  void serve(const Descriptor& socket);

 private:
  class Connections;
  std::unique_ptr<Connections> connections_;
};

}  // namespace rondo::serve
