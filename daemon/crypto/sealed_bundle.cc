#include "daemon/crypto/sealed_bundle.h"

#include <sodium.h>

#include <cstdint>

#include "common/bytes.h"
#include "common/crc32.h"
#include "common/id.h"
#include "daemon/crypto/big_endian.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::string_view kPrefix = "nexus-bundle:";
constexpr std::string_view kMagic = "NXBN";
constexpr unsigned char kVersion = 1;
constexpr std::size_t kForAt = kMagic.size() + 1;
constexpr std::size_t kSizeAt = kMagic.size() + 2;
constexpr std::size_t kFixed = kSizeAt + 4;  // magic, version, for whom, size of all
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kChecksum = 4;

constexpr EnvelopeKind kBundle{"bundle", "export it anew", ErrorCode::invalid_bundle,
                               ErrorCode::bundle_key_wrong};

Error no_bundle(const std::string& what, const std::string& hint) {
  return {ErrorCode::invalid_bundle, what, hint};
}

std::string header_of(const EnvelopeKey& envelope, std::size_t document_size) {
  std::string header(kMagic);
  header += static_cast<char>(kVersion);
  header += static_cast<char>(envelope.sealed_for);
  append_big_endian(header, static_cast<std::uint32_t>(kFixed + envelope.recipient.size() + kNonce +
                                                       document_size + kTag + kChecksum));
  return header + envelope.recipient;
}

/// All of the header, and the nonce, are authenticated with the document.
Result<std::string> seal(const EnvelopeKey& envelope, std::string_view document) {
  auto out = header_of(envelope, document.size());
  std::string nonce(kNonce, '\0');
  random_bytes(nonce.data(), nonce.size());
  out += nonce;
  const auto header = out;
  out.resize(header.size() + document.size() + kTag);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      room_of(out) + header.size(), nullptr, bytes_of(document), document.size(), bytes_of(header),
      header.size(), nullptr, bytes_of(nonce), bytes_of(envelope.key.expose()));
  append_big_endian(out, crc32(out));
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
  const auto size = big_endian_at(bytes, kSizeAt);
  if (bytes.size() < size)
    return no_bundle(
        "the bundle was cut: it has " + has + " of its " + std::to_string(size) + " bytes",
        "copy all of it; a place for secrets may hold less than it needs");
  const auto recipient = recipient_size(static_cast<unsigned char>(bytes[kForAt]));
  if (recipient == 0 || bytes.size() != size ||
      size < kFixed + recipient + kNonce + kTag + kChecksum ||
      crc32(bytes.substr(0, size - kChecksum)) != big_endian_at(bytes, size - kChecksum))
    return no_bundle("the bundle is damaged: its checksum does not fit",
                     "copy it once more, as it was made");
  return {};
}

}  // namespace

Result<std::string> seal_bundle_for(std::string_view public_key, std::string_view document) {
  NEXUS_TRY(const auto envelope, envelope_key_for(public_key));
  return seal(envelope, document);
}

Result<std::string> seal_bundle_with(const Secret& passphrase, std::string_view document) {
  NEXUS_TRY(const auto envelope, envelope_key_with(passphrase));
  return seal(envelope, document);
}

Result<Secret> open_bundle(std::string_view text, const EnvelopeOpener& opener) {
  NEXUS_TRY(const auto bytes, bytes_in(text));
  NEXUS_CHECK(check_whole(bytes));
  const std::string_view all(bytes);
  const auto sealed_for = static_cast<SealedFor>(all[kForAt]);
  const auto recipient = all.substr(kFixed, recipient_size(static_cast<unsigned char>(sealed_for)));
  NEXUS_TRY(const auto key, open_envelope(kBundle, sealed_for, recipient, opener));
  const auto head = all.substr(0, kFixed + recipient.size() + kNonce);
  const auto body = all.substr(head.size(), all.size() - head.size() - kChecksum);
  SecretText document(body.size() - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          room_of(document), nullptr, nullptr, bytes_of(body), body.size(), bytes_of(head),
          head.size(), bytes_of(head.substr(head.size() - kNonce)), bytes_of(key.expose())) == 0)
    return Secret(document);
  if (sealed_for == SealedFor::passphrase)
    return Error{kBundle.does_not_open, "the bundle does not open with this passphrase",
                 "check it, blanks and capitals too; nothing was changed"};
  return no_bundle("the bundle was altered: it is not what was made for this key",
                   "export it anew");
}

}  // namespace nexus
