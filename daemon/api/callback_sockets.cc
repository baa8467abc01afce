#include "daemon/api/callback_sockets.h"

#include "common/text.h"
#include "daemon/api/capture_pages.h"
#include "daemon/http/sockets.h"
#include "daemon/net/url.h"

namespace nexus::api {
namespace {

/// That the gateway listens somewhere else does not move the callback: how it is moved.
std::string way_by_gateway(const http::ListenAddress& gateway, const std::string& path) {
  if (!gateway.is_loopback())
    return "; or let the gateway answer there: set callback.base_url to the https address that "
           "people reach it by, and register that with " +
           path + " at the provider";
  const auto base = "http://" + gateway.text();
  return "; or let the gateway answer there: set callback.base_url = \"" + base +
         "\" and register " + base + path + " at the provider";
}

}  // namespace

CallbackSockets::CallbackSockets(http::Server& server, std::string callback_path,
                                 std::optional<Gateway> gateway, http::Handler handler)
    : server_(server),
      callback_path_(std::move(callback_path)),
      gateway_(std::move(gateway)),
      handler_(std::move(handler)) {}

Result<void> CallbackSockets::open(const std::string& redirect_uri) {
  NEXUS_TRY(const auto url, parse_url(redirect_uri, "callback.base_url"));
  const std::lock_guard lock(mutex_);
  paths_.insert(url.path);
  if (gateway_ && (gateway_->https || gateway_->address.covers(url.host, url.port))) return {};
  if (url.scheme != "http" || !url.is_loopback())
    return Error{ErrorCode::callback_unavailable,
                 "nobody listens for the provider's answer at " + printable(redirect_uri, 200),
                 url.scheme == "https"
                     ? "let the gateway answer at an https address of yours ([gateway] "
                       "tls_certificate, or a proxy before it) and set callback.base_url to that"
                     : "set callback.base_url to a loopback host, or turn the gateway on"};
  // As it stands in the redirect URI: the comparison later is exact.
  const auto origin = redirect_uri.substr(0, redirect_uri.find('/', url.scheme.size() + 3));
  if (origins_.contains(origin)) return {};
  // Some providers insist on localhost, others on 127.0.0.1: both may be awaited on one port.
  const auto held = [this](const std::string& address) { return listeners_.contains(address); };
  auto bound = http::listen_on_tcp({url.host, url.port}, "callback.base_url", held);
  if (!bound && gateway_) bound.error().hint += way_by_gateway(gateway_->address, url.path);
  NEXUS_TRY(const auto sockets, std::move(bound));
  for (const auto& socket : sockets)
    listeners_[socket.address] = server_.listen(
        socket.fd,
        {.via = Caller::Via::callback, .keep_alive = false, .takes_malformed_queries = true},
        handler_);
  origins_.insert(origin);
  return {};
}

Result<std::string> CallbackSockets::with_free_port(const std::string& redirect_uri) {
  NEXUS_TRY(const auto url, parse_url(redirect_uri, "callback.base_url"));
  NEXUS_TRY(const int port, http::free_port(url.host));
  return url.scheme + "://" + url.host + ":" + std::to_string(port) + url.path;
}

void CallbackSockets::close() {
  const std::lock_guard lock(mutex_);
  for (const auto& [address, listener] : listeners_) server_.unlisten(listener);
  listeners_.clear();
  origins_.clear();
  paths_.clear();
}

bool CallbackSockets::awaits(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  return origins_.contains(origin);
}

bool CallbackSockets::expects(const std::string& path) {
  if (is_capture_path(path)) return true;
  if (path == callback_path_ || path.starts_with(callback_path_ + "/") || path == "/v1/callback")
    return true;
  const std::lock_guard lock(mutex_);
  return paths_.contains(path);
}

}  // namespace nexus::api
