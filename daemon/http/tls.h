#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "common/error.h"

struct ssl_ctx_st;
struct ssl_st;

namespace nexus::http {

struct Moved;

/// The server's side of one TLS connection on a non-blocking socket. For one thread at a time.
class TlsSession {
 public:
  TlsSession(ssl_ctx_st* context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// To be called until it has come to `some`, before anything is received or sent.
  Moved handshake();
  Moved receive(char* to, std::size_t size);
  Moved send(const char* from, std::size_t size);
  bool has_buffered() const;
  /// Nothing more is sent (RFC 8446 6.1).
  void say_goodbye();

 private:
  Moved outcome(int result, std::size_t bytes);
  ssl_st* ssl_;
  bool broken_ = false;
};

/// A certificate and its key: TLS 1.2 and later. The files are looked at for each new connection
/// (once a second at most) and read again when they changed; while the new ones do not fit together
/// the old ones stay in use. For one thread.
class TlsCertificate {
 public:
  /// Errors: usage, naming the file that cannot be read or does not fit.
  static Result<std::unique_ptr<TlsCertificate>> load(std::string certificate_file,
                                                      std::string key_file);

  std::unique_ptr<TlsSession> accept(int fd);

 private:
  TlsCertificate(std::string certificate_file, std::string key_file)
      : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}
  Result<void> read();
  void reload_when_changed();

  struct Seen {
    struct timespec changed {};
    ino_t inode = 0;
    off_t size = 0;
    bool operator==(const Seen& other) const;
  };
  static Seen look_at(const std::string& file);

  std::string certificate_file_;
  std::string key_file_;
  Seen certificate_;
  Seen key_;
  std::chrono::steady_clock::time_point looked_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace nexus::http
