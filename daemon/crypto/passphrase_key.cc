#include "daemon/crypto/passphrase_key.h"

#include <sodium.h>

#include <mutex>

#include "common/bytes.h"
#include "common/id.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::string_view kName = "argon2id";
constexpr std::size_t kKeyBytes = 32;
constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kMemoryKib = 256 * 1024;
constexpr std::uint32_t kFewestPasses = 2;
constexpr std::uint32_t kMostPasses = 16;
constexpr std::uint32_t kLeastMemoryKib = 64 * 1024;
constexpr std::uint32_t kMostMemoryKib = 1024 * 1024;

}  // namespace

PassphraseDerivation PassphraseDerivation::make() {
  PassphraseDerivation made{kPasses, kMemoryKib, std::string(crypto_pwhash_SALTBYTES, '\0')};
  random_bytes(made.salt.data(), made.salt.size());
  return made;
}

bool PassphraseDerivation::is_acceptable() const {
  return passes >= kFewestPasses && passes <= kMostPasses && memory_kib >= kLeastMemoryKib &&
         memory_kib <= kMostMemoryKib && salt.size() == crypto_pwhash_SALTBYTES;
}

std::string PassphraseDerivation::text() const {
  return join(
      {std::string(kName), std::to_string(passes), std::to_string(memory_kib), base64(salt)}, "$");
}

std::optional<PassphraseDerivation> PassphraseDerivation::parse(std::string_view text) {
  const auto parts = split(text, '$');
  if (parts.size() != 4 || parts[0] != kName) return std::nullopt;
  const auto passes = parse_number(parts[1]);
  const auto memory = parse_number(parts[2]);
  const auto salt = base64_decode(parts[3]);
  if (!passes || !memory || !salt || *passes > kMostPasses || *memory > kMostMemoryKib)
    return std::nullopt;
  PassphraseDerivation parsed{static_cast<std::uint32_t>(*passes),
                              static_cast<std::uint32_t>(*memory), *salt};
  if (!parsed.is_acceptable() || parsed.text() != text) return std::nullopt;
  return parsed;
}

Result<void> check_new_passphrase(const Secret& passphrase) {
  if (passphrase.expose().size() >= kShortestPassphrase) return {};
  return Error{ErrorCode::invalid_field,
               "the passphrase has fewer than " + std::to_string(kShortestPassphrase) +
                   " characters, and whoever has what it seals can try any number of them",
               "make one with: openssl rand -base64 24"};
}

Result<Secret> key_from(const Secret& passphrase, const PassphraseDerivation& derivation) {
  // Some of them side by side would take all of a machine's memory.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  SecretText key(kKeyBytes, '\0');
  const auto words = passphrase.expose();
  if (crypto_pwhash(room_of(key), key.size(), words.data(), words.size(), bytes_of(derivation.salt),
                    derivation.passes, std::size_t{derivation.memory_kib} * 1024,
                    crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Error{ErrorCode::failure,
                 "deriving a key from the passphrase takes " +
                     std::to_string(derivation.memory_kib / 1024) +
                     " MiB of memory, which are not there",
                 "make room, and try again"};
  return Secret(key);
}

}  // namespace nexus
