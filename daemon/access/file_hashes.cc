#include "daemon/access/file_hashes.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<std::string> hash_of(int file) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<unsigned char> buffer(256 * 1024);
  for (off_t at = 0;;) {
    const auto got = pread(file, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    crypto_hash_sha256_update(&state, buffer.data(), static_cast<std::size_t>(got));
    at += got;
  }
  std::array<char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(hash.data()));
  return hex({hash.data(), hash.size()});
}

}  // namespace

std::optional<std::string> FileHashes::of(const Descriptor& file) {
  struct stat about {};
  if ((fcntl(file.get(), F_GETFL) & O_PATH) != 0 || fstat(file.get(), &about) != 0)
    return std::nullopt;
  const Version version{about.st_dev, about.st_ino, about.st_size, nanoseconds(about.st_mtim),
                        nanoseconds(about.st_ctim)};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(version); found != known_.end()) return found->second;
  }
  auto hash = hash_of(file.get());
  if (!hash) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMost) known_.clear();
  known_[version] = *hash;
  return hash;
}

}  // namespace nexus
