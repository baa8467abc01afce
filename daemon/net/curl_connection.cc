#include "daemon/net/curl_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

namespace nexus {
namespace {

CurlConnection::Moved outcome(CURLcode code, std::size_t bytes) {
  using State = CurlConnection::Moved::State;
  if (code == CURLE_AGAIN) return {State::wait};
  if (code != CURLE_OK) return {State::broken};
  return bytes > 0 ? CurlConnection::Moved{State::some, bytes}
                   : CurlConnection::Moved{State::closed};
}

}  // namespace

CurlConnection::CurlConnection(Reactor& loop)
    : loop_(loop),
      curl_(curl_easy_init(), curl_easy_cleanup),
      multi_(loop, 1, [this](CURL*, CURLcode code) { finish(code); }) {}

CurlConnection::~CurlConnection() {
  if (watch_ != 0) loop_.unwatch(watch_);
  if (curl_) multi_.remove(curl_.get());
}

void CurlConnection::connect(const std::string& url, const AddressPolicy& allowed,
                             const NetworkSettings& settings, Connected connected) {
  url_ = url;
  check_.allowed = allowed;
  if (const auto ready = prepare(settings); !ready) return connected(ready.error());
  connected_ = std::move(connected);
  multi_.add(curl_.get());
}

Result<void> CurlConnection::prepare(const NetworkSettings& settings) {
  CURL* curl = curl_.get();
  if (!curl) return Error{ErrorCode::internal_error, "out of memory", ""};
  set_common_options(curl, url_, settings);
  check_addresses(curl, check_);
  NEXUS_CHECK(set_proxy(curl, url_, settings, check_));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  return {};
}

void CurlConnection::finish(CURLcode code) {
  if (code == CURLE_OK &&
      (curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &socket_) != CURLE_OK ||
       socket_ == CURL_SOCKET_BAD))
    code = CURLE_COULDNT_CONNECT;
  const auto connected = std::exchange(connected_, nullptr);
  if (code == CURLE_OK) return connected({});
  connected(curl_error(code, detail_, server_of(url_), check_));
}

void CurlConnection::on_ready(std::function<void()> ready) {
  multi_.forget_idle(socket_);
  watch_ = loop_.watch(socket_, EPOLLIN | EPOLLOUT,
                       [ready = std::move(ready)](std::uint32_t) { ready(); });
}

void CurlConnection::wait_for(bool receiving, bool sending) {
  loop_.modify(watch_, (receiving ? EPOLLIN : 0U) | (sending ? EPOLLOUT : 0U));
}

CurlConnection::Moved CurlConnection::receive(char* to, std::size_t size) {
  std::size_t bytes = 0;
  const auto code = curl_easy_recv(curl_.get(), to, size, &bytes);
  return outcome(code, bytes);
}

CurlConnection::Moved CurlConnection::send(const char* from, std::size_t size) {
  std::size_t bytes = 0;
  const auto code = curl_easy_send(curl_.get(), from, size, &bytes);
  return outcome(code, bytes);
}

void CurlConnection::end_sending() {
  shutdown(socket_, SHUT_WR);
}

}  // namespace nexus
