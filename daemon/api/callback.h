#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/http/event_loop.h"
#include "daemon/service/callback_listener.h"
#include "daemon/service/connections.h"
#include "daemon/service/worker_pool.h"

namespace nexus::api {

/// The sockets on which browsers bring providers' answers: GET of a callback path with the right
/// Host, nothing else. Bound by `open`, gone with `close`.
class CallbackRoutes : public CallbackListener {
 public:
  CallbackRoutes(http::EventLoop& loop, WorkerPool& workers, std::string callback_path)
      : loop_(loop), workers_(workers), callback_path_(std::move(callback_path)) {}

  /// Connections and its listener need each other; this closes the ring before the loop runs.
  void serve(Connections& connections) { connections_ = &connections; }

  Result<void> open(const std::string& redirect_uri) override;
  void close() override;

 private:
  void handle(const std::string& origin, http::Request request, http::Respond respond);

  http::EventLoop& loop_;
  WorkerPool& workers_;
  std::string callback_path_;
  Connections* connections_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::vector<int>> open_;  ///< listeners by "http://host:port"
};

}  // namespace nexus::api
