#include "daemon/api/proxy_listener.h"

#include <algorithm>
#include <ranges>
#include <thread>
#include <utility>

#include "common/json.h"
#include "common/own_keys.h"
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
constexpr std::string_view kScheme = "http://";

Result<http::ListenAddress> loopback_address(const std::string& text, const std::string& setting) {
  NEXUS_TRY(auto address, http::ListenAddress::parse(text, setting));
  if (address.is_loopback()) return address;
  return Error{ErrorCode::usage, setting + " is for programs on this machine: a loopback address",
               "for others turn the gateway on, which has /v1/proxy/CONNECTION: see nexus-api(7)"};
}

/// The listener of sockets that another lane has accepted: none that a server makes has this id.
constexpr int kHandedOver = 0;

std::string url_of(const http::ListenAddress& address) {
  return std::string(kScheme) + address.text();
}

std::size_t lane_count() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
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

ProxyListener::Left ProxyListener::leave() {
  const std::lock_guard lock(mutex_);
  const bool asked = stays_ && !(configured_ && url_ == url_of(*configured_));
  return {url_, asked, runs_.leave()};
}

Result<void> ProxyListener::start(Left left) {
  const std::lock_guard lock(mutex_);
  runs_.take_over(std::move(left.programs));
  auto address = configured_;
  // Programs know no other address than the one that they were started with.
  if (runs_.count() > 0 || (left.asked && !configured_)) {
    NEXUS_TRY(address, loopback_address(left.url.substr(kScheme.size()), "the proxy's address"));
  }
  if (!address) return {};
  NEXUS_CHECK(listen(*address));
  stays_ = left.asked || configured_;
  return {};
}

Result<Proxy> ProxyListener::open(const std::string& wanted) {
  NEXUS_TRY(const auto address, loopback_address(wanted.empty() ? kUsual : wanted, "--listen"));
  const std::lock_guard lock(mutex_);
  const bool is_there = !url_.empty() && (wanted.empty() || url_ == url_of(address));
  if (!is_there && runs_.count() > 0)
    return Error{ErrorCode::invalid_state,
                 "programs that run use the proxy at " + url_ + ", which would end",
                 "end them first, or leave --listen out; nexus proxy status tells how many"};
  if (!is_there) NEXUS_CHECK(listen(wanted.empty() && configured_ ? *configured_ : address));
  stays_ = true;
  return described();
}

Proxy ProxyListener::close() {
  const std::lock_guard lock(mutex_);
  stays_ = false;
  if (runs_.count() == 0) unlisten();
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
  while (lanes_.size() < lane_count()) lanes_.push_back(make_lane_());
  unlisten();
  session_ = std::make_shared<const Session>(
      Session{http::HostPolicy(address, std::vector<std::string>()), std::make_shared<Permit>()});
  auto& first = *lanes_.front();
  for (const auto& socket : sockets) {
    auto options = options_of(first);
    options.hands_over = in_turn(session_);
    listening_.push_back(
        first.server.listen(socket.fd, std::move(options), handler_of(first, session_)));
  }
  url_ = url_of(address);
  return {};
}

http::ListenerOptions ProxyListener::options_of(ProxyLane& lane) {
  return {.via = Caller::Via::proxy,
          .takes_malformed_queries = true,
          .passes_on = [&lane](const http::Request& request) -> Reactor* {
            return is_health(request) ? nullptr : &lane.client.loop();
          }};
}

http::Handler ProxyListener::handler_of(ProxyLane& lane, const SharedSession& session) {
  return [this, &lane, session](http::Request request, http::Respond respond) {
    handle(lane, *session, std::move(request), std::move(respond));
  };
}

/// The first lane accepts for all of them: each has its share, also of a few.
std::function<bool(int, const Caller&)> ProxyListener::in_turn(const SharedSession& session) {
  std::vector<std::shared_ptr<const http::Listener>> listeners;
  for (const auto& lane : lanes_)
    listeners.push_back(std::make_shared<const http::Listener>(
        http::Listener{kHandedOver, options_of(*lane), handler_of(*lane, session)}));
  return [this, listeners, next = std::size_t{0}](int fd, const Caller& caller) mutable {
    next = (next + 1) % listeners.size();
    if (next == 0) return false;
    lanes_[next]->server.take(fd, caller, listeners[next]);
    return true;
  };
}

void ProxyListener::unlisten() {
  for (const auto listener : listening_) lanes_.front()->server.unlisten(listener);
  for (const auto& lane : lanes_) lane->server.unlisten(kHandedOver);
  listening_.clear();
  url_.clear();
  if (const auto over = std::exchange(session_, nullptr))
    over->permit->withdraw(
        {ErrorCode::access_denied, "the proxy was stopped", "start it again: nexus proxy start"});
}

void ProxyListener::close_if_unused() {
  const std::lock_guard lock(mutex_);
  if (!stays_ && runs_.count() == 0) unlisten();
}

Proxy ProxyListener::described() {
  return {url_, stays_, static_cast<std::int64_t>(runs_.count())};
}

void ProxyListener::handle(ProxyLane& lane, const Session& session, http::Request request,
                           http::Respond respond) {
  static const http::OriginPolicy no_pages;
  if (!session.hosts.allows(request.header("host")))
    return respond(
        http::own_error({ErrorCode::misdirected_request, "the proxy does not go by this Host",
                         "call it by its address, or by localhost"}));
  if (!request.is_passed_on)
    return respond(http::json_response(
        JsonWriter().begin().member("status", "ok").flag("healthy", true).end().take()));
  request.caller.agent = printable_without_keys(request.header("user-agent"), 200);
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
  forward(services_, {lane.forwarder, lane.client.loop(), session.permit}, std::move(request),
          std::move(meant), std::move(respond));
}

Result<void> ProxyListener::authenticate(http::Request& request) {
  static const auto nobody = std::make_shared<const Access>();
  auto& caller = request.caller;
  caller.access = nobody;
  auto key = take_key(request);
  if (key.empty()) {
    NEXUS_TRY(key, take_api_key(request));  // one of the environment looks like anything
  }
  if (key.empty())
    return Error{ErrorCode::missing_api_key, "a key is needed",
                 "start the program with: nexus exec --proxy CONNECTION -- PROGRAM; or send an API "
                 "key as X-API-Key: nexus key create --name NAME --forward CONNECTION-ID"};
  NEXUS_TRY(const auto identity, key.expose().starts_with(Runs::kPrefix)
                                     ? runs_.verify(key.expose())
                                     : services_.api_keys.verify(key.expose()));
  caller.key = identity.id;
  caller.access = identity.access;
  caller.permit = identity.permit;
  return {};
}

void ProxyListener::drain(std::chrono::milliseconds patience, std::function<void()> drained) {
  const std::lock_guard lock(mutex_);
  listening_.clear();
  if (lanes_.empty()) return drained();
  const auto under_way = std::make_shared<std::size_t>(lanes_.size());
  const auto one_less = [under_way, drained = std::move(drained)] {
    if (--*under_way == 0) drained();
  };
  const auto drain_lane = [this, patience, one_less](ProxyLane& lane) {
    lane.server.drain(patience, [this, one_less] { loop_.post(one_less); });
  };
  // The first one accepts for all: the others come to their end behind what it has handed to them.
  lanes_.front()->client.loop().post([this, drain_lane] {
    drain_lane(*lanes_.front());
    for (const auto& each : lanes_ | std::views::drop(1))
      each->client.loop().post([&lane = *each, drain_lane] { drain_lane(lane); });
  });
}

void ProxyListener::stop() {
  for (const auto& lane : lanes_) lane->client.stop();
}

}  // namespace nexus::api
