// The operating system's side of a server: a socket that listens, a signal to stop, descriptors that close.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace rondo::serve {

/// A file descriptor that is closed when it goes.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int get() const { return number_; }

 private:
  int number_;
};

/// Something to poll() that is readable once set() was called.
class StopEvent {
 public:
  /// @throws IoError
  StopEvent();
  void set() const;
  bool is_set() const;
  int descriptor() const { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
};

/// A socket that listens.
class Listener {
 public:
  /// @param port  0: a free one.  @throws IoError that says why not.
  Listener(const std::string& host, int port);
  int descriptor() const { return descriptor_.get(); }
  int port() const { return port_; }
  /// The next connection, not blocking and without Nagle's delay; -1 if there is none just now.
  Descriptor accept() const;
  /// From now on whoever comes is refused by the system.
  void close() { descriptor_ = Descriptor(); }

 private:
  Descriptor descriptor_;
  int port_ = 0;
};

/// Whether only this machine reaches what listens there: 127.x.x.x, ::1 or localhost.
bool is_loopback(const std::string& host);
/// Whether the header `Host` has an address or localhost. With any other name a page elsewhere may have led a
/// browser here (its owner decides what address the name has), and would be let read the answers.
bool is_local_name(std::string_view host_header);

}  // namespace rondo::serve
