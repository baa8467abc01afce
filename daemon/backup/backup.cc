#include "daemon/backup/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/descriptor.h"
#include "common/id.h"
#include "common/version.h"
#include "daemon/backup/manifest.h"
#include "daemon/backup/scratch_directory.h"
#include "daemon/backup/sealed_file.h"
#include "daemon/crypto/big_endian.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

Error not_made(const std::string& what) {
  return {ErrorCode::internal_error, what + ": " + std::strerror(errno),
          "free some disk space; nothing was lost"};
}

/// What has another name by then stays.
struct RemovedUnlessDone {
  const std::string path;
  ~RemovedUnlessDone() { unlink(path.c_str()); }
};

Result<EnvelopeKey> envelope_for(const BackupOrder& order) {
  return order.public_key.empty() ? envelope_key_with(order.passphrase)
                                  : envelope_key_for(order.public_key);
}

Result<std::vector<BackupFile>> files_in(const std::string& directory) {
  std::vector<BackupFile> files;
  for (const std::string name : kBackupFiles) {
    struct stat about {};
    if (stat((directory + "/" + name).c_str(), &about) != 0) return not_made("no copy of " + name);
    files.push_back({name, static_cast<std::uint64_t>(about.st_size)});
  }
  return files;
}

/// So many bytes, which the manifest has told: what is longer or shorter now is an error.
Result<void> seal_file(SealedFileWriter& into, const std::string& path, std::uint64_t left) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return not_made("the copy cannot be read");
  std::array<char, 64 * 1024> bytes{};
  while (left > 0) {
    const auto got = read(file.get(), bytes.data(), std::min<std::uint64_t>(bytes.size(), left));
    if (got == 0) errno = EIO;  // it was shortened meanwhile
    if (got <= 0) return not_made("the copy cannot be read");
    NEXUS_CHECK(into.write({bytes.data(), static_cast<std::size_t>(got)}));
    left -= static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<void> seal(const BackupManifest& manifest, const std::string& directory,
                  const EnvelopeKey& envelope, const std::string& file) {
  NEXUS_TRY(auto sealed, SealedFileWriter::make(file, envelope));
  const auto text = to_text(manifest);
  std::string length;
  append_big_endian(length, static_cast<std::uint32_t>(text.size()));
  NEXUS_CHECK(sealed.write(length));
  NEXUS_CHECK(sealed.write(text));
  for (const auto& each : manifest.files)
    NEXUS_CHECK(seal_file(sealed, directory + "/" + each.name, each.size));
  return sealed.finish();
}

}  // namespace

Result<void> Backups::copy_into(const std::string& directory, const Secret& current,
                                const Secret& own_key) {
  const auto held = keys_.hold();
  NEXUS_CHECK(keys_.check_not_rotating());
  NEXUS_TRY(const auto header, keys_.store().vault_header());
  NEXUS_TRY(const auto root, keys_.present(*header, current));
  NEXUS_TRY(const auto own, Vault::rewrap(root.key, *header, {own_key.copy(), KeySource::file}));
  NEXUS_CHECK(keys_.store().copy_into(directory));
  NEXUS_CHECK(audit_log_.copy_into(directory));
  // The store that is opened here closes the copy as one file.
  NEXUS_TRY(const auto copy, open_sqlite_store(directory));
  return copy->rewrap_vault_key(own);
}

Result<api::VaultBackup> Backups::make(const BackupOrder& order, const Caller& caller) {
  const auto& data_dir = keys_.places().data_dir;
  NEXUS_TRY(const auto envelope, envelope_for(order));
  ScratchDirectory scratch(data_dir + "/backup.tmp");
  NEXUS_CHECK(scratch.make());
  BackupManifest manifest{wall_clock_(), kVersion, make_root_key(), {}};
  NEXUS_CHECK(copy_into(scratch.path(), order.current_passphrase, manifest.root_key));
  NEXUS_TRY(manifest.files, files_in(scratch.path()));
  // Beside its place: Landlock lets no file go from one directory to another.
  const auto file = data_dir + "/vault.backup-" + new_uuid();
  const auto sealed = file + ".new";
  const RemovedUnlessDone unfinished{sealed};
  NEXUS_CHECK(seal(manifest, scratch.path(), envelope, sealed));
  struct stat about {};
  if (stat(sealed.c_str(), &about) != 0) return not_made("the backup");
  NEXUS_TRY(const auto counts, keys_.store().count_by_status());
  const auto count = [&counts](ConnectionStatus status) {
    const auto found = counts.find(status);
    return found == counts.end() ? 0 : found->second;
  };
  const api::VaultBackup made{
      file, about.st_size,
      count(ConnectionStatus::active) + count(ConnectionStatus::attention_required),
      manifest.made_at};
  NEXUS_CHECK(audit_.commit(
      {.event = AuditEvent::vault_backed_up,
       .detail = order.public_key.empty() ? "with a passphrase" : "for " + order.public_key,
       .count = made.connections},
      caller));
  if (std::rename(sealed.c_str(), made.file.c_str()) != 0)
    return not_made("the backup cannot be put into place");
  return made;
}

}  // namespace nexus
