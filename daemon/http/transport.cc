#include "daemon/http/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace nexus::http {
namespace {

Moved outcome(ssize_t moved, Moved::State when_blocked) {
  if (moved > 0) return {Moved::State::some, static_cast<std::size_t>(moved)};
  if (moved < 0 && errno == EAGAIN) return {when_blocked, 0};
  return {Moved::State::closed, 0};
}

}  // namespace

Transport::Transport(int fd, std::unique_ptr<TlsSession> tls) : fd_(fd), tls_(std::move(tls)) {}

Transport::~Transport() {
  tls_.reset();  // says goodbye while the socket is open
  if (fd_ >= 0) close(fd_);
}

Transport::Transport(Transport&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)) {}

Transport& Transport::operator=(Transport&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(tls_, other.tls_);
  return *this;
}

Moved Transport::handshake() {
  return tls_ ? tls_->handshake() : Moved{Moved::State::some};
}

Moved Transport::receive(char* to, std::size_t size) {
  if (tls_) return tls_->receive(to, size);
  ssize_t got = 0;
  do got = recv(fd_, to, size, 0);
  while (got < 0 && errno == EINTR);
  return outcome(got, Moved::State::wait_readable);
}

Moved Transport::send(const char* from, std::size_t size) {
  if (tls_) return tls_->send(from, size);
  ssize_t sent = 0;
  do sent = ::send(fd_, from, size, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return outcome(sent, Moved::State::wait_writable);
}

void Transport::keep_alive() {
  const int on = 1;
  const int seconds = 60;
  setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd_, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);  // not of a Unix socket
  setsockopt(fd_, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

void Transport::end_sending() {
  if (tls_) tls_->say_goodbye();
  shutdown(fd_, SHUT_WR);
}

void Transport::break_off() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);  // not of a Unix socket
}

bool Transport::has_buffered() const {
  return tls_ && tls_->has_buffered();
}

}  // namespace nexus::http
