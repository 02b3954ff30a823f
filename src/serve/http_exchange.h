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
  /// @param local  only this machine can reach the server, and no token is asked for.
  HttpExchange(Service& service, HttpStream& stream, bool local)
      : service_(&service), stream_(&stream), local_(local) {}

  /// The head was read: decides by it alone whether the body is, and whether the connection stays open.
  /// Takes from the request what the library shall not do: compress, or answer in ranges.
  void begin(httplib::Request& request, bool last);
  /// Answers all but what needs the body. @return  whether it did.
  bool answer_head(const httplib::Request& request, httplib::Response& response);
  /// Reads the body, past the library, and answers.
  void answer_body(const httplib::Request& request, httplib::Response& response);
  /// Gives an error of the library's own a body, and the right status where a limit was the cause.
  void explain(httplib::Response& response) const;
  /// Answers what is no request, where the library says nothing. @return  whether it did.
  bool answer_none();
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
  std::optional<Reply> what_is_wrong() const;
  void answer(const httplib::Request& request, httplib::Response& response, std::string body);
  void write(const httplib::Request& request, httplib::Response& response, Reply reply);

  Service* service_;
  HttpStream* stream_;
  bool local_;
  Match match_;
  std::optional<Reply> refusal_;
  bool understood_ = false;  ///< the head
  bool chunked_ = false, has_body_ = false;
  size_t length_ = 0;
  bool must_close_ = true, left_unread_ = true;  // until the head was understood
  Clock::time_point begun_ = Clock::now();
};

/// A reply as bytes, for whoever cannot go through the library.
std::string bare_answer(const Reply& reply);

}  // namespace rondo::serve
