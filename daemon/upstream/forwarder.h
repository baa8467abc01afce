#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/caller.h"
#include "daemon/connection_permits.h"
#include "daemon/net/streaming_client.h"
#include "daemon/net/websocket.h"
#include "daemon/permit.h"
#include "daemon/provider/providers.h"
#include "daemon/token/tokens.h"
#include "daemon/upstream/aims.h"
#include "daemon/upstream/header_rules.h"
#include "daemon/upstream/kept_body.h"

namespace nexus {

/// A caller's request for a connection's API.
struct ForwardedRequest {
  std::string connection_id;
  std::string provider;  ///< that it has to be of, "" for any
  std::string method;
  std::string target;  ///< a path below the API's base URL, or a URL as a whole
  HeaderLines headers;
  RequestBody body;
  std::shared_ptr<Wanted> wanted;  ///< the answer; nothing where that is not told
  Caller caller;
  Reactor* reader = nullptr;  ///< the loop that reads the answer's body
  std::optional<WebSocketOffer> websocket;
  /// That it goes on under, beside the connection's own.
  std::vector<std::shared_ptr<Permit>> permits;
};

/// What became of it.
struct Forwarded {
  std::string connection_id;
  std::string provider;
  std::string url;  ///< without its query, which may hold a credential
  StreamedAnswer answer;
  /// So many seconds our clock is ahead of the server's, which may have refused a signature for
  /// that.
  std::optional<UnixTime> skew;
};

/// What would have become of it.
struct UnsentRequest {
  std::string connection_id;
  std::string provider;
  RequestHead head;
};

/// Sends requests in the name of connections: with their credentials, put in as their strategies
/// say, to the hosts that these may go to, and to no others. Redirects are answers like any other.
/// The caller needs Right::forward, and Right::use to be shown what it never sends. What of an API
/// applications may ask for is said by rules, of the daemon and of their keys.
///
/// After a 401 the access token is refreshed, and the request sent once more: where its method is
/// idempotent (RFC 9110 9.2.2) and its body still there, that is of 64 KiB at the most.
/// Once a permit that it goes on under is withdrawn, the connection's among them, it ends: with
/// that error, and where an answer has begun in the middle of it, in both directions. Requests that
/// offer to go on as WebSockets may, where the provider's `websocket` says so. What a signature
/// covers has to be there as a whole: bodies of up to 8 MiB, 64 MiB of all requests together (then
/// overloaded).
class Forwarder {
 public:
  Forwarder(Tokens& tokens, Providers& providers, ConnectionPermits& permits,
            StreamingClient& client, RouteRules rules, Clock wall_clock);

  /// On whichever thread the answer's head, or the failure, came. Errors: those of Tokens::fetch,
  /// Destinations and StreamingClient; route_not_allowed; upgrade_not_allowed; body_too_large;
  /// invalid_field for a body that broke off.
  using Done = std::function<void(Result<Forwarded>)>;
  void forward(ForwardedRequest request, Done done);

  /// What would be sent, and is not. `with_secrets`: not masked.
  using Shown = std::function<void(Result<UnsentRequest>)>;
  void show(ForwardedRequest request, bool with_secrets, Shown shown);

  StreamingClient& client() { return client_; }
  const RouteRules& rules() const { return rules_; }

 private:
  class Forwarding;
  Tokens& tokens_;
  Providers& providers_;
  ConnectionPermits& permits_;
  StreamingClient& client_;
  const RouteRules rules_;
  Clock wall_clock_;
  Aims aims_;
  /// Shared: the last ones go with the client's loop.
  KeptBytes::OfAll kept_by_all_ = KeptBytes::none();
};

}  // namespace nexus
