#include "serve/http_stream.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rondo::serve {

namespace {

using std::chrono::milliseconds;

constexpr int64_t kMostHead = 32768;     // bytes of request line and headers together
constexpr size_t kChunk = 16384;         // bytes that are read at once
constexpr size_t kMostOutput = 1 << 16;  // bytes that wait to be sent together
constexpr milliseconds kIdleInACrowd{1000}, kReadingInACrowd{2000};
constexpr milliseconds kGlance{250};  // how often it is looked whether there is one
constexpr milliseconds kLinger{2000};

Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

/// Milliseconds for poll(), rounded up: a wait that ends too early would spin.
int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1000000));
}

void address_of(int descriptor, decltype(&getpeername) name_of_socket, std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ip.clear();
  port = 0;
  if (name_of_socket(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.ss_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(&address);
    bytes = &four->sin_addr;
    port = ntohs(four->sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(&address);
    bytes = &six->sin6_addr;
    port = ntohs(six->sin6_port);
  }
  if (bytes && inet_ntop(address.ss_family, bytes, text.data(), text.size())) ip = text.data();
}

}  // namespace

HttpStream::HttpStream(const Descriptor& socket, const StopEvent& stop, const ConnectionOptions& options,
                       const std::function<bool()>& crowded)
    : socket_(&socket), stop_(&stop), options_(options), crowded_(&crowded) {}

bool HttpStream::wait(short events, Clock::time_point until) const {
  for (;;) {
    pollfd one{.fd = socket_->get(), .events = events, .revents = 0};
    const int ready = poll(&one, 1, milliseconds_until(until));
    if (ready > 0) return true;
    if (ready == 0 && Clock::now() >= until) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool HttpStream::wait_for_request() {
  if (position_ < input_.size()) return true;  // it came with the one before
  const Clock::time_point begin = Clock::now(), end = begin + seconds(options_.idle_timeout_s);
  for (;;) {
    std::array<pollfd, 2> both = {pollfd{.fd = socket_->get(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = stop_->descriptor(), .events = POLLIN, .revents = 0}};
    const int ready =
        poll(both.data(), both.size(), milliseconds_until(std::min(end, Clock::now() + kGlance)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0 && both[0].revents != 0) return true;
    if (ready > 0 && both[1].revents != 0) return false;
    const Clock::time_point now = Clock::now();
    if (now >= end || (now >= begin + kIdleInACrowd && (*crowded_)())) return false;
  }
}

void HttpStream::begin_request() {
  begun_ = Clock::now();
  head_ = HeadSyntax();
  left_ = kMostHead;
  late_ = too_long_ = malformed_ = at_once_ = written_ = false;
}

void HttpStream::begin_body(int64_t bytes) { left_ = bytes; }

bool HttpStream::is_gone() const {
  pollfd one{.fd = socket_->get(), .events = POLLRDHUP, .revents = 0};
  return failed_ || poll(&one, 1, 0) > 0;
}

bool HttpStream::is_broken() const {
  pollfd one{.fd = socket_->get(), .events = 0, .revents = 0};  // errors are told without being asked for
  return failed_ || poll(&one, 1, 0) > 0;
}

Clock::time_point HttpStream::deadline() const {
  const Clock::time_point end = begun_ + seconds(options_.read_timeout_s);
  return (*crowded_)() ? std::min(end, begun_ + kReadingInACrowd) : end;
}

bool HttpStream::wait_for_input() const {
  for (;;) {
    const Clock::time_point now = Clock::now(), end = deadline();
    if (now >= end) return false;
    if (wait(POLLIN, std::min(end, now + kGlance))) return true;
  }
}

// More input; false at the end of it, or of the time.
bool HttpStream::fill() {
  input_.resize(kChunk);
  position_ = 0;
  for (;;) {
    const ssize_t count = recv(socket_->get(), input_.data(), input_.size(), 0);
    if (count > 0) {
      input_.resize(static_cast<size_t>(count));
      return true;
    }
    const bool nothing_yet = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    late_ = nothing_yet && !wait_for_input();
    if (!nothing_yet || late_) {
      input_.clear();
      return false;
    }
  }
}

// How many of the next bytes belong to the head.
size_t HttpStream::take_head(size_t most) {
  size_t count = 0;
  while (count < most && !head_.is_whole() && !malformed_)
    malformed_ = !head_.take(input_[position_ + count++]);
  return count;
}

ssize_t HttpStream::read(char* to, size_t size) {
  if (size == 0) return 0;
  if (malformed_) return -1;
  // A client that drips its bytes finds something in the buffer each time: the clock counts here, too.
  if (position_ >= input_.size()) {
    if (Clock::now() >= deadline()) late_ = true;
    if (late_ || !fill()) return late_ ? -1 : 0;
  }
  if (left_ <= 0) {
    too_long_ = true;
    return -1;
  }
  size_t count = std::min({size, input_.size() - position_, static_cast<size_t>(left_)});
  if (!head_.is_whole()) count = take_head(count);
  if (malformed_) return -1;
  std::copy_n(input_.data() + position_, count, to);
  position_ += count;
  left_ -= static_cast<int64_t>(count);
  return static_cast<ssize_t>(count);
}

ssize_t HttpStream::write(const char* bytes, size_t size) {
  written_ = true;
  output_.append(bytes, size);
  if (at_once_ || output_.size() >= kMostOutput) flush();
  return failed_ ? -1 : static_cast<ssize_t>(size);
}

void HttpStream::send_at_once() {
  flush();
  at_once_ = true;
}

void HttpStream::flush() {
  // Some progress now and then is not enough: who takes less than this a second takes too little.
  constexpr double kLeastBytes = 16384;
  const Clock::duration patience = seconds(options_.write_timeout_s);
  const Clock::time_point end =
      Clock::now() + patience + seconds(static_cast<double>(output_.size()) / kLeastBytes);
  size_t sent = 0;
  while (sent < output_.size() && !failed_) {
    const ssize_t count = send(socket_->get(), output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      failed_ = !wait(POLLOUT, std::min(end, Clock::now() + patience));
    } else if (errno != EINTR) {
      failed_ = true;
    }
  }
  output_.clear();
}

void HttpStream::linger() {
  shutdown(socket_->get(), SHUT_WR);
  std::array<char, kChunk> ignored;
  const Clock::time_point end = Clock::now() + kLinger;
  while (Clock::now() < end && !stop_->is_set() && wait(POLLIN, end)) {
    const ssize_t count = recv(socket_->get(), ignored.data(), ignored.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
  }
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  address_of(socket_->get(), &getpeername, ip, port);
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  address_of(socket_->get(), &getsockname, ip, port);
}

}  // namespace rondo::serve
