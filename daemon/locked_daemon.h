#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "common/api/vault_status.h"
#include "common/config.h"
#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/foundations.h"
#include "daemon/http/server.h"
#include "daemon/loop/reactor.h"
#include "daemon/sandbox.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// nexusd while nobody has given its vault's key: it says how it stands, takes the key, and answers
/// everything else with vault_locked, on the gateway's address too. Nothing of the vault is in its
/// memory.
class LockedDaemon {
 public:
  LockedDaemon(const Config& config, LockedVault vault, const Sandbox& sandbox);

  /// Errors: usage for settings of the gateway, callback_unavailable where its address is taken.
  Result<void> listen(int control_socket);
  Reactor& reactor() { return reactor_; }
  /// Ends the loop, whoever has given the key meanwhile. The loop's thread.
  void stop();

  struct Opened {
    Foundations foundations;
    std::vector<Descriptor> sockets;  ///< of TCP, which listen on: nobody else gets these ports
    int wrong = 0;                    ///< passphrases and keys that did not open it
    Caller opener;                    ///< who gave the one that did
  };
  /// After the loop has ended: nothing where it was told to stop.
  std::optional<Opened> opened();

 private:
  void end_loop();
  void handle(const http::Request& request, http::Respond respond);
  void unlock(const http::Request& request, http::Respond respond);
  void take_outcome(Result<Foundations> outcome, const Caller& caller, http::Respond respond);
  std::string daemon_status() const;
  api::VaultStatus vault_status() const;

  const Config config_;
  const LockedVault vault_;
  const Sandbox sandbox_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Reactor reactor_;
  http::Server server_;
  WorkerPool worker_{1};
  bool trying_ = false;  ///< the loop's thread, as is what follows
  bool stopped_ = false;
  int wrong_ = 0;
  std::optional<Opened> opened_;
};

}  // namespace nexus
