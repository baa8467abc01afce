#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/due.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What became of the tokens of a disconnected connection at the provider.
struct RevocationState {
  bool revoked = false;  ///< the provider said 200
  bool pending = false;  ///< it is asked again, by itself, also after a restart
  bool kept = false;     ///< nobody is to ask it: the grant is used elsewhere, or by a successor
  std::string error;     ///< why it is not revoked (yet)
};

/// Ends grants at providers (RFC 7009). What a provider in trouble does not answer is asked again
/// for a week, longer and longer apart; the tokens stay sealed until then, out of everybody's
/// reach. Blocks on the network. Thread-safe.
class Revocations {
 public:
  Revocations(Store& store, const Vault& vault, Providers& providers, Audit& audit, Due& due,
              Clock clock);

  /// What to store with a disconnection: the intent, before anybody is asked. Nothing where there
  /// is nothing to revoke, and `why` says so.
  std::optional<RevocationRow> plan(const ConnectionRow& row, std::string& why);
  /// Tokens that came too late for their connection (F21) go as well, unless its grant was kept:
  /// many providers end the whole grant with any of its tokens.
  Result<void> discard(const ConnectionRow& row, const std::vector<SealedField>& tokens);
  /// Whether somebody hears how it went; else the end is put on record.
  enum class Told { to_caller, to_nobody };
  /// Asks the provider, now. Nothing happens where another thread is at it.
  RevocationState attempt(const std::string& connection_id, Told told);
  /// What was recorded of a connection's tokens.
  Result<RevocationState> state(const std::string& connection_id);

  /// As it is recorded.
  static std::string to_text(const RevocationState& state);

 private:
  RevocationRow intent(const std::string& connection_id) const;
  struct Answer {
    RevocationState state;
    int retry_after_s = 0;
  };
  Result<RevocationState> ask_and_settle(const std::string& connection_id, Told told);
  void leave(const std::string& connection_id);
  Answer ask(ConnectionRecord record);
  RevocationState settle(RevocationRow row, const ConnectionRow& connection, Answer answer,
                         Told told);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  Audit& audit_;
  Due& due_;
  Clock clock_;
  std::mutex mutex_;
  std::condition_variable one_less_;
  std::set<std::string> under_way_;  ///< connections whose provider is asked right now
};

}  // namespace nexus
