#include "daemon/vault/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/descriptor.h"
#include "common/new_file.h"
#include "common/paths.h"
#include "common/regular_file.h"
#include "daemon/private_file.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

Error unusable(const std::string& what, const std::string& hint) {
  return {ErrorCode::vault_unusable, what, hint};
}

Result<Secret> read_opened(int fd, const std::string& path, bool vault_exists) {
  SecretText text(256, '\0');
  const auto size = read(fd, text.data(), text.size());
  if (size < 0) return unusable("cannot read " + path + ": " + std::strerror(errno), "check it");
  return read_key_text(std::string_view(text).substr(0, static_cast<std::size_t>(size)), path,
                       vault_exists);
}

/// `what` names it.
Result<std::optional<Secret>> key_in(const std::string& what, const std::string& path, Owner owner,
                                     bool vault_exists) {
  NEXUS_CHECK(check_private(what, path, owner));
  const auto file = open_regular_file(path, owner == Owner::this_user ? O_NOFOLLOW : 0);
  if (file.get() >= 0) {
    NEXUS_TRY(auto key, read_opened(file.get(), path, vault_exists));
    return std::optional(std::move(key));
  }
  if (errno == ENOENT) return std::optional<Secret>();
  return unusable("cannot open " + what + " " + path + ": " + why_not_opened(), "check it");
}

}  // namespace

std::string key_file_in(const std::string& data_dir) {
  return data_dir + "/vault.key";
}

std::string coming_key_file_in(const std::string& data_dir) {
  return key_file_in(data_dir) + ".new";
}

Result<void> put_key_file_in_place(const std::string& data_dir) {
  const Descriptor directory(open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (rename(coming_key_file_in(data_dir).c_str(), key_file_in(data_dir).c_str()) == 0 &&
      fsync(directory.get()) == 0)
    return {};
  return unusable("cannot put " + coming_key_file_in(data_dir) +
                      " in the place of vault.key: " + std::strerror(errno),
                  "rename it by hand: the vault opens with it");
}

Result<std::optional<Secret>> read_key_file(const std::string& path, bool vault_exists) {
  return key_in("the key file", path, Owner::this_user, vault_exists);
}

Result<void> make_key_file(const std::string& path, const Secret& key) {
  auto text = key_text(key) + "\n";
  if (make_new_file(path, text)) return {};
  return unusable("cannot make the key file " + path + ": " + std::strerror(errno),
                  "make room, or choose another data directory");
}

Result<std::optional<Secret>> read_key_credential(bool vault_exists) {
  const auto directory = environment("CREDENTIALS_DIRECTORY");
  if (directory.empty()) return std::optional<Secret>();
  return key_in("the credential", directory + "/nexusd.vault.key", Owner::this_user_or_root,
                vault_exists);
}

}  // namespace nexus
