#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "common/api/vault_status.h"
#include "daemon/audit.h"
#include "daemon/custody/root_keys.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has all that is sealed sealed with a new vault key, beside the daemon's work: some hundred
/// values at a time, while tokens are served and refreshed. Until the end both keys are in the
/// header, so one that is killed opens the vault, and finishes when it starts. Thread-safe.
class Rotation {
 public:
  Rotation(Vault& vault, RootKeys& keys, Audit& audit, WorkerPool& workers)
      : vault_(vault), keys_(keys), audit_(audit), workers_(workers) {}

  /// Begins it, on a thread of its own from then on. Errors: invalid_state while one is under way,
  /// and those of RootKeys::present and Vault::open.
  Result<void> begin(const Secret& passphrase, const Caller& caller);
  /// How far it is, or how the last one of this daemon went; nothing before the first.
  std::optional<api::VaultRotation> progress() const;
  /// Ends between two portions; the rest is done when nexusd starts again.
  void stop() { stopping_ = true; }
  /// For what else takes long and looks at all of the vault.
  const std::atomic<bool>& stopping() const { return stopping_; }

 private:
  void run(const Secret& root_key, const Caller& caller);
  void set(const api::VaultRotation& progress);

  Vault& vault_;
  RootKeys& keys_;
  Audit& audit_;
  WorkerPool& workers_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::optional<api::VaultRotation> progress_;
};

/// Seals what is still sealed with the earlier key, and takes that out of the header: all of a
/// rotation, or what a nexusd that ended has left of one. `goes_on` is asked between portions.
/// Errors: those of the store, and of Vault::open.
Result<Store::Rotated> finish_rotation(
    Store& store, const Secret& root_key,
    const std::function<bool(const Store::Rotated&)>& goes_on = {});

}  // namespace nexus
