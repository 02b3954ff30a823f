// One request and its answer on their way through cpp-httplib: what is looked at before the body is read, and
// how a Reply becomes the library's Response.
#pragma once

#include <httplib.h>

#include <optional>
#include <string>

#include "serve/http_stream.h"
#include "serve/service.h"

namespace rondo::serve {

class HttpExchange {
 public:
  HttpExchange(Service& service, HttpStream& stream) : service_(&service), stream_(&stream) {}

  /// The head was read: decides by it alone whether the body is, and whether the connection stays open.
  /// Takes from the request what the library shall not do: compress, or answer in ranges.
  void begin(httplib::Request& request, bool last);
  /// Answers all but what needs the body. @return  whether it did.
  bool answer_head(const httplib::Request& request, httplib::Response& response);
  /// Reads the body and answers.
  void answer_body(const httplib::Request& request, httplib::Response& response,
                   const httplib::ContentReader& reader);
  /// Gives an error of the library's own a body, and the right status where a limit was the cause.
  void explain(httplib::Response& response) const;
  /// The status of 100-continue: the body is wanted, or the refusal.
  int expect(const httplib::Request& request, httplib::Response& response);

  /// Of the table of routes, for metrics and the log.
  std::string route() const { return match_.route ? match_.route->path : "other"; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }
  bool must_close() const { return must_close_; }
  /// Whether a body, or a part of it, was left where it was.
  bool left_unread() const { return left_unread_; }

 private:
  std::optional<Reply> check(const httplib::Request& request);
  std::optional<Reply> check_body(const httplib::Request& request);
  void answer(const httplib::Request& request, httplib::Response& response, std::string body);
  void write(const httplib::Request& request, httplib::Response& response, Reply reply);

  Service* service_;
  HttpStream* stream_;
  Match match_;
  std::optional<Reply> refusal_;
  bool has_body_ = false;
  bool must_close_ = true;  // until the head was understood
  bool left_unread_ = false;
  Clock::time_point begun_ = Clock::now();
};

}  // namespace rondo::serve
