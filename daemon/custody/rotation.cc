#include "daemon/custody/rotation.h"

#include "daemon/log.h"

namespace nexus {

Result<Store::Rotated> finish_rotation(Store& store, const Secret& root_key,
                                       const std::function<bool(const Store::Rotated&)>& goes_on) {
  Store::Rotated rotated;
  while (!rotated.is_all) {
    NEXUS_TRY(rotated, store.rotate_some(rotated));
    if (goes_on && !goes_on(rotated)) return rotated;
  }
  NEXUS_TRY(const auto header, store.vault_header());
  NEXUS_TRY(const auto ended, Vault::end_rotation(root_key, *header));
  NEXUS_CHECK(store.end_rotation(ended));
  return rotated;
}

Result<void> Rotation::begin(const Secret& passphrase, const Caller& caller) {
  const auto held = keys_.hold();
  NEXUS_CHECK(keys_.check_not_rotating());
  auto& store = keys_.store();
  NEXUS_TRY(const auto header, store.vault_header());
  NEXUS_TRY(const auto root, keys_.present(*header, passphrase));
  const auto both = Vault::begin_rotation(root.key, *header);
  // Of one that a full disk has ended the rest is done.
  if (!both && both.error().code != ErrorCode::invalid_state) return both.error();
  // In this order: what is sealed from now on can be opened after a crash only with that header.
  if (both) NEXUS_CHECK(store.rewrap_vault_key(*both));
  if (both) NEXUS_CHECK(vault_.go_over_to(root.key, *both));
  set({});
  keys_.set_rotating(true);
  auto key = std::make_shared<const Secret>(root.key.copy());
  workers_.submit([this, key, caller] { run(*key, caller); });
  return {};
}

void Rotation::run(const Secret& root_key, const Caller& caller) {
  const auto rotated =
      finish_rotation(keys_.store(), root_key, [this](const Store::Rotated& so_far) {
        set({.fields = so_far.fields, .left = so_far.left});
        return !stopping_;
      });
  if (rotated && stopping_) return;
  const auto held = keys_.hold();
  keys_.set_rotating(false);
  api::VaultRotation end{.done = true};
  if (rotated) {
    end.fields = rotated->fields;
    end.left = rotated->left;
  } else {
    end.error = rotated.error().message;
    log(LogLevel::error, "rotation_failed", {{"error", end.error}});
  }
  const auto detail = rotated ? std::to_string(end.fields - end.left) + " values" : end.error;
  const auto told =
      audit_.commit({.event = AuditEvent::vault_rotated,
                     .outcome = rotated ? AuditOutcome::success : AuditOutcome::failure,
                     .detail = detail},
                    caller);
  if (!told) log(LogLevel::error, "audit_failed", {{"error", told.error().message}});
  set(end);
}

std::optional<api::VaultRotation> Rotation::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

void Rotation::set(const api::VaultRotation& progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
}

}  // namespace nexus
