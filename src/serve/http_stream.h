// A connection as cpp-httplib reads and writes it, held to limits that the library does not know: a moment by
// which a request is here whole, bytes that its head and its body may have, and the syntax of its head.
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <string>

#include "serve/http_syntax.h"
#include "serve/serve_options.h"
#include "serve/sockets.h"
#include "serve/work_queue.h"

namespace rondo::serve {

class HttpStream : public httplib::Stream {
 public:
  /// All must outlive it. @param crowded  whether others may wait for this one's place: then it is given less
  /// time.
  HttpStream(const Descriptor& socket, const StopEvent& stop, const ConnectionOptions& options,
             const std::function<bool()>& crowded);

  /// Waits until a request begins.
  /// @return  false if it is time to close: nothing came, the client left, or the server stops.
  bool wait_for_request();
  /// Starts the clock and the count of the head.
  void begin_request();
  /// From here on `bytes` more may be read.
  void begin_body(int64_t bytes);

  /// The request was not here in time, or longer than it may be, or its head is none.
  bool is_late() const { return late_; }
  bool is_too_long() const { return too_long_; }
  bool is_malformed() const { return malformed_; }
  /// An answer could not be sent.
  bool has_failed() const { return failed_; }
  /// An answer was begun.
  bool has_written() const { return written_; }
  /// Whether the client sends no more: it hung up, which is seen for sure only when something is sent to it.
  bool is_gone() const;
  /// Whether nothing can be sent to it any more.
  bool is_broken() const;

  /// What was written goes out when flush() is called, or at once from here on.
  void send_at_once();
  void flush();
  /// Reads what the client still sends, for a moment: closing at once would reset the connection, and the
  /// client might never see the answer.
  void linger();

  // httplib::Stream
  bool is_readable() const override { return true; }
  bool is_writable() const override { return !failed_; }
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_->get(); }
  // Newer versions of the library ask for these, too.
  bool wait_readable() const { return true; }
  bool wait_writable() const { return !failed_; }
  time_t duration() const { return 0; }

 private:
  bool fill();
  size_t take_head(size_t most);
  bool wait_for_input() const;
  Clock::time_point deadline() const;
  bool wait(short events, Clock::time_point until) const;

  const Descriptor* socket_;
  const StopEvent* stop_;
  ConnectionOptions options_;
  const std::function<bool()>* crowded_;
  std::string input_;
  size_t position_ = 0;
  std::string output_;
  Clock::time_point begun_;
  HeadSyntax head_;
  int64_t left_ = 0;
  bool late_ = false, too_long_ = false, malformed_ = false;
  bool failed_ = false, at_once_ = false, written_ = false;
};

}  // namespace rondo::serve
