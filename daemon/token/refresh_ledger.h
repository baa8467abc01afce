#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/due.h"
#include "daemon/store/store.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {

/// A refreshed token on its way into the store.
struct Refreshed {
  TokenFacts token;
  std::vector<SealedField> fields;
  bool lapses = true;  ///< the grant ends when it is not used for long
};

/// What is known of connections' refreshes: what was sent, what came of it, when the next one is
/// due and how long to wait until then. Whatever it records is on stable storage when it returns.
/// Thread-safe.
class RefreshLedger {
 public:
  /// That a connection needs a person now, and why.
  using OnAttention = std::function<void(const ConnectionRow& row, const std::string& cause)>;

  RefreshLedger(Store& store, Audit& audit, Due& due, OnAttention on_attention, Clock clock,
                Clock wall_clock, UnixTime idle_after);

  /// Somebody used the connection now: those that nobody uses are kept alive rather than fresh.
  void note_use(const std::string& connection_id);

  /// What the last failure asks for, nothing once it may be tried again. `forced`: a person
  /// insists.
  std::optional<Error> told_to_wait(const ConnectionRow& row, bool forced);

  /// F6: should a request with this generation of the refresh token be the last thing that we do,
  /// the next daemon knows what it was; 0: every request was answered. Errors: connection_… when it
  /// is not active any more.
  Result<void> sent(const ConnectionRow& row, std::int64_t generation);
  /// Stores what came. What cannot be stored (disk full) is kept, sealed, and stored before any
  /// further request by `save_kept`. Error: connection_not_found when it was removed meanwhile.
  Result<void> save(const ConnectionRow& row, Refreshed refreshed);
  /// Whether something was kept, and is stored now.
  Result<bool> save_kept(const ConnectionRow& row);
  /// Error: internal_error while something is kept: it is nowhere but in this process's memory.
  Result<void> check_nothing_kept();
  /// It failed for now. `unanswered`: the generation whose request may have arrived, 0 for none.
  /// Gives the error, with whose it is.
  Error failed(ConnectionRow row, const Error& error, std::int64_t unanswered);
  /// The provider ended the grant: nobody tries again. `interrupted`: an answer was lost before.
  Error over_for_good(const ConnectionRow& row, const std::string& cause, bool interrupted);
  /// That it was refreshed, for the audit log.
  Result<void> record(const ConnectionRow& row, const std::string& detail);

 private:
  /// What the last failure asks for. Only in memory: a restart may cost one request more.
  struct Hold {
    UnixTime until = 0;  ///< for fetches; the background has refresh_at
    UnixTime asked = 0;  ///< by Retry-After, for forced refreshes too
  };
  Error why_not_refreshed(const std::string& id) const;
  UnixTime last_used(const ConnectionRow& row);
  std::optional<UnixTime> next_refresh(const ConnectionRow& row, const Refreshed& refreshed);
  UnixTime wait_for_provider(const std::string& provider_id, const Error& error);
  Result<void> store_failure(const ConnectionRow& row, const Error& error, UnixTime wait);

  Store& store_;
  Audit& audit_;
  Due& due_;
  OnAttention on_attention_;
  Clock clock_;
  Clock wall_clock_;
  UnixTime idle_after_;
  std::mutex mutex_;
  std::map<std::string, Refreshed> kept_;
  std::map<std::string, Hold> holds_;
  std::map<std::string, UnixTime> used_;
  std::map<std::string, std::int64_t>
      troubles_;  ///< failures of providers since they last answered
};

}  // namespace nexus
