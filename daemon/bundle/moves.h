#pragma once

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/due.h"
#include "daemon/store/store.h"
#include "daemon/token/refresh_ledger.h"
#include "daemon/token/refresher.h"

namespace nexus {

/// Connections on their way to another nexusd. One that is set aside is neither served nor
/// refreshed, so that the bundle that is made of it holds the only refresh token there is. Then it
/// goes for good (Connections::revoke), once the bundle is safe, or comes back. Thread-safe.
class Moves {
 public:
  Moves(Store& store, Audit& audit, Refresher& refresher, RefreshLedger& ledger, Due& due,
        Clock clock, Clock wall_clock);

  /// When it returns, the refresh that was under way has ended, and what it brought is stored.
  /// Blocks for as long as that takes. Errors: connection_… where it is not active any more,
  /// internal_error; it is not set aside then, unless the store cannot be written.
  Result<void> set_aside(const ConnectionRow& row);

  /// It goes on here as if nothing had been. Error: invalid_state for one that is not on its way.
  Result<void> take_back(const ConnectionRow& row, const Caller& caller);

 private:
  Result<void> put_back(const std::string& id);

  Store& store_;
  Audit& audit_;
  Refresher& refresher_;
  RefreshLedger& ledger_;
  Due& due_;
  Clock clock_;
  Clock wall_clock_;
};

}  // namespace nexus
