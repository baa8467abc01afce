#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/oauth/client.h"

namespace nexus {

/// Who waits for which refresh. There is one flight at a time for each connection, since two that
/// sent one rotating refresh token would end the grant (F3); it is for one target, and
/// whoever wants another target of the same connection waits for the next one. Thread-safe.
class SingleFlight {
 public:
  using Done = std::function<void(const Result<void>& outcome)>;

  /// Why somebody wants a refresh, and whom to tell how it went.
  struct Waiter {
    bool forced = false;  ///< whatever is left of the token, and although a failure says to wait
    bool background = false;  ///< nobody waits
    UnixTime wanted = 0;      ///< seconds left that would be enough
    /// An API refused the token that was obtained then: nothing is left of that one.
    std::optional<UnixTime> refused{};
    TokenTarget target{};
    Done done;
  };

  /// True for the one who has to begin a flight.
  bool join(const std::string& connection_id, Waiter waiter);
  bool is_under_way(const std::string& connection_id);

  /// What the flight under way is for.
  TokenTarget target(const std::string& connection_id);
  /// Whether one of those who wait for it is like that.
  bool any(const std::string& connection_id, const std::function<bool(const Waiter&)>& like);
  /// Takes those who waited for it off the list. Others may wait for another target: `onward` says
  /// that their flight has to be begun.
  std::vector<Waiter> finish(const std::string& connection_id, bool& onward);

 private:
  struct Flight {
    TokenTarget target;
    std::vector<Waiter> waiters;  ///< of any target
  };
  std::mutex mutex_;
  std::map<std::string, Flight> flights_;
};

}  // namespace nexus
