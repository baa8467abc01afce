#include "daemon/backup/unpack.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/descriptor.h"
#include "daemon/backup/sealed_file.h"
#include "daemon/crypto/big_endian.h"

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

}  // namespace

Result<BackupManifest> unpack_backup(const std::string& file, const EnvelopeOpener& opener,
                                     const std::string& directory) {
  NEXUS_TRY(auto reader, SealedFileReader::open(file, opener));
  NEXUS_TRY(auto manifest, manifest_of(reader));
  for (const auto& each : manifest.files)
    NEXUS_CHECK(unpack_file(reader, directory + "/" + each.name, each.size));
  NEXUS_CHECK(reader.check_end());
  return manifest;
}

}  // namespace nexus
