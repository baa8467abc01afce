#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "daemon/connect/callback_listener.h"
#include "daemon/http/listen_address.h"
#include "daemon/http/server.h"

namespace nexus::api {

/// The sockets that providers' redirects arrive on: of their own, bound by `open` and gone with
/// `close`, but where the gateway listens anyway. Any thread.
class CallbackSockets : public CallbackListener {
 public:
  /// Where the gateway listens; `https` when people reach it so.
  struct Gateway {
    http::ListenAddress address;
    bool https = false;
  };

  /// `handler` answers what comes to the sockets; it is called once the loop runs.
  CallbackSockets(http::Server& server, std::string callback_path, std::optional<Gateway> gateway,
                  http::Handler handler);

  Result<void> open(const std::string& redirect_uri) override;
  Result<std::string> with_free_port(const std::string& redirect_uri) override;
  void close() override;

  /// Whether an answer is awaited at "http://host:port".
  bool awaits(const std::string& origin);
  /// Whether this path is a callback's, or the capture page's.
  bool expects(const std::string& path);
  bool gateway_is_https() const { return gateway_ && gateway_->https; }

 private:
  http::Server& server_;
  std::string callback_path_;
  std::optional<Gateway> gateway_;
  http::Handler handler_;
  std::mutex mutex_;
  std::set<std::string> paths_;           ///< of the redirect URIs that were opened
  std::set<std::string> origins_;         ///< theirs too: "http://host:port"
  std::map<std::string, int> listeners_;  ///< by the address that they are bound to
};

}  // namespace nexus::api
