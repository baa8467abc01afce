#include "daemon/crypto/sealed_bundle.h"

#include <sodium.h>

#include <cstdint>
#include <optional>

#include "common/bundle_key.h"
#include "common/bytes.h"
#include "common/crc32.h"
#include "common/id.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/crypto/passphrase_key.h"

namespace nexus {
namespace {

constexpr std::string_view kPrefix = "nexus-bundle:";
constexpr std::string_view kMagic = "NXBN";
constexpr unsigned char kVersion = 1;
constexpr std::size_t kSizeAt = kMagic.size() + 2;
constexpr std::size_t kFixed = kSizeAt + 4;  // magic, version, kind, size of all
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kSealedKey = crypto_box_SEALBYTES + kKey;
constexpr std::size_t kChecksum = 4;

enum class Kind : unsigned char { public_key = 1, passphrase = 2 };

// For a public key: whose, and the bundle's own key, sealed for it.
constexpr std::size_t kForPublicKey = kFixed + kBundleKeyBytes + kSealedKey;
// For a passphrase: salt, passes, KiB of memory.
constexpr std::size_t kForPassphrase = kFixed + crypto_pwhash_SALTBYTES + 4 + 4;

void append_number(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

Error no_bundle(const std::string& what, const std::string& hint) {
  return {ErrorCode::invalid_bundle, what, hint};
}

Error does_not_open(const std::string& what, const std::string& hint) {
  return {ErrorCode::bundle_key_wrong, what, hint};
}

std::string fixed_header(Kind kind, std::size_t header_size, std::size_t document_size) {
  std::string header(kMagic);
  header += static_cast<char>(kVersion);
  header += static_cast<char>(kind);
  append_number(
      header, static_cast<std::uint32_t>(header_size + kNonce + document_size + kTag + kChecksum));
  return header;
}

/// All of the header, and the nonce, are authenticated with the document.
Result<std::string> finish(std::string out, const Secret& key, std::string_view document) {
  std::string nonce(kNonce, '\0');
  random_bytes(nonce.data(), nonce.size());
  out += nonce;
  const auto header = out;
  out.resize(header.size() + document.size() + kTag);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      room_of(out) + header.size(), nullptr, bytes_of(document), document.size(), bytes_of(header),
      header.size(), nullptr, bytes_of(nonce), bytes_of(key.expose()));
  append_number(out, crc32(out));
  auto text = std::string(kPrefix) + base64(out);
  if (text.size() > kLongestBundle)
    return Error{
        ErrorCode::body_too_large,
        "the bundle would be longer than " + std::to_string(kLongestBundle / 1024) + " KiB",
        "export fewer connections at a time"};
  return text;
}

/// What stands in the text, as far as it is whole: who copies half of it is to be told so.
Result<std::string> bytes_in(std::string_view text) {
  std::string compact;
  compact.reserve(text.size());
  for (const char c : text)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') compact += c;
  if (!compact.starts_with(kPrefix))
    return no_bundle("what was given is no bundle of nexus",
                     "it begins with " + std::string(kPrefix) + "; make one with: nexus export");
  const auto coded = std::string_view(compact).substr(kPrefix.size());
  auto bytes = base64_decode(coded.substr(0, coded.size() / 4 * 4));
  if (!bytes)
    return no_bundle("the bundle is damaged: it has characters that are not of it",
                     "copy it once more, as it was made");
  if (bytes->size() >= kMagic.size() && !bytes->starts_with(kMagic))
    return no_bundle("the bundle is damaged: it does not begin as one does",
                     "copy it once more, as it was made");
  if (bytes->size() >= kSizeAt && static_cast<unsigned char>((*bytes)[kMagic.size()]) != kVersion)
    return no_bundle("the bundle is of another version of nexus, which this one does not know",
                     "open it with that version, or export it anew with this one");
  return *std::move(bytes);
}

/// That it is the bundle that somebody made, all of it: no word about who that was.
Result<void> check_whole(std::string_view bytes) {
  const auto has = std::to_string(bytes.size());
  if (bytes.size() < kFixed)
    return no_bundle("the bundle was cut: it has no more than " + has + " bytes", "copy all of it");
  const auto size = number_at(bytes, kSizeAt);
  if (bytes.size() < size)
    return no_bundle(
        "the bundle was cut: it has " + has + " of its " + std::to_string(size) + " bytes",
        "copy all of it; a place for secrets may hold less than it needs");
  const auto kind = static_cast<Kind>(bytes[kMagic.size() + 1]);
  const auto header = kind == Kind::public_key ? kForPublicKey : kForPassphrase;
  const bool known = kind == Kind::public_key || kind == Kind::passphrase;
  if (!known || bytes.size() != size || size < header + kNonce + kTag + kChecksum ||
      crc32(bytes.substr(0, size - kChecksum)) != number_at(bytes, size - kChecksum))
    return no_bundle("the bundle is damaged: its checksum does not fit",
                     "copy it once more, as it was made");
  return {};
}

Result<Secret> key_by_private_key(std::string_view bytes, const Secret& given) {
  const auto recipient = bytes.substr(kFixed, kBundleKeyBytes);
  const std::string named(bundle_key_text(BundleKey::public_key, recipient));
  if (given.empty())
    return does_not_open("the bundle is sealed for " + named + ", and no private key was given",
                         "give its private key: --key-file FILE, or NEXUS_BUNDLE_KEY");
  NEXUS_TRY(const auto secret, read_bundle_key(BundleKey::private_key, given.expose()));
  std::string own(kBundleKeyBytes, '\0');
  crypto_scalarmult_base(room_of(own), bytes_of(secret.expose()));
  if (own != recipient)
    return does_not_open("the bundle is sealed for " + named + ", and the private key is that of " +
                             std::string(bundle_key_text(BundleKey::public_key, own)),
                         "give the other one, or export it anew for this one");
  SecretText key(kKey, '\0');
  if (crypto_box_seal_open(room_of(key), bytes_of(bytes.substr(kFixed + kBundleKeyBytes)),
                           kSealedKey, bytes_of(own), bytes_of(secret.expose())) != 0)
    return no_bundle("the bundle was altered: it is not what was made for this key",
                     "export it anew");
  return Secret(key);
}

Result<Secret> key_by_passphrase(std::string_view bytes, const Secret& given) {
  const std::string salt(bytes.substr(kFixed, crypto_pwhash_SALTBYTES));
  const PassphraseDerivation derivation{number_at(bytes, kFixed + salt.size()),
                                        number_at(bytes, kFixed + salt.size() + 4), salt};
  if (!derivation.is_acceptable())
    return no_bundle(
        "the bundle was altered: it asks for a key that is too easy or too hard to "
        "derive",
        "export it anew");
  if (given.empty())
    return does_not_open("the bundle is sealed with a passphrase, and none was given",
                         "give it: --passphrase-file FILE, or NEXUS_BUNDLE_PASSPHRASE");
  return key_from(given, derivation);
}

}  // namespace

Result<std::string> seal_bundle_for(std::string_view public_key, std::string_view document) {
  NEXUS_TRY(const auto recipient, read_bundle_key(BundleKey::public_key, public_key));
  SecretText key(kKey, '\0');
  random_bytes(key.data(), key.size());
  auto header = fixed_header(Kind::public_key, kForPublicKey, document.size());
  header += recipient.expose();
  const auto at = header.size();
  header.resize(at + kSealedKey);
  if (crypto_box_seal(room_of(header) + at, bytes_of(key), key.size(),
                      bytes_of(recipient.expose())) != 0)
    return Error{ErrorCode::invalid_field, "nothing can be sealed for this public key",
                 "make another pair: nexus key pair"};
  return finish(std::move(header), Secret(key), document);
}

Result<std::string> seal_bundle_with(const Secret& passphrase, std::string_view document) {
  NEXUS_CHECK(check_new_passphrase(passphrase));
  const auto derivation = PassphraseDerivation::make();
  NEXUS_TRY(const auto key, key_from(passphrase, derivation));
  auto header = fixed_header(Kind::passphrase, kForPassphrase, document.size()) + derivation.salt;
  append_number(header, derivation.passes);
  append_number(header, derivation.memory_kib);
  return finish(std::move(header), key, document);
}

Result<Secret> open_bundle(std::string_view text, const BundleOpener& opener) {
  NEXUS_TRY(const auto bytes, bytes_in(text));
  NEXUS_CHECK(check_whole(bytes));
  const std::string_view all(bytes);
  const bool by_passphrase = static_cast<Kind>(all[kMagic.size() + 1]) == Kind::passphrase;
  NEXUS_TRY(const auto key, by_passphrase ? key_by_passphrase(all, opener.passphrase)
                                          : key_by_private_key(all, opener.private_key));
  const auto head = all.substr(0, (by_passphrase ? kForPassphrase : kForPublicKey) + kNonce);
  const auto body = all.substr(head.size(), all.size() - head.size() - kChecksum);
  SecretText document(body.size() - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          room_of(document), nullptr, nullptr, bytes_of(body), body.size(), bytes_of(head),
          head.size(), bytes_of(head.substr(head.size() - kNonce)), bytes_of(key.expose())) == 0)
    return Secret(document);
  if (by_passphrase)
    return does_not_open("the bundle does not open with this passphrase",
                         "check it, blanks and capitals too; nothing was changed");
  return no_bundle("the bundle was altered: it is not what was made for this key",
                   "export it anew");
}

}  // namespace nexus
