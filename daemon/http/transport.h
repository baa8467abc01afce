#pragma once

#include <cstddef>
#include <memory>

#include "daemon/http/tls.h"

namespace nexus::http {

/// What one attempt to move bytes came to.
struct Moved {
  enum class State { some, wait_readable, wait_writable, closed };
  State state = State::closed;
  std::size_t bytes = 0;  ///< of `some`
};

/// An accepted socket, in the clear or under TLS; non-blocking. Closes it in the end.
class Transport {
 public:
  Transport() = default;
  explicit Transport(int fd, std::unique_ptr<TlsSession> tls = nullptr);
  ~Transport();
  Transport(Transport&& other) noexcept;
  Transport& operator=(Transport&& other) noexcept;

  int fd() const { return fd_; }
  /// Under TLS: `some` when it is done. In the clear there is none to make.
  Moved handshake();
  Moved receive(char* to, std::size_t size);
  Moved send(const char* from, std::size_t size);
  /// Has the kernel notice within some minutes that the other end is there no more, however idle it
  /// is.
  void keep_alive();
  /// Tells the other end that nothing more comes; it may still be received from.
  void end_sending();
  /// Has it end as a connection that broke: what the kernel has not sent yet does not arrive.
  void break_off();
  /// Whether `receive` has more without the socket becoming readable.
  bool has_buffered() const;

 private:
  int fd_ = -1;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace nexus::http
