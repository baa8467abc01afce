#include "daemon/backup/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "common/descriptor.h"
#include "common/rfc3339.h"
#include "daemon/audit.h"
#include "daemon/backup/manifest.h"
#include "daemon/backup/scratch_directory.h"
#include "daemon/backup/sealed_file.h"
#include "daemon/crypto/big_endian.h"
#include "daemon/custody/verification.h"
#include "daemon/process.h"
#include "daemon/vault/key_source.h"

namespace nexus {
namespace {

constexpr std::size_t kLongestManifest = 64 * 1024;
constexpr std::size_t kUnpackedAtOnce = 64 * 1024;

Error cut() {
  return {ErrorCode::invalid_backup, "the backup was cut", "use another one; nothing was changed"};
}

Result<SecretText> read_exactly(SealedFileReader& from, std::size_t bytes) {
  SecretText all;
  while (all.size() < bytes) {
    NEXUS_TRY(const auto some, from.read(bytes - all.size()));
    if (some.empty()) return cut();
    all += some;
  }
  return all;
}

Result<BackupManifest> manifest_of(SealedFileReader& from) {
  NEXUS_TRY(const auto length, read_exactly(from, 4));
  const auto bytes = big_endian_at(length, 0);
  if (bytes > kLongestManifest)
    return Error{ErrorCode::invalid_backup, "the backup does not begin as one of nexus does",
                 "use another one; nothing was changed"};
  NEXUS_TRY(const auto text, read_exactly(from, bytes));
  return backup_manifest_from_text(text);
}

Result<void> unpack_file(SealedFileReader& from, const std::string& path, std::uint64_t left) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  while (left > 0) {
    NEXUS_TRY(const auto some, from.read(std::min<std::uint64_t>(kUnpackedAtOnce, left)));
    if (some.empty()) return cut();
    if (!write_all(file.get(), some)) break;
    left -= some.size();
  }
  if (left == 0 && fsync(file.get()) == 0) return {};
  return Error{ErrorCode::failure, path + " cannot be written: " + std::strerror(errno),
               "free some disk space; nothing was changed"};
}

Result<BackupManifest> unpack(const RestoreOrder& order, const std::string& directory) {
  NEXUS_TRY(auto reader, SealedFileReader::open(order.file, order.opener));
  NEXUS_TRY(auto manifest, manifest_of(reader));
  for (const auto& file : manifest.files)
    NEXUS_CHECK(unpack_file(reader, directory + "/" + file.name, file.size));
  NEXUS_CHECK(reader.check_end());
  return manifest;
}

/// What would be lost by it, unless somebody says that it may be.
Result<void> check_replaceable(const std::string& data_dir, const std::string& unpacked) {
  NEXUS_TRY(const auto here, compare_sqlite_stores(data_dir, unpacked));
  if (here.connections == 0 && here.providers == 0) return {};
  std::string message = "there is a vault here (connections: " + std::to_string(here.connections);
  const auto tell = [&message](std::int64_t number, const char* what) {
    if (number > 0) message += std::string(", ") + what + ": " + std::to_string(number);
  };
  tell(here.only_here, "not in the backup");
  tell(here.newer_here, "refresh tokens replaced since");
  tell(here.ended_here, "disconnected here since");
  return Error{ErrorCode::invalid_state, message + ")",
               "to put it aside, and have what the backup has in its place: --replace"};
}

Error passphrase_missing(const std::string& what) {
  return {ErrorCode::vault_locked, what + " with a passphrase, and none was given",
          "give it: --vault-passphrase-file FILE"};
}

/// The key that opens what is here or, of nothing or where it does not, a new vault's.
Result<RootKey> root_key_for(const Config& config, const std::optional<VaultHeader>& here,
                             const std::string& vault_id, const RestoreOrder& order) {
  const auto places = key_places_of(config);
  if (here) {
    NEXUS_CHECK(settle_key_file(places, *here));
    auto found = find_root_key(places, *here, order.vault_passphrase);
    if (!found && found.error().code == ErrorCode::vault_locked)
      return passphrase_missing("the vault that is here opens");
    const bool opens = found && *found && Vault::open((*found)->key, *here);
    if (!opens && here->key_source == KeySource::passphrase)
      return Error{ErrorCode::vault_key_wrong,
                   "this is not the passphrase of the vault that is here",
                   "if nobody knows it any more, move " + config.data_dir +
                       "/nexus.db away, and restore again"};
    // Where it comes from is where a new vault's would.
    if (found && *found) return **std::move(found);
  }
  auto made = load_root_key(places, VaultHeader{vault_id, ""}, order.vault_passphrase);
  if (!made && made.error().code == ErrorCode::vault_locked)
    return passphrase_missing("nexus.toml has the vault open");
  return made;
}

Result<void> list_rotating(Store& store, api::RestoredVault& into) {
  ConnectionPage page;
  while (true) {
    NEXUS_TRY(const auto rows, store.connections(page));
    for (const auto& row : rows) {
      ++into.connections;
      NEXUS_TRY(const auto record, store.connection_record(row.id));
      if (!record) continue;
      for (const auto& field : record->fields)
        if (field.field == SecretField::refresh_token &&
            (field.generation > 1 || !row.last_refresh_at))
          into.rotating.push_back(row.id);
    }
    if (static_cast<std::int64_t>(rows.size()) < page.limit) return {};
    page.before = rows.back().id;
  }
}

/// Opens all that was unpacked, as nexusd would, and has it open with this key.
Result<api::RestoredVault> settle(const std::string& unpacked, const BackupManifest& manifest,
                                  const VaultHeader& header, const RootKey& root) {
  NEXUS_TRY(const auto vault, Vault::open(manifest.root_key, header));
  NEXUS_TRY(const auto store, open_sqlite_store(unpacked));
  NEXUS_CHECK(store->authenticate_rows(vault, std::nullopt));
  NEXUS_TRY(const auto suspicion, store->keep_tally("", false));
  NEXUS_TRY(
      const auto log,
      open_sqlite_audit_log(unpacked, {vault.audit_row_key(), vault.audit_key()}, vault.stage()));
  Audit audit(*log, system_now);
  const std::atomic<bool> never{false};
  NEXUS_TRY(auto verdict, verify_vault(*store, vault, audit, unpacked, never));
  api::RestoredVault restored;
  restored.made_at = manifest.made_at;
  restored.key_source = root.source;
  restored.findings = std::move(verdict.findings);
  if (!suspicion.empty()) restored.findings.push_back("the vault: " + suspicion);
  NEXUS_CHECK(list_rotating(*store, restored));
  NEXUS_TRY(const auto keys, store->api_keys({}));
  restored.api_keys = static_cast<std::int64_t>(keys.size());
  NEXUS_CHECK(store->mark_restored(manifest.made_at));
  NEXUS_TRY(const auto wrapped, Vault::rewrap(manifest.root_key, header, root));
  NEXUS_CHECK(store->rewrap_vault_key(wrapped));
  return restored;
}

Result<void> put_on_record(const std::string& data_dir, const RootKey& root,
                           const api::RestoredVault& restored) {
  NEXUS_TRY(const auto header, look_into_sqlite_store(data_dir));
  NEXUS_TRY(const auto vault, Vault::open(root.key, *header));
  NEXUS_TRY(
      const auto log,
      open_sqlite_audit_log(data_dir, {vault.audit_row_key(), vault.audit_key()}, vault.stage()));
  Audit audit(*log, system_now);
  audit.tell_trouble();
  return audit.commit({.event = AuditEvent::vault_restored,
                       .detail = "from a backup of " + rfc3339(restored.made_at),
                       .count = restored.connections},
                      {.uid = geteuid(), .pid = getppid()});
}

}  // namespace

Result<api::RestoredVault> restore_vault(const Config& config, const RestoreOrder& order) {
  const auto& data_dir = config.data_dir;
  NEXUS_CHECK(prepare_data_dir(data_dir));
  NEXUS_TRY(const auto lock, lock_data_dir(data_dir));
  ScratchDirectory scratch(data_dir + "/restore.tmp");
  NEXUS_CHECK(scratch.make());
  NEXUS_TRY(const auto manifest, unpack(order, scratch.path()));
  NEXUS_TRY(const auto header, look_into_sqlite_store(scratch.path()));
  if (!header) return cut();
  const auto here = look_into_sqlite_store(data_dir);
  if (!order.replace) {
    if (!here) return here.error();
    if (*here) NEXUS_CHECK(check_replaceable(data_dir, scratch.path()));
  }
  const auto header_here = here ? *here : std::nullopt;
  NEXUS_TRY(const auto root, root_key_for(config, header_here, header->vault_id, order));
  NEXUS_TRY(auto restored, settle(scratch.path(), manifest, *header, root));
  if (root.source == KeySource::keyring)  // it has one for each vault
    NEXUS_CHECK(keep_root_key(key_places_of(config), header->vault_id, root));
  // A log of the same vault that is here is its longer one.
  const bool keeps_log = header_here && header_here->vault_id == header->vault_id;
  NEXUS_TRY(restored.put_aside, put_sqlite_vault_in_place(scratch.path(), data_dir, keeps_log));
  NEXUS_CHECK(put_on_record(data_dir, root, restored));
  return restored;
}

}  // namespace nexus
