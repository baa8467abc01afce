#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/store/store.h"
#include "daemon/vault/key_source.h"

namespace nexus {

/// How long an answer waits after so many keys that did not open the vault.
std::chrono::milliseconds delay_after_wrong(int wrong);

/// The root key of the open vault, which nexusd does not keep: it is had again from where it comes
/// from, by what changes the vault's keys. One of those at a time. Thread-safe.
class RootKeys {
 public:
  /// `environment_key`: where the environment had it, which is gone from there. It is what the next
  /// nexusd in this process gets.
  RootKeys(Store& store, KeyPlaces places, KeySource source, std::optional<Secret>& environment_key)
      : store_(store),
        places_(std::move(places)),
        source_(source),
        environment_key_(environment_key) {}

  /// For as long as the vault's keys are changed.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(one_at_a_time_); }
  /// `given`: the passphrase, where one opens the vault. Whoever tries one after another waits
  /// longer each time, ten seconds at the most. Held. Errors: missing_fields where that is needed,
  /// vault_key_wrong, and those of find_root_key.
  Result<RootKey> present(const VaultHeader& header, const Secret& given);
  /// It is another one now. Held.
  void now(const RootKey& root);

  /// Between the begin and the end of a rotation nothing else changes the keys. Held.
  void set_rotating(bool rotating) { is_rotating_ = rotating; }
  /// Error: invalid_state. Held.
  Result<void> check_not_rotating() const;

  KeySource source() const { return source_; }
  const KeyPlaces& places() const { return places_; }
  Store& store() { return store_; }

 private:
  Result<RootKey> looked_up(const VaultHeader& header, const Secret& given) const;

  Store& store_;
  const KeyPlaces places_;
  std::atomic<KeySource> source_;
  std::optional<Secret>& environment_key_;
  std::mutex one_at_a_time_;
  bool is_rotating_ = false;
  int wrong_ = 0;  ///< in a row
};

}  // namespace nexus
