#include "daemon/backup/restore.h"

#include <unistd.h>

#include <atomic>
#include <optional>

#include "common/rfc3339.h"
#include "daemon/audit.h"
#include "daemon/backup/scratch_directory.h"
#include "daemon/backup/unpack.h"
#include "daemon/custody/verification.h"
#include "daemon/log.h"
#include "daemon/process.h"
#include "daemon/store/integrity.h"
#include "daemon/vault/key_source.h"

namespace nexus {
namespace {

/// A backup that was unpacked.
struct Unpacked {
  std::string directory;
  BackupManifest manifest;
  VaultHeader header;
};

/// Of what was sealed by somebody, and is no vault all the same.
Error no_vault(const std::string& why) {
  return {ErrorCode::invalid_backup, "the vault in the backup cannot be used: " + why,
          "use another backup; nothing was changed"};
}

Result<Unpacked> unpack(const RestoreOrder& order, const std::string& directory) {
  NEXUS_TRY(auto manifest, unpack_backup(order.file, order.opener, directory));
  const auto header = look_into_sqlite_store(directory);
  if (!header) return no_vault(header.error().message);
  if (!*header) return no_vault("it is empty");
  return Unpacked{directory, std::move(manifest), **header};
}

/// What would be lost by it, unless somebody says that it may be.
Result<void> check_replaceable(const std::string& data_dir, const std::string& unpacked) {
  NEXUS_TRY(const auto here, compare_sqlite_stores(data_dir, unpacked));
  if (here.connections == 0 && here.providers == 0 && here.keys == 0) return {};
  std::string message = "there is a vault here (connections: " + std::to_string(here.connections);
  const auto tell = [&message](std::int64_t number, const char* what) {
    if (number > 0) message += std::string(", ") + what + ": " + std::to_string(number);
  };
  tell(here.only_here, "not in the backup");
  tell(here.newer_here, "refresh tokens replaced since");
  tell(here.ended_here, "disconnected here since");
  tell(here.keys_ended_here, "API keys revoked here since");
  return Error{ErrorCode::invalid_state, message + ")",
               "to put it aside, and have what the backup has in its place: --replace"};
}

Error passphrase_missing(const std::string& what) {
  return {ErrorCode::vault_locked, what + " with a passphrase, and none was given",
          "give it: --vault-passphrase-file FILE"};
}

/// That of the vault that is here: nobody is to find it under a weaker one.
Result<RootKey> present_root_key(const KeyPlaces& places, const VaultHeader& here,
                                 const Secret& passphrase) {
  auto found = find_root_key(places, here, passphrase);
  if (!found && found.error().code == ErrorCode::vault_locked)
    return passphrase_missing("the vault that is here opens");
  if (found && *found && Vault::open((*found)->key, here)) return **std::move(found);
  return Error{
      ErrorCode::vault_key_wrong,
      found ? "what was found as the key of the vault that is here does not open it"
            : "the key of the vault that is here is not found: " + found.error().message,
      "run this where nexusd gets it, or have the restored vault open with another one, as "
      "a new vault does: --new-key"};
}

Result<RootKey> new_root_key(const KeyPlaces& places, const std::string& vault_id,
                             const Secret& passphrase) {
  auto made = load_root_key(places, VaultHeader{vault_id, ""}, passphrase);
  if (!made && made.error().code == ErrorCode::vault_locked)
    return passphrase_missing("nexus.toml has the vault open");
  return made;
}

Result<void> list_connections(Store& store, api::RestoredVault& into) {
  ConnectionPage page;
  while (true) {
    NEXUS_TRY(const auto rows, store.connections(page));
    for (const auto& row : rows) {
      ++into.connections;
      NEXUS_TRY(const auto record, store.connection_record(row.id));
      if (!record) continue;
      for (const auto& field : record->fields)
        if (field.field == SecretField::refresh_token && field.generation > 1)
          into.rotating.push_back(row.id);
    }
    if (static_cast<std::int64_t>(rows.size()) < page.limit) return {};
    page.before = rows.back().id;
  }
}

/// Of all pages, in the order of their names.
template <class List>
Result<std::vector<std::string>> names_of(List list) {
  std::vector<std::string> names;
  NamePage page;
  while (true) {
    NEXUS_TRY(const auto rows, list(page));
    for (const auto& row : rows) names.push_back(row.name);
    if (static_cast<std::int64_t>(rows.size()) < page.limit) return names;
    page.after = names.back();
  }
}

Result<std::unique_ptr<AuditLog>> audit_log_in(const std::string& data_dir, const Vault& vault) {
  return open_sqlite_audit_log(data_dir, {vault.audit_row_key(), vault.audit_key()}, vault.stage());
}

/// Opens all of it, as nexusd would, and compares it with its codes.
Result<api::RestoredVault> verify(const Unpacked& unpacked) {
  const auto& directory = unpacked.directory;
  const auto vault = Vault::open(unpacked.manifest.root_key, unpacked.header);
  if (!vault) return no_vault("it does not open with its own key");
  if (vault->stage() < VaultStage::tallied) return no_vault("it is of before there were backups");
  const auto store = open_sqlite_store(directory);
  if (!store) return no_vault(store.error().message);
  NEXUS_CHECK((*store)->authenticate_rows(*vault, std::nullopt));
  NEXUS_TRY(const auto suspicion, (*store)->keep_tally("", false));
  const auto log = audit_log_in(directory, *vault);
  if (!log) return no_vault(log.error().message);
  Audit audit(**log, system_now);
  const std::atomic<bool> never{false};
  NEXUS_TRY(auto verdict, verify_vault(**store, *vault, audit, directory, never));
  api::RestoredVault restored;
  restored.made_at = unpacked.manifest.made_at;
  restored.findings = std::move(verdict.findings);
  if (!suspicion.empty()) restored.findings.push_back("the vault: " + suspicion);
  if (!(*log)->trouble().empty()) restored.findings.push_back("audit log: " + (*log)->trouble());
  NEXUS_CHECK(list_connections(**store, restored));
  NEXUS_TRY(restored.providers,
            names_of([&](const NamePage& page) { return (*store)->providers(page); }));
  NEXUS_TRY(restored.api_keys,
            names_of([&](const NamePage& page) { return (*store)->api_keys(page); }));
  return restored;
}

/// Has it open with this key, and say that it was restored.
Result<void> take_over(const Unpacked& unpacked, const RootKey& root) {
  NEXUS_TRY(const auto vault, Vault::open(unpacked.manifest.root_key, unpacked.header));
  NEXUS_TRY(const auto wrapped, Vault::rewrap(unpacked.manifest.root_key, unpacked.header, root));
  NEXUS_TRY(const auto store, open_sqlite_store(unpacked.directory));
  NEXUS_CHECK(store->authenticate_rows(vault, std::nullopt));
  NEXUS_TRY([[maybe_unused]] const auto suspicion, store->keep_tally("", false));
  NEXUS_CHECK(store->mark_restored(unpacked.manifest.made_at));
  return store->rewrap_vault_key(wrapped);
}

/// Whether the log that is here goes on: it is the longer one of the same vault, and sound.
bool keeps_log(const std::string& data_dir, const std::optional<VaultHeader>& here,
               const Unpacked& unpacked) {
  const auto path = data_dir + "/audit.db";
  if (!here || here->vault_id != unpacked.header.vault_id) return false;
  const std::atomic<bool> never{false};
  if (access(path.c_str(), F_OK) != 0 || !damage_of(path, never).empty()) return false;
  const auto vault = Vault::open(unpacked.manifest.root_key, unpacked.header);
  return vault && audit_log_in(data_dir, *vault);
}

Result<void> put_on_record(const std::string& data_dir, const RootKey& root,
                           const api::RestoredVault& restored) {
  NEXUS_TRY(const auto header, look_into_sqlite_store(data_dir));
  NEXUS_TRY(const auto vault, Vault::open(root.key, *header));
  NEXUS_TRY(const auto log, audit_log_in(data_dir, vault));
  Audit audit(*log, system_now);
  audit.tell_trouble();
  return audit.commit({.event = AuditEvent::vault_restored,
                       .detail = "from a backup of " + rfc3339(restored.made_at),
                       .count = restored.connections},
                      {.uid = geteuid(), .pid = getppid()});
}

/// Nothing where there is none, or where it cannot be read and may be replaced.
Result<std::optional<VaultHeader>> vault_here(const std::string& data_dir,
                                              const RestoreOrder& order) {
  auto here = look_into_sqlite_store(data_dir);
  if (here || order.replace) return here ? *std::move(here) : std::optional<VaultHeader>();
  here.error().hint = "to put it aside, and have what the backup has in its place: --replace";
  return std::move(here).error();
}

/// All that is known of it before anything is changed.
struct Prospect {
  Unpacked unpacked;
  std::optional<VaultHeader> here;
  api::RestoredVault outcome;

  bool has_present_key(const RestoreOrder& order) const { return here && !order.new_key; }
};

Result<Prospect> prospect_of(const Config& config, const RestoreOrder& order,
                             const std::string& unpacked) {
  Prospect prospect;
  NEXUS_TRY(prospect.unpacked, unpack(order, unpacked));
  NEXUS_TRY(prospect.here, vault_here(config.data_dir, order));
  const auto& here = prospect.here;
  if (here && !order.replace) NEXUS_CHECK(check_replaceable(config.data_dir, unpacked));
  NEXUS_TRY(prospect.outcome, verify(prospect.unpacked));
  prospect.outcome.data_dir = config.data_dir;
  prospect.outcome.other_vault = here && here->vault_id != prospect.unpacked.header.vault_id;
  return prospect;
}

}  // namespace

Result<api::RestoredVault> check_restore(const Config& config, const RestoreOrder& order) {
  NEXUS_CHECK(prepare_data_dir(config.data_dir));
  ScratchDirectory scratch(config.data_dir + "/restore.check");
  NEXUS_CHECK(scratch.make());
  NEXUS_TRY(auto prospect, prospect_of(config, order, scratch.path()));
  auto& outcome = prospect.outcome;
  if (prospect.has_present_key(order)) {
    NEXUS_TRY(const auto root,
              present_root_key(key_places_of(config), *prospect.here, order.vault_passphrase));
    outcome.key_source = root.source;
  }
  return std::move(outcome);
}

Result<api::RestoredVault> restore_vault(const Config& config, const RestoreOrder& order) {
  const auto& data_dir = config.data_dir;
  NEXUS_CHECK(prepare_data_dir(data_dir));
  NEXUS_TRY(const auto lock, lock_data_dir(data_dir));
  NEXUS_CHECK(settle_backups(data_dir));
  ScratchDirectory scratch(data_dir + "/restore.tmp");
  NEXUS_CHECK(scratch.make());
  NEXUS_TRY(auto prospect, prospect_of(config, order, scratch.path()));
  const auto& [unpacked, here, outcome] = prospect;
  auto restored = outcome;

  const auto places = key_places_of(config);
  const auto& vault_id = unpacked.header.vault_id;
  if (here) NEXUS_CHECK(settle_key_file(places, *here));
  NEXUS_TRY(const auto root, prospect.has_present_key(order)
                                 ? present_root_key(places, *here, order.vault_passphrase)
                                 : new_root_key(places, vault_id, order.vault_passphrase));
  NEXUS_CHECK(take_over(unpacked, root));
  restored.key_source = root.source;
  if (root.source == KeySource::keyring)  // it has one for each vault
    NEXUS_CHECK(keep_root_key(places, vault_id, root));
  if (keeps_log(data_dir, here, unpacked))
    for (const char* file : {"/audit.db", "/audit.head"}) unlink((scratch.path() + file).c_str());
  NEXUS_TRY(restored.put_aside, put_sqlite_vault_in_place(scratch.path(), data_dir));
  // It is done, whatever becomes of the record.
  if (const auto told = put_on_record(data_dir, root, restored); !told)
    restored.findings.push_back("this is not on record: " + told.error().message);
  return restored;
}

Result<void> settle_backups(const std::string& data_dir) {
  std::error_code ignored;
  for (const char* unfinished : {"/backup.tmp", "/restore.tmp", "/restore.check"})
    std::filesystem::remove_all(data_dir + unfinished, ignored);
  for (const auto& entry : std::filesystem::directory_iterator(data_dir, ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("vault.backup-") && name.ends_with(".new"))
      std::filesystem::remove(entry.path(), ignored);
  }
  NEXUS_TRY(const auto put_aside, finish_restored_sqlite_vault(data_dir));
  if (!put_aside.empty()) log(LogLevel::info, "restore_finished", {{"put_aside", put_aside}});
  return {};
}

}  // namespace nexus
