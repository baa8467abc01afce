#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connection_permits.h"
#include "daemon/due.h"
#include "daemon/store/store.h"
#include "daemon/token/refresh_ledger.h"
#include "daemon/token/refresher.h"

namespace nexus {

/// Connections on their way to another nexusd. One that is set aside is neither served nor
/// refreshed, and what went on with it has ended, so that the bundle that is made of it holds the
/// only refresh token there is. Then it goes for good (Connections::revoke), once the bundle is
/// safe, or comes back. Thread-safe.
class Moves {
 public:
  Moves(Store& store, ConnectionPermits& permits, Audit& audit, Refresher& refresher,
        RefreshLedger& ledger, Due& due, Clock clock, Clock wall_clock);

  /// When it returns, the refresh that was under way has ended, and what it brought is stored.
  /// Blocks for as long as that takes. With an error it is not set aside, or not by this call:
  /// connection_… where it is not active any more, and where somebody else moves it;
  /// internal_error where what came cannot be stored.
  Result<void> set_aside(const ConnectionRow& row);
  /// Whether nobody has taken it back. Errors: connection_….
  Result<void> check_aside(const std::string& id);

  /// It goes on here as if nothing had been; not where its grant has ended meanwhile.
  Result<void> put_back(const std::string& id);
  /// The same because somebody says so, on record. Error: invalid_state for one that is not on its
  /// way.
  Result<void> take_back(const ConnectionRow& row, const Caller& caller);

 private:
  Store& store_;
  ConnectionPermits& permits_;
  Audit& audit_;
  Refresher& refresher_;
  RefreshLedger& ledger_;
  Due& due_;
  Clock clock_;
  Clock wall_clock_;
};

/// Puts back what it has set aside, unless that is to stay so.
class SetAside {
 public:
  explicit SetAside(Moves& moves) : moves_(moves) {}
  ~SetAside();
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

  /// Errors: those of Moves::set_aside.
  Result<void> add(const ConnectionRow& row);
  /// That all of them still are. Errors: those of Moves::check_aside.
  Result<void> check();
  void keep() { ids_.clear(); }

 private:
  Moves& moves_;
  std::vector<std::string> ids_;
};

}  // namespace nexus
