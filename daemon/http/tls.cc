#include "daemon/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <climits>

#include "common/regular_file.h"
#include "daemon/http/transport.h"
#include "daemon/log.h"
#include "daemon/private_file.h"

namespace nexus::http {
namespace {

/// What OpenSSL says of the last failure; it names no key material.
std::string reason() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* text = code ? ERR_reason_error_string(code) : nullptr;
  return text ? text : "unknown reason";
}

/// Clients that offer HTTP/2 as well are told which one it is (RFC 7301).
int choose_http1(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                 unsigned int offered_size, void*) {
  static constexpr unsigned char http1[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, http1, sizeof http1 - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int as_int(std::size_t size) {
  return size > INT_MAX ? INT_MAX : static_cast<int>(size);
}

}  // namespace

TlsSession::TlsSession(SSL_CTX* context, int fd) : ssl_(SSL_new(context)) {
  if (!ssl_ || SSL_set_fd(ssl_, fd) != 1) {
    broken_ = true;
    return;
  }
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() {
  say_goodbye();
  SSL_free(ssl_);
  ERR_clear_error();
}

void TlsSession::say_goodbye() {
  const bool can = ssl_ && !broken_ && SSL_is_init_finished(ssl_);
  if (can && (SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(ssl_);
  ERR_clear_error();
}

Moved TlsSession::outcome(int result, std::size_t bytes) {
  if (result == 1) return {Moved::State::some, bytes};
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {Moved::State::wait_readable, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Moved::State::wait_writable, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Moved::State::closed, 0};
    default:
      broken_ = true;  // SSL_shutdown must not be called any more
      return {Moved::State::closed, 0};
  }
}

Moved TlsSession::handshake() {
  if (broken_) return {};
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_), 0);
}

Moved TlsSession::receive(char* to, std::size_t size) {
  if (broken_) return {};
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_, to, static_cast<std::size_t>(as_int(size)), &bytes);
  return outcome(result, bytes);
}

Moved TlsSession::send(const char* from, std::size_t size) {
  if (broken_) return {};
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_write_ex(ssl_, from, static_cast<std::size_t>(as_int(size)), &bytes);
  return outcome(result, bytes);
}

bool TlsSession::has_buffered() const {
  return !broken_ && SSL_has_pending(ssl_) == 1;
}

bool TlsCertificate::Seen::operator==(const Seen& other) const {
  return changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec &&
         inode == other.inode && size == other.size;
}

TlsCertificate::Seen TlsCertificate::look_at(const std::string& file) {
  struct stat about {};
  if (stat(file.c_str(), &about) != 0) return {};
  return {about.st_mtim, about.st_ino, about.st_size};
}

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::load(std::string certificate_file,
                                                             std::string key_file) {
  std::unique_ptr<TlsCertificate> loaded(
      new TlsCertificate(std::move(certificate_file), std::move(key_file)));
  NEXUS_CHECK(loaded->read());
  return loaded;
}

Result<void> TlsCertificate::read() {
  // Also of what is refused, so that it is once.
  certificate_ = look_at(certificate_file_);
  key_ = look_at(key_file_);
  looked_ = std::chrono::steady_clock::now();
  if (const auto kept = check_private("gateway.tls_key", key_file_, Owner::this_user_or_root);
      !kept)
    return Error{ErrorCode::usage, kept.error().message, kept.error().hint};
  for (const auto& file : {certificate_file_, key_file_})
    if (open_regular_file(file).get() < 0)
      return Error{ErrorCode::usage,
                   (file == key_file_ ? "gateway.tls_key " : "gateway.tls_certificate ") + file +
                       " cannot be used: " + why_not_opened(),
                   "name a readable file in PEM form"};
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Error{ErrorCode::failure, "TLS cannot be initialised: " + reason(), ""};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http1, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file_.c_str()) != 1)
    return Error{ErrorCode::usage,
                 "gateway.tls_certificate " + certificate_file_ + " cannot be used: " + reason(),
                 "name a readable file with the certificate and its chain in PEM form"};
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file_.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return Error{ErrorCode::usage, "gateway.tls_key " + key_file_ + " cannot be used: " + reason(),
                 "name a readable file with the certificate's own key in PEM form"};
  context_ = context;
  return {};
}

void TlsCertificate::reload_when_changed() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < std::chrono::seconds(1)) return;
  looked_ = now;
  if (look_at(certificate_file_) == certificate_ && look_at(key_file_) == key_) return;
  const auto read_again = read();
  if (read_again) return log(LogLevel::info, "certificate_reloaded", {{"file", certificate_file_}});
  log(LogLevel::error, "certificate_not_reloaded", {{"error", read_again.error().message}});
}

std::unique_ptr<TlsSession> TlsCertificate::accept(int fd) {
  reload_when_changed();
  return std::make_unique<TlsSession>(context_.get(), fd);
}

}  // namespace nexus::http
