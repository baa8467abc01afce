#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "daemon/access/api_keys.h"
#include "daemon/api/limits.h"
#include "daemon/audit.h"
#include "daemon/backup/backup.h"
#include "daemon/bundle/exporter.h"
#include "daemon/bundle/importer.h"
#include "daemon/bundle/moves.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/connections.h"
#include "daemon/connect/provider_checks.h"
#include "daemon/connect/provider_reach.h"
#include "daemon/connect/request.h"
#include "daemon/custody/root_keys.h"
#include "daemon/custody/rotation.h"
#include "daemon/custody/trust.h"
#include "daemon/http/message.h"
#include "daemon/integrity_check.h"
#include "daemon/provider/plan.h"
#include "daemon/provider/providers.h"
#include "daemon/refusals.h"
#include "daemon/token/tokens.h"
#include "daemon/upstream/forwarder.h"
#include "daemon/worker_pool.h"

namespace nexus::api {

/// What `nexus daemon status` tells beside the counts.
struct DaemonFacts {
  std::string socket;
  std::string data_dir;
  std::int64_t lock_after_minutes = 0;
  bool lock_on_suspend = false;
  int landlock = 0;
  bool seccomp = false;
  std::string gateway;  ///< its URL, "" while it is off
  std::string
      callback;  ///< where providers send people back to, but for those with a path of their own
  bool callback_on_gateway =
      false;  ///< the gateway answers there, else a port that is bound for it
  UnixTime started_at = 0;
};

class ProxyListener;

/// Everything the routes serve from.
struct Services {
  Store& store;
  const IntegrityCheck& integrity;
  Providers& providers;
  ProviderRegistry& registry;
  ProviderPlans& provider_plans;
  ProviderChecks& provider_checks;
  ProviderReaches& provider_reaches;
  const RedirectUris& redirect_uris;
  Connections& connections;
  ConnectionRequests& requests;
  AuthorizationCodeFlow& code_flow;
  Captures& captures;
  DeviceFlow& device_flow;
  Tokens& tokens;
  UseGate& use_gate;
  Forwarder& forwarder;
  Moves& moves;
  BundleExporter& bundle_exporter;
  BundleImporter& bundle_importer;
  ApiKeys& api_keys;
  ProxyListener& proxy;
  Audit& audit;
  Refusals& refusals;
  Reactor& loop;                ///< where answers are sent from
  WorkerPool& network_workers;  ///< for what may wait for a provider
  WorkerPool& disk_workers;     ///< for what reads or writes many rows: never behind a provider
  const Vault& vault;
  RootKeys& root_keys;
  Rotation& rotation;
  Trust& trust;
  Backups& backups;
  Limits& limits;
  Clock clock;
  DaemonFacts facts;
  /// Has another program take nexusd's place in this process; nothing where that cannot be.
  std::function<Result<void>(const std::string& program)> restart{};
  /// Forgets the vault's key, once what is under way is done; nothing where that cannot be.
  std::function<Result<void>(const Caller& caller)> lock{};
  /// Why nobody says so before the machine sleeps, "" for no reason; nothing where the vault is not
  /// locked then.
  std::function<std::string()> suspend_trouble{};
};

/// The decoded `{}` segments of a route's path, in order.
using Arguments = std::vector<std::string>;

/// What a caller that comes over TCP has to show. `control_socket`: it comes the wrong way, with
/// whatever key. `changing_key`: any, but not for who only uses connections.
enum class Needs { nothing, key_unless_open, key, changing_key, admin_key, control_socket };

struct Route;

/// The route that a request means, or what it could have asked for there.
struct RouteMatch {
  const Route* route = nullptr;
  Arguments arguments;
  std::string allowed;  ///< methods of other routes with this path, "" where there are none
};

RouteMatch find_route(const http::Request& request);
/// That a path is a route's, or the capture page's: no provider's answer is looked for there.
bool is_own_path(const std::string& path);
Needs needs_of(const Route& route);
/// Answers with the route's handler, here or on a worker. `match.route` is not null.
void run_route(RouteMatch match, Services& services, http::Request request, http::Respond respond);
/// The answer where no route was found: 404, 405 or 501.
http::Response no_route(const RouteMatch& match, const http::Request& request);

/// All of it for the control socket, where the kernel has told who is calling.
http::Handler control_socket_handler(Services& services);

}  // namespace nexus::api
