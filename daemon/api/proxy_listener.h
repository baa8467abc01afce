#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/api/proxy.h"
#include "common/config.h"
#include "daemon/access/runs.h"
#include "daemon/api/routes.h"
#include "daemon/api/wrong_keys.h"
#include "daemon/http/host_policy.h"
#include "daemon/http/server.h"
#include "daemon/net/streaming_client.h"
#include "daemon/permit.h"
#include "daemon/upstream/forwarder.h"

namespace nexus::api {

/// One of the threads that serve the proxy: a server on the very loop that sends the requests on,
/// so that a request never goes from one thread to another, and its traffic holds nobody else up.
struct ProxyLane {
  ProxyLane(NetworkSettings settings, http::Server::BeforeSend before_send, Tokens& tokens,
            Providers& providers, ConnectionPermits& permits, RouteRules rules, Clock wall_clock)
      : client(std::move(settings)),
        server(client.loop(), std::move(before_send), {}),
        forwarder(tokens, providers, permits, client, std::move(rules), std::move(wall_clock)) {}

  StreamingClient client;
  http::Server server;
  Forwarder forwarder;
};

/// The APIs of connections on a loopback port, `http://127.0.0.1:PORT/{connection}/{path}`, for
/// programs that know a base URL and no Nexus. It listens where nexus.toml says, or while it is
/// asked to, or for as long as a program runs that was started with it. What comes in is let
/// through in this order: Host (J5), origin (J6), key. Thread-safe.
class ProxyListener {
 public:
  using MakeLane = std::function<std::unique_ptr<ProxyLane>()>;

  /// Nothing where nexus.toml asks for none. Error: usage, naming the setting.
  static Result<std::optional<http::ListenAddress>> read(const Config& config);

  /// `loop` is the daemon's: it learns of programs that have ended.
  ProxyListener(std::optional<http::ListenAddress> configured, Reactor& loop, Services& services,
                Refusals& refusals, MakeLane make_lane);

  /// What the next nexusd in this process takes over (handover.h).
  struct Left {
    std::string url{};   ///< "" where it does not listen
    bool asked = false;  ///< by a command, not by nexus.toml nor only by programs that run
    std::vector<Runs::Left> programs{};
  };
  Left leave();

  /// Where nexus.toml asks for it, or where the one before listened for programs that still run, or
  /// was asked to. Error: callback_unavailable when the address is taken.
  Result<void> start(Left left);
  /// Listens from now on, at `listen` or where it is expected by default. Errors: usage for what is
  /// no loopback address, callback_unavailable.
  Result<Proxy> open(const std::string& listen);
  /// Listens no more and ends what is under way, once no program runs that uses it.
  Proxy close();
  Proxy status();
  /// Listens for the process that asks, with a key that ends with it. Errors: those of Runs::begin,
  /// callback_unavailable.
  struct Begun {
    std::string url;
    Secret key;
  };
  Result<Begun> begin(pid_t process, Access access);

  /// Accepts nothing more; `drained` is called on the daemon's loop, once what is in progress has
  /// been answered or that has taken too long.
  void drain(std::chrono::milliseconds patience, std::function<void()> drained);
  /// Ends all that is under way, before anything goes that requests are served from.
  void stop();

 private:
  Result<void> listen(const http::ListenAddress& address);
  /// From where it begins to listen to where it listens there no more.
  struct Session {
    http::HostPolicy hosts;
    std::shared_ptr<Permit> permit;
  };
  using SharedSession = std::shared_ptr<const Session>;
  static http::ListenerOptions options_of(ProxyLane& lane);
  http::Handler handler_of(ProxyLane& lane, const SharedSession& session);
  std::function<bool(int, const Caller&)> in_turn(const SharedSession& session);
  void unlisten();
  void close_if_unused();
  Proxy described();
  void handle(ProxyLane& lane, const Session& session, http::Request request,
              http::Respond respond);
  Result<void> authenticate(http::Request& request);

  const std::optional<http::ListenAddress> configured_;
  Reactor& loop_;
  Services& services_;
  MakeLane make_lane_;
  WrongKeys wrong_keys_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ProxyLane>> lanes_;  ///< made with the first listener, and kept
  std::vector<int> listening_;                     ///< of the first lane
  SharedSession session_;                          ///< nothing while it does not listen
  std::string url_;
  bool stays_ = false;
  Runs runs_;
};

}  // namespace nexus::api
