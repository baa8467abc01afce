#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/callback_listener.h"
#include "daemon/connect/captures.h"
#include "daemon/http/event_loop.h"
#include "daemon/http/listen_address.h"
#include "daemon/worker_pool.h"

namespace nexus::api {

/// Where browsers bring providers' answers, and where they are asked for static credentials: a
/// callback path or the capture page with the right Host, nothing else. Sockets of its own, bound
/// by `open` and gone with `close`, but where the gateway listens anyway.
class CallbackRoutes : public CallbackListener {
 public:
  CallbackRoutes(http::EventLoop& loop, WorkerPool& workers, std::string callback_path)
      : loop_(loop), workers_(workers), callback_path_(std::move(callback_path)) {}

  /// Flows and their listener need each other; this closes the ring before the loop runs.
  void serve(AuthorizationCodeFlow& code_flow, Captures& captures) {
    code_flow_ = &code_flow;
    captures_ = &captures;
  }

  /// From now on the gateway hands over what comes to it; `https` when people reach it so.
  void serve_on_gateway(const http::ListenAddress& gateway, bool https) {
    gateway_ = {gateway, https};
  }
  /// Whether the gateway should hand this path over.
  bool expects(const std::string& path);
  /// A callback that came to the gateway under a Host that it goes by.
  void answer_on_gateway(http::Request request, http::Respond respond);

  Result<void> open(const std::string& redirect_uri) override;
  Result<std::string> with_free_port(const std::string& redirect_uri) override;
  void close() override;

 private:
  struct Gateway {
    http::ListenAddress address;
    bool https = false;
  };
  bool awaits(const std::string& origin);
  void handle(http::Request request, http::Respond respond);
  void answer(const std::string& origin, http::Request request, http::Respond respond);

  http::EventLoop& loop_;
  WorkerPool& workers_;
  std::string callback_path_;
  AuthorizationCodeFlow* code_flow_ = nullptr;
  Captures* captures_ = nullptr;
  std::optional<Gateway> gateway_;
  std::mutex mutex_;
  std::set<std::string> paths_;           ///< of the redirect URIs that were opened
  std::set<std::string> origins_;         ///< theirs too: "http://host:port"
  std::map<std::string, int> listeners_;  ///< by the address that they are bound to
};

}  // namespace nexus::api
