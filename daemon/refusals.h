#pragma once

#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/audit.h"
#include "daemon/due.h"

namespace nexus {

/// What callers whom nobody knows tried in vain: forged answers, wrong API keys, other users at the
/// control socket. The first one is on record before it is answered; those of the minute after it
/// are counted and put on record as one, so that a flood of them fills no disk. Thread-safe.
class Refusals {
 public:
  Refusals(Audit& audit, Due& due, Clock clock)
      : audit_(audit), due_(due), clock_(std::move(clock)) {}

  /// The record to commit before the answer, nothing where it was only counted. Whoever is known,
  /// by the kernel or by a key, gets a record each time.
  std::optional<std::string> note(AuditEvent event, const Caller& caller, std::string_view detail);

  /// Puts on record what was counted in the minutes that have passed. Says when it is to be called
  /// next (Due::What::refusals).
  void tell() { tell_until(clock_()); }
  /// The same with the minutes that have not: nobody will ask again.
  void tell_all() { tell_until(std::numeric_limits<UnixTime>::max()); }

 private:
  /// Those that were only counted.
  struct Tally {
    UnixTime until = 0;
    std::int64_t count = 0;
    Caller first{};
    std::string detail{};  ///< of the first
  };
  using Counted = std::vector<std::pair<AuditEvent, Tally>>;

  void tell_until(UnixTime until);
  Counted take(UnixTime until);
  std::string record(AuditEvent event, const Tally& tally) const;
  void give_back(const Counted& counted);

  Audit& audit_;
  Due& due_;
  Clock clock_;
  std::mutex mutex_;
  std::map<AuditEvent, Tally> tallies_;
};

}  // namespace nexus
