#include "daemon/vault/key_source.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

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

/// Nothing where there is no such file. `what` names it.
Result<std::optional<Secret>> key_in_file(const std::string& what, const std::string& path,
                                          Owner owner, bool vault_exists) {
  NEXUS_CHECK(check_private(what, path, owner));
  const auto file = open_regular_file(path, owner == Owner::this_user ? O_NOFOLLOW : 0);
  if (file.get() >= 0) {
    NEXUS_TRY(auto key, read_key_file(file.get(), path, vault_exists));
    return std::optional(std::move(key));
  }
  if (errno == ENOENT) return std::optional<Secret>();
  return unusable("cannot open " + what + " " + path + ": " + why_not_opened(), "check it");
}

/// What systemd or a container's secrets bring along is root's at times, and at times a link.
Result<std::optional<Secret>> key_among_credentials(bool vault_exists) {
  const auto directory = environment("CREDENTIALS_DIRECTORY");
  if (directory.empty()) return std::optional<Secret>();
  return key_in_file("the credential", directory + "/nexusd.vault.key", Owner::this_user_or_root,
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
  NEXUS_TRY(auto credential, key_among_credentials(vault_exists));
  if (credential) return RootKey{*std::move(credential), "credential"};
  const auto path = data_dir + "/vault.key";
  NEXUS_TRY(auto kept, key_in_file("the key file", path, Owner::this_user, vault_exists));
  if (kept) return RootKey{*std::move(kept), "file"};
  if (vault_exists)
    return Error{ErrorCode::vault_key_wrong, "the vault's key is missing: there is no " + path,
                 "put the key file back, or set NEXUS_ENCRYPTION_KEY; nothing was changed"};
  NEXUS_TRY(auto key, make_key_file(path));
  return RootKey{std::move(key), "file"};
}

}  // namespace nexus
