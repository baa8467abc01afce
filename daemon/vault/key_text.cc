#include "daemon/vault/key_text.h"

#include "common/id.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::size_t kKeySize = 32;

}  // namespace

Secret make_root_key() {
  SecretText bytes(kKeySize, '\0');
  random_bytes(bytes.data(), bytes.size());
  return Secret(bytes);
}

SecretText key_text(const Secret& key) {
  auto text = base64(key.expose());
  SecretText kept(text);
  wipe(text);
  return kept;
}

Result<Secret> read_key_text(std::string_view text, const std::string& from, bool vault_exists) {
  auto bytes = base64_decode(trim(text));
  if (!bytes || bytes->size() != kKeySize) {
    if (bytes) wipe(*bytes);
    return Error{ErrorCode::vault_key_wrong, from + " does not hold a base64 key of 32 bytes",
                 vault_exists ? "give the key that the vault was made with; nothing was changed"
                              : "make one with: openssl rand -base64 32"};
  }
  Secret key(*bytes);
  wipe(*bytes);
  return key;
}

}  // namespace nexus
