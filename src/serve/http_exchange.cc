#include "serve/http_exchange.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace rondo::serve {

namespace {

// A chunked body has a frame around each piece; who sends single bytes may send fewer of them.
constexpr int64_t kFrames = 65536;

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || text.front() == '-' || stop != end) return std::nullopt;
  // More digits than a number has are many bytes all the same.
  if (error == std::errc::result_out_of_range) return std::numeric_limits<int64_t>::max();
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

// A page elsewhere can make a browser send forms and plain text to this address, but not JSON.
bool is_json(const std::string& content_type) {
  const std::string type = lower(content_type.substr(0, content_type.find(';')));
  return type.substr(0, type.find_last_not_of(" \t") + 1) == "application/json";
}

}  // namespace

// What stands against the body before it is read.
std::optional<Reply> HttpExchange::check_body(const httplib::Request& request) {
  const bool chunked = request.has_header("Transfer-Encoding");
  const size_t lengths = request.get_header_value_count("Content-Length");
  if (chunked && lower(request.get_header_value("Transfer-Encoding")) != "chunked") {
    return error_reply(501, "Transfer-Encoding: chunked is the only one that is understood");
  }
  if (lengths + (chunked ? 1 : 0) > 1) {
    return error_reply(400, "Content-Length: one length is expected, and none beside chunks");
  }
  int64_t length = chunked ? 1 : 0;
  if (lengths == 1) {
    const std::optional<int64_t> given = whole_number(request.get_header_value("Content-Length"));
    if (!given) {
      has_body_ = true;  // who knows
      return error_reply(400, "Content-Length: expected a number of bytes");
    }
    length = *given;
  }
  has_body_ = length > 0;
  const int64_t most = service_->options().limits.max_body;
  if (length > most) {
    return error_reply(413, fmt::format("body: {} bytes, at most {} are taken", length, most));
  }
  if (!has_body_ || !match_.route || !match_.route->takes_body) return std::nullopt;
  if (!is_json(request.get_header_value("Content-Type"))) {
    return error_reply(415, "Content-Type: application/json is expected (curl: --json, or -H)");
  }
  if (request.has_header("Content-Encoding")) {
    return error_reply(415, "Content-Encoding: the body is expected as it is, not compressed");
  }
  return std::nullopt;
}

std::optional<Reply> HttpExchange::check(const httplib::Request& request) {
  match_ = Service::find(request.method, request.path);
  has_body_ = request.has_header("Transfer-Encoding");
  std::optional<Reply> wrong_body = check_body(request);
  if (!match_.route) return match_.refusal;
  if (!match_.route->open && !service_->is_allowed(request.get_header_value("Authorization"))) {
    Reply reply = error_reply(401, "send the header Authorization: Bearer, and the server's token");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  }
  return wrong_body;
}

void HttpExchange::begin(httplib::Request& request, bool last) {
  begun_ = Clock::now();
  refusal_ = check(request);
  const bool will_read = !refusal_ && match_.route->takes_body;
  left_unread_ = has_body_ && !will_read;
  must_close_ = last || left_unread_;
  if (must_close_) {
    request.headers.erase("Connection");
    request.set_header("Connection", "close");
  }
  request.headers.erase("Accept-Encoding");
  request.ranges.clear();
  if (will_read) stream_->begin_body(2 * service_->options().limits.max_body + kFrames);
}

int HttpExchange::expect(const httplib::Request& request, httplib::Response& response) {
  constexpr int kContinue = 100;
  if (!refusal_) {
    stream_->send_at_once();  // the client waits for it
    return kContinue;
  }
  write(request, response, *refusal_);
  return response.status;
}

bool HttpExchange::answer_head(const httplib::Request& request, httplib::Response& response) {
  if (refusal_) {
    write(request, response, std::move(*refusal_));
    return true;
  }
  if (has_body_ && match_.route->takes_body) return false;
  answer(request, response, "");
  return true;
}

void HttpExchange::answer_body(const httplib::Request& request, httplib::Response& response,
                               const httplib::ContentReader& reader) {
  const auto most = static_cast<size_t>(service_->options().limits.max_body);
  std::string body;
  bool too_large = false;
  const bool whole = reader([&](const char* bytes, size_t count) {
    too_large = count > most - body.size();
    if (!too_large) body.append(bytes, count);
    return !too_large;
  });
  begun_ = Clock::now();
  if (whole) return answer(request, response, std::move(body));
  must_close_ = left_unread_ = true;
  if (too_large || stream_->is_too_long()) {
    write(request, response,
          error_reply(413, fmt::format("body: more than the {} bytes that are taken", most)));
  } else {
    write(request, response, error_reply(400, "body: it ended before it was whole"));
    explain(response);
  }
}

void HttpExchange::answer(const httplib::Request& request, httplib::Response& response, std::string body) {
  const Call call{.id = match_.id, .body = std::move(body), .is_gone = [this] { return stream_->is_gone(); }};
  write(request, response, service_->answer(*match_.route, call));
}

void HttpExchange::write(const httplib::Request& request, httplib::Response& response, Reply reply) {
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers) response.set_header(name, value);
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Cache-Control", "no-store");
  if (!reply.stream) {
    if (!reply.content_type.empty()) response.set_content(reply.body, reply.content_type);
    return;
  }
  const auto provide = [this, stream = std::move(reply.stream)](size_t, httplib::DataSink& sink) {
    stream_->send_at_once();
    stream([&](std::string_view piece) {
      return sink.write(piece.data(), piece.size()) && !stream_->has_failed() && !stream_->is_gone();
    });
    sink.done();
    return true;
  };
  if (request.version == "HTTP/1.0") {  // knows no chunks: the end of the connection is that of the answer
    must_close_ = true;
    response.set_content_provider(reply.content_type, provide);
  } else {
    response.set_chunked_content_provider(reply.content_type, provide);
  }
}

void HttpExchange::explain(httplib::Response& response) const {
  constexpr int kBadRequest = 400;
  Reply reply;
  if (response.status == kBadRequest && stream_->is_late()) {
    reply = error_reply(408, "the request was not here whole in time");
  } else if (response.status == kBadRequest && stream_->is_too_long()) {
    reply = error_reply(431, "the request's head is too long");
  } else if (response.body.empty()) {
    reply = error_reply(response.status, "this is no request of HTTP/1.1 that is understood here");
  } else {
    return;
  }
  response.status = reply.status;
  response.body.clear();
  response.headers.erase("Content-Type");
  response.headers.erase("Content-Length");
  response.set_content(reply.body, reply.content_type);
}

}  // namespace rondo::serve
