#include "daemon/api/proxy_listener.h"

#include "common/json.h"
#include "common/text.h"
#include "daemon/api/credentials.h"
#include "daemon/api/proxied_request.h"
#include "daemon/http/origin_policy.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"

namespace nexus::api {
namespace {

/// Where clients of a sidecar look for it.
constexpr auto kUsual = "127.0.0.1:8070";

Result<http::ListenAddress> loopback_address(const std::string& text, const std::string& setting) {
  NEXUS_TRY(auto address, http::ListenAddress::parse(text, setting));
  if (address.is_loopback()) return address;
  return Error{ErrorCode::usage, setting + " is for programs on this machine: a loopback address",
               "for others turn the gateway on, which has /v1/proxy/CONNECTION: see nexus-api(7)"};
}

bool is_health(const http::Request& request) {
  return request.path == "/health";
}

}  // namespace

Result<std::optional<http::ListenAddress>> ProxyListener::read(const Config& config) {
  const auto& listen = config.forwarding.listen;
  if (listen.empty()) return std::optional<http::ListenAddress>();
  NEXUS_TRY(auto address, loopback_address(listen, "proxy.listen"));
  return std::optional(std::move(address));
}

ProxyListener::ProxyListener(std::optional<http::ListenAddress> configured, Reactor& loop,
                             Services& services, Refusals& refusals, MakeLane make_lane)
    : configured_(std::move(configured)),
      loop_(loop),
      services_(services),
      make_lane_(std::move(make_lane)),
      wrong_keys_(refusals),
      runs_(loop, [this] { close_if_unused(); }) {}

Result<void> ProxyListener::start() {
  if (!configured_) return {};
  const std::lock_guard lock(mutex_);
  NEXUS_CHECK(listen(*configured_));
  stays_ = true;
  return {};
}

Result<Proxy> ProxyListener::open(const std::string& wanted) {
  NEXUS_TRY(const auto address, loopback_address(wanted.empty() ? kUsual : wanted, "--listen"));
  const std::lock_guard lock(mutex_);
  const bool is_there = !url_.empty() && (wanted.empty() || url_ == "http://" + address.text());
  if (!is_there) NEXUS_CHECK(listen(wanted.empty() && configured_ ? *configured_ : address));
  stays_ = true;
  return described();
}

Proxy ProxyListener::close() {
  const std::lock_guard lock(mutex_);
  stays_ = false;
  unlisten();
  return described();
}

Proxy ProxyListener::status() {
  const std::lock_guard lock(mutex_);
  return described();
}

Result<ProxyListener::Begun> ProxyListener::begin(pid_t process, Access access) {
  const std::lock_guard lock(mutex_);
  if (url_.empty()) {
    http::ListenAddress address{"127.0.0.1", 0};
    NEXUS_TRY(address.port, http::free_port(address.host));
    NEXUS_CHECK(listen(address));
  }
  auto key = runs_.begin(process, std::move(access));
  if (!key && !stays_ && runs_.count() == 0) unlisten();
  if (!key) return key.error();
  return Begun{url_, *std::move(key)};
}

/// The one before goes once the new one is there. Locked.
Result<void> ProxyListener::listen(const http::ListenAddress& address) {
  NEXUS_TRY(const auto sockets, http::listen_on_tcp(address, "proxy.listen"));
  if (!lane_) lane_ = make_lane_();
  unlisten();
  auto& lane = *lane_;
  const auto hosts = std::make_shared<const http::HostPolicy>(address, std::vector<std::string>());
  for (const auto& socket : sockets)
    listeners_.push_back(
        lane.server.listen(socket.fd,
                           {.via = Caller::Via::proxy,
                            .takes_malformed_queries = true,
                            .passes_on = [&lane](const http::Request& request) -> Reactor* {
                              return is_health(request) ? nullptr : &lane.client.loop();
                            }},
                           [this, hosts](http::Request request, http::Respond respond) {
                             handle(*hosts, std::move(request), std::move(respond));
                           }));
  url_ = "http://" + address.text();
  return {};
}

void ProxyListener::unlisten() {
  for (const auto listener : listeners_) lane_->server.unlisten(listener);
  listeners_.clear();
  url_.clear();
}

void ProxyListener::close_if_unused() {
  const std::lock_guard lock(mutex_);
  if (!stays_ && runs_.count() == 0) unlisten();
}

Proxy ProxyListener::described() {
  return {url_, stays_, static_cast<std::int64_t>(runs_.count())};
}

void ProxyListener::handle(const http::HostPolicy& hosts, http::Request request,
                           http::Respond respond) {
  static const http::OriginPolicy no_pages;
  if (!hosts.allows(request.header("host")))
    return respond(
        http::own_error({ErrorCode::misdirected_request, "the proxy does not go by this Host",
                         "call it by its address, or by localhost"}));
  if (!request.is_passed_on)
    return respond(http::json_response(
        JsonWriter().begin().member("status", "ok").flag("healthy", true).end().take()));
  request.caller.agent = printable(request.header("user-agent"), 200);
  if (const auto allowed = no_pages.check(request); !allowed)
    return respond(
        http::own_error({ErrorCode::access_denied, "pages in a browser may not call the proxy",
                         "have a program call it, or the gateway"}));
  if (const auto known = authenticate(request); !known) {
    http::Response response;
    std::vector<std::string> audit;
    response = http::own_error(known.error().code == ErrorCode::invalid_api_key
                                   ? wrong_keys_.refuse(known.error(), request, audit)
                                   : known.error());
    if (response.status == 401)
      response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"nexus\"");
    response.audit = std::move(audit);
    return respond(std::move(response));
  }
  auto meant = read_proxied(request);
  forward(services_, {lane_->forwarder, lane_->client.loop()}, std::move(request), std::move(meant),
          std::move(respond));
}

Result<void> ProxyListener::authenticate(http::Request& request) {
  static const auto nobody = std::make_shared<const Access>();
  auto& caller = request.caller;
  caller.access = nobody;
  auto key = take_program_key(request);
  const bool is_of_program = !key.empty();
  if (!is_of_program) {
    NEXUS_TRY(key, take_api_key(request));
  }
  if (key.empty())
    return Error{ErrorCode::missing_api_key, "a key is needed",
                 "start the program with: nexus exec --proxy CONNECTION -- PROGRAM; or send an API "
                 "key as X-API-Key: nexus key create --forward CONNECTION"};
  NEXUS_TRY(const auto identity,
            is_of_program ? runs_.verify(key.expose()) : services_.api_keys.verify(key.expose()));
  caller.key = identity.id;
  caller.access = identity.access;
  return {};
}

void ProxyListener::drain(std::chrono::milliseconds patience, std::function<void()> drained) {
  const std::lock_guard lock(mutex_);
  if (!lane_) return drained();
  listeners_.clear();
  lane_->client.loop().post([this, patience, drained = std::move(drained)] {
    lane_->server.drain(patience, [this, drained] { loop_.post(drained); });
  });
}

void ProxyListener::stop() {
  if (lane_) lane_->client.stop();
}

}  // namespace nexus::api
