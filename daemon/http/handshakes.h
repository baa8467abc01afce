#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "daemon/http/transport.h"
#include "daemon/loop/reactor.h"
#include "daemon/worker_pool.h"

namespace nexus::http {

/// TLS connections on their way to the first byte. Each step of a handshake is a millisecond of
/// arithmetic, so it is taken by a worker, while the loop only waits for the socket. For the loop's
/// thread.
class Handshakes {
 public:
  using Done = std::function<void(Transport)>;
  explicit Handshakes(Reactor& reactor);

  /// Calls back when it has succeeded; one that fails, or takes more than ten seconds, is closed.
  void begin(Transport transport, Done done);
  std::size_t size() const { return under_way_.size(); }
  /// Closes so many of those that began first.
  void give_up(std::size_t count);

 private:
  using Id = std::uint64_t;
  struct UnderWay {
    std::shared_ptr<Transport> transport;  ///< also the worker's, during a step
    WatchId watch = 0;
    TimerId deadline;
    Done done;
  };
  void step(Id id);
  void stepped(Id id, Moved::State state);
  void end(Id id);

  Reactor& reactor_;
  Id last_id_ = 0;
  std::map<Id, UnderWay> under_way_;  ///< in the order that they began
  WorkerPool workers_;
};

}  // namespace nexus::http
