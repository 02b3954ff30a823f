#include "serve/sockets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/errors.h"

namespace rondo::serve {

namespace {

constexpr int kBacklog = 512;  // connections that the system keeps until they are accepted

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw_error<IoError>("serve: --host {}: {}; give an address of this machine, such as 127.0.0.1", host,
                         gai_strerror(error));
  }
  return {found, &freeaddrinfo};
}

Descriptor open_socket(const addrinfo& address) {
  Descriptor made(socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (made.get() < 0) return made;
  const int yes = 1;
  // Not SO_REUSEPORT: a second server on the same port must fail, not take half of the requests.
  setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(made.get(), address.ai_addr, address.ai_addrlen) == 0 && listen(made.get(), kBacklog) == 0) {
    return made;
  }
  const int error = errno;
  made = Descriptor();
  errno = error;
  return made;
}

int port_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

bool is_address(const std::string& text) {
  in6_addr address{};  // the larger of both
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_address(host));
}

bool is_local_name(std::string_view host_header) {
  std::string host(host_header);
  if (host.empty()) return true;  // no browser leaves it out
  if (host.front() == '[') {
    const size_t end = host.find(']');
    return end != std::string::npos && is_address(host.substr(1, end - 1));
  }
  host.erase(std::min(host.size(), host.rfind(':')));
  return strcasecmp(host.c_str(), "localhost") == 0 || is_address(host);
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

StopEvent::StopEvent() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_.get() < 0) throw_error<IoError>("serve: no event descriptor: {}", std::strerror(errno));
}

void StopEvent::set() const { eventfd_write(descriptor_.get(), 1); }

bool StopEvent::is_set() const {
  pollfd one{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
  return poll(&one, 1, 0) > 0;
}

Listener::Listener(const std::string& host, int port) {
  const Addresses addresses = resolve(host, port);
  for (const addrinfo* at = addresses.get(); at && descriptor_.get() < 0; at = at->ai_next) {
    descriptor_ = open_socket(*at);
  }
  if (descriptor_.get() < 0) {
    throw_error<IoError>("serve: cannot listen on {}:{}: {}; give another --host or --port (0: any free one)",
                         host, port, std::strerror(errno));
  }
  port_ = port_of(descriptor_.get());
}

Descriptor Listener::accept() const {
  Descriptor made(accept4(descriptor_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (made.get() < 0) return made;
  const int yes = 1;
  setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return made;
}

}  // namespace rondo::serve
