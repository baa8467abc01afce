#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/oauth/client.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// Tokens for a part of what a connection may do (fewer scopes, one API): kept until they expire,
/// each under its own target. Only in memory, and sealed there: one more request brings them back
/// after a restart. The longest unused ones go first when there are too many. Thread-safe.
class DownscopedTokens {
 public:
  explicit DownscopedTokens(const Vault& vault) : vault_(vault) {}

  struct Kept {
    TokenFacts facts;
    std::string sealed;
  };

  void keep(const std::string& connection_id, const TokenTarget& target, const TokenFacts& facts,
            const Secret& access_token);
  /// Nothing where there is none; it may have expired.
  std::optional<Kept> find(const std::string& connection_id, const TokenTarget& target);
  /// The connection is over: so are they.
  void forget(const std::string& connection_id);
  Result<Secret> open(const std::string& connection_id, const TokenTarget& target,
                      const Kept& kept) const;

 private:
  struct Entry {
    Kept kept;
    std::uint64_t used = 0;  ///< counts up
  };
  const Vault& vault_;
  std::mutex mutex_;
  std::uint64_t uses_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace nexus
