#include "daemon/crypto/envelope.h"

#include <sodium.h>

#include "common/bundle_key.h"
#include "common/bytes.h"
#include "common/id.h"
#include "daemon/crypto/big_endian.h"
#include "daemon/crypto/passphrase_key.h"

namespace nexus {
namespace {

constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
static_assert(kKey == crypto_secretstream_xchacha20poly1305_KEYBYTES);
constexpr std::size_t kSealedKey = crypto_box_SEALBYTES + kKey;
constexpr std::size_t kSalt = crypto_pwhash_SALTBYTES;

Error altered(const EnvelopeKind& kind, const std::string& why) {
  return {kind.altered, std::string("the ") + kind.name + " was altered: " + why, kind.made_anew};
}

Error does_not_open(const EnvelopeKind& kind, const std::string& why, const std::string& hint) {
  return {kind.does_not_open, std::string("the ") + kind.name + " is sealed " + why, hint};
}

Result<Secret> by_private_key(const EnvelopeKind& kind, std::string_view recipient,
                              const Secret& given) {
  const auto public_key = recipient.substr(0, kBundleKeyBytes);
  const std::string named(bundle_key_text(BundleKey::public_key, public_key));
  if (given.empty())
    return does_not_open(kind, "for " + named + ", and no private key was given",
                         "give its private key: --key-file FILE, or NEXUS_BUNDLE_KEY");
  NEXUS_TRY(const auto secret, read_bundle_key(BundleKey::private_key, given.expose()));
  std::string own(kBundleKeyBytes, '\0');
  crypto_scalarmult_base(room_of(own), bytes_of(secret.expose()));
  if (own != public_key)
    return does_not_open(kind,
                         "for " + named + ", and the private key is that of " +
                             std::string(bundle_key_text(BundleKey::public_key, own)),
                         std::string("give the other one, or ") + kind.made_anew + " for this one");
  SecretText key(kKey, '\0');
  if (crypto_box_seal_open(room_of(key), bytes_of(recipient.substr(kBundleKeyBytes)), kSealedKey,
                           bytes_of(own), bytes_of(secret.expose())) != 0)
    return altered(kind, "it is not what was made for this key");
  return Secret(key);
}

Result<Secret> by_passphrase(const EnvelopeKind& kind, std::string_view recipient,
                             const Secret& given) {
  const PassphraseDerivation derivation{big_endian_at(recipient, kSalt),
                                        big_endian_at(recipient, kSalt + 4),
                                        std::string(recipient.substr(0, kSalt))};
  if (!derivation.is_acceptable())
    return altered(kind, "it asks for a key that is too easy or too hard to derive");
  if (given.empty())
    return does_not_open(kind, "with a passphrase, and none was given",
                         "give it: --passphrase-file FILE, or NEXUS_BUNDLE_PASSPHRASE");
  return key_from(given, derivation);
}

}  // namespace

std::size_t recipient_size(unsigned char sealed_for) {
  switch (static_cast<SealedFor>(sealed_for)) {
    case SealedFor::public_key:
      return kBundleKeyBytes + kSealedKey;
    case SealedFor::passphrase:
      return kSalt + 4 + 4;
  }
  return 0;
}

Result<EnvelopeKey> envelope_key_for(std::string_view public_key) {
  NEXUS_TRY(const auto recipient, read_bundle_key(BundleKey::public_key, public_key));
  SecretText key(kKey, '\0');
  random_bytes(key.data(), key.size());
  std::string clear(recipient.expose());
  clear.resize(kBundleKeyBytes + kSealedKey);
  if (crypto_box_seal(room_of(clear) + kBundleKeyBytes, bytes_of(key), key.size(),
                      bytes_of(recipient.expose())) != 0)
    return Error{ErrorCode::invalid_field, "nothing can be sealed for this public key",
                 "make another pair: nexus key pair"};
  return EnvelopeKey{SealedFor::public_key, std::move(clear), Secret(key)};
}

Result<EnvelopeKey> envelope_key_with(const Secret& passphrase) {
  NEXUS_CHECK(check_new_passphrase(passphrase));
  const auto derivation = PassphraseDerivation::make();
  NEXUS_TRY(auto key, key_from(passphrase, derivation));
  auto clear = derivation.salt;
  append_big_endian(clear, derivation.passes);
  append_big_endian(clear, derivation.memory_kib);
  return EnvelopeKey{SealedFor::passphrase, std::move(clear), std::move(key)};
}

Result<Secret> open_envelope(const EnvelopeKind& kind, SealedFor sealed_for,
                             std::string_view recipient, const EnvelopeOpener& opener) {
  return sealed_for == SealedFor::passphrase ? by_passphrase(kind, recipient, opener.passphrase)
                                             : by_private_key(kind, recipient, opener.private_key);
}

}  // namespace nexus
