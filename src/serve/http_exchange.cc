#include "serve/http_exchange.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace rondo::serve {

namespace {

// A chunked body has a frame around each piece; who sends single bytes may send fewer of them.
constexpr int64_t kFrames = 65536;

std::optional<size_t> whole_number(const std::string& text) {
  size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || stop != end) return std::nullopt;
  // More digits than a number has are many bytes all the same.
  if (error == std::errc::result_out_of_range) return std::numeric_limits<size_t>::max();
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

// One of a list that commas separate.
bool lists(const std::string& header, std::string_view wanted) {
  std::string list = fmt::format(",{},", lower(header));
  std::erase_if(list, [](char c) { return c == ' ' || c == '\t'; });
  return list.find(fmt::format(",{},", wanted)) != std::string::npos;
}

const char* phrase_of(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

}  // namespace

std::string bare_answer(const Reply& reply) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\n", reply.status, phrase_of(reply.status));
  for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
  text +=
      fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n\r\n", reply.content_type, reply.body.size());
  return text + reply.body;
}

// What stands against the body before it is read.
std::optional<Reply> HttpExchange::check_body(const httplib::Request& request) {
  const size_t codings = request.get_header_value_count("Transfer-Encoding");
  const size_t lengths = request.get_header_value_count("Content-Length");
  has_body_ = codings + lengths > 0;  // whatever they say
  chunked_ = codings == 1 && lower(request.get_header_value("Transfer-Encoding")) == "chunked";
  if (codings > 0 && !chunked_) {
    return error_reply(501, "Transfer-Encoding: chunked is the only one that is understood");
  }
  if (codings + lengths > 1 || (chunked_ && request.version == "HTTP/1.0")) {
    return error_reply(400, "Content-Length: one length is expected, and none beside chunks");
  }
  if (lengths == 1) {
    const std::optional<size_t> given = whole_number(request.get_header_value("Content-Length"));
    if (!given) return error_reply(400, "Content-Length: expected a number of bytes");
    length_ = *given;
    has_body_ = length_ > 0;
  }
  const auto most = static_cast<size_t>(service_->options().limits.max_body);
  if (length_ > most) {
    return error_reply(413, fmt::format("body: {} bytes, at most {} are taken", length_, most));
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
  std::optional<Reply> wrong_body = check_body(request);
  if (local_ && !is_local_name(request.get_header_value("Host"))) {
    return error_reply(421,
                       "Host: this server is for its own machine, and goes by localhost or an address; "
                       "where a proxy stands before it, give it --token-file");
  }
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
  understood_ = true;
  refusal_ = check(request);
  const bool will_read = !refusal_ && match_.route->takes_body;
  left_unread_ = has_body_ && !will_read;
  must_close_ = last || left_unread_ || lists(request.get_header_value("Connection"), "close");
  if (must_close_) {
    request.headers.erase("Connection");
    request.set_header("Connection", "close");
  }
  request.headers.erase("Accept-Encoding");
  request.ranges.clear();
  if (will_read && has_body_) stream_->begin_body(2 * service_->options().limits.max_body + kFrames);
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

void HttpExchange::answer_body(const httplib::Request& request, httplib::Response& response) {
  const auto most = static_cast<size_t>(service_->options().limits.max_body);
  const ReadBytes read = [this](char* to, size_t size) { return stream_->read(to, size); };
  const bool closes = must_close_;
  must_close_ = left_unread_ = true;  // until it is whole, also if memory ends before
  std::string body;
  const BodyEnd end = chunked_ ? read_chunks(read, most, body) : read_length(read, length_, body);
  begun_ = Clock::now();
  if (end == BodyEnd::kWhole) {
    must_close_ = closes;
    left_unread_ = false;
    return answer(request, response, std::move(body));
  }
  if (!closes) response.set_header("Connection", "close");
  if (end == BodyEnd::kTooLarge || stream_->is_too_long()) {
    write(request, response,
          error_reply(413, fmt::format("body: more than the {} bytes that are taken", most)));
  } else {
    write(request, response,
          what_is_wrong().value_or(
              error_reply(400, "body: it ended before it was whole, or its chunks are none")));
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
      return sink.write(piece.data(), piece.size()) && !stream_->is_broken();
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

constexpr const char* kNoRequest = "this is no request of HTTP/1.1 that is understood here";

// Of a head that the library could not read.
std::optional<Reply> HttpExchange::what_is_wrong() const {
  if (stream_->is_late()) return error_reply(408, "the request was not here whole in time");
  if (stream_->is_too_long()) return error_reply(431, "the request's head is too long");
  if (stream_->is_malformed()) return error_reply(400, kNoRequest);
  return std::nullopt;
}

void HttpExchange::explain(httplib::Response& response) const {
  if (!response.body.empty()) return;
  if (!understood_) response.set_header("Connection", "close");
  const Reply reply = what_is_wrong().value_or(error_reply(response.status, kNoRequest));
  response.status = reply.status;
  response.set_content(reply.body, reply.content_type);
}

bool HttpExchange::answer_none() {
  const std::optional<Reply> reply = what_is_wrong();
  if (!reply || stream_->has_written()) return false;
  const std::string answer = bare_answer(*reply);
  stream_->write(answer.data(), answer.size());
  service_->metrics().count_request(route(), reply->status, seconds());
  return true;
}

}  // namespace rondo::serve
