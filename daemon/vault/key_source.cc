#include "daemon/vault/key_source.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/id.h"
#include "common/new_file.h"
#include "common/paths.h"
#include "common/regular_file.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/private_file.h"
#include "daemon/process.h"

namespace nexus {
namespace {

constexpr std::size_t kKeySize = 32;

Error unusable(const std::string& what, const std::string& hint) {
  return {ErrorCode::vault_unusable, what, hint};
}

Result<Secret> decode_key(std::string_view text, const std::string& from, bool vault_exists) {
  auto bytes = base64_decode(trim(text));
  if (!bytes || bytes->size() != kKeySize)
    return Error{ErrorCode::vault_key_wrong, from + " does not hold a base64 key of 32 bytes",
                 vault_exists ? "give the key that the vault was made with; nothing was changed"
                              : "make one with: openssl rand -base64 32"};
  Secret key(*bytes);
  wipe(*bytes);
  return key;
}

Result<Secret> read_key_file(int fd, const std::string& path, bool vault_exists) {
  SecretText text(256, '\0');
  const auto size = read(fd, text.data(), text.size());
  if (size < 0) return unusable("cannot read " + path + ": " + std::strerror(errno), "check it");
  return decode_key(std::string_view(text).substr(0, static_cast<std::size_t>(size)), path,
                    vault_exists);
}

Result<Secret> make_key_file(const std::string& path) {
  SecretText bytes(kKeySize, '\0');
  random_bytes(bytes.data(), bytes.size());
  auto text = base64(bytes) + "\n";
  const bool made = make_new_file(path, text);
  wipe(text);
  if (!made)
    return unusable("cannot make the key file " + path + ": " + std::strerror(errno),
                    "make room, or choose another data directory");
  return Secret(bytes);
}

}  // namespace

Result<RootKey> load_root_key(const std::string& data_dir, bool vault_exists) {
  for (const char* variable : {"NEXUS_ENCRYPTION_KEY", "ENCRYPTION_KEY"}) {
    if (environment(variable).empty()) continue;
    const auto text = take_variable(variable);
    auto key = decode_key(text->expose(), variable, vault_exists);
    if (!key) return std::move(key).error();
    return RootKey{*std::move(key), "environment"};
  }
  const auto path = data_dir + "/vault.key";
  NEXUS_CHECK(check_private("the key file", path));
  const auto file = open_regular_file(path, O_NOFOLLOW);
  if (file.get() >= 0) {
    NEXUS_TRY(auto key, read_key_file(file.get(), path, vault_exists));
    return RootKey{std::move(key), "file"};
  }
  if (errno != ENOENT)
    return unusable("cannot open the key file " + path + ": " + why_not_opened(), "check it");
  if (vault_exists)
    return Error{ErrorCode::vault_key_wrong, "the vault's key is missing: there is no " + path,
                 "put the key file back, or set NEXUS_ENCRYPTION_KEY; nothing was changed"};
  NEXUS_TRY(auto key, make_key_file(path));
  return RootKey{std::move(key), "file"};
}

}  // namespace nexus
