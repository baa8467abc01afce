#include "daemon/vault/vault.h"

#include <sodium.h>

#include <cstring>

#include "common/bytes.h"
#include "common/id.h"
#include "daemon/crypto/encoding.h"
#include "daemon/metrics.h"

namespace nexus {
namespace {

// A sealed text: format (1 byte), key id (4, little endian), nonce (24), ciphertext and tag.
constexpr char kFormat = 1;
constexpr std::uint32_t kKeyId = 1;
constexpr std::size_t kHead = 1 + 4;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kPadding = 64;

static_assert(kKey == crypto_kdf_KEYBYTES && kKey == crypto_auth_KEYBYTES);

Secret derive(const Secret& key, const char (&context)[crypto_kdf_CONTEXTBYTES + 1]) {
  SecretText subkey(kKey, '\0');
  crypto_kdf_derive_from_key(room_of(subkey), subkey.size(), kKeyId, context,
                             bytes_of(key.expose()));
  return Secret(subkey);
}

void append_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// Every part carries its length, so that no two places have the same text.
std::string associated_data(std::string_view vault_id, const SealedPlace& place,
                            std::string_view head) {
  std::string data(head);
  data.reserve(160);
  for (const auto part : {vault_id, place.kind, place.owner, place.field}) {
    append_number(data, part.size(), 4);
    data += part;
  }
  append_number(data, static_cast<std::uint64_t>(place.generation), 8);
  return data;
}

std::string seal_with(const Secret& key, std::string_view vault_id, const SealedPlace& place,
                      std::string_view plaintext) {
  SecretText padded(plaintext);
  padded.resize((plaintext.size() / kPadding + 1) * kPadding);
  std::size_t padded_size = 0;
  sodium_pad(&padded_size, room_of(padded), plaintext.size(), kPadding, padded.size());

  std::string sealed(1, kFormat);
  append_number(sealed, kKeyId, 4);
  const auto data = associated_data(vault_id, place, sealed);
  sealed.resize(kHead + kNonce + padded_size + kTag);
  auto* out = room_of(sealed);
  random_bytes(out + kHead, kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kHead + kNonce, nullptr, bytes_of(padded),
                                             padded_size, bytes_of(data), data.size(), nullptr,
                                             out + kHead, bytes_of(key.expose()));
  return sealed;
}

Result<Secret> open_with(const Secret& key, std::string_view vault_id, const SealedPlace& place,
                         std::string_view sealed) {
  const Error refused{ErrorCode::vault_unusable,
                      "the vault's record " + std::string(place.owner) + "/" +
                          std::string(place.field) + " was altered or damaged",
                      "restore it from a backup, or connect again"};
  std::string head(1, kFormat);
  append_number(head, kKeyId, 4);
  if (sealed.size() < kHead + kNonce + kTag + kPadding || !sealed.starts_with(head)) return refused;
  const auto data = associated_data(vault_id, place, head);
  const auto body = sealed.substr(kHead + kNonce);
  SecretText plain(body.size() - kTag, '\0');
  auto* out = room_of(plain);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          out, nullptr, nullptr, bytes_of(body), body.size(), bytes_of(data), data.size(),
          bytes_of(sealed.substr(kHead)), bytes_of(key.expose())) != 0)
    return refused;
  std::size_t size = 0;
  if (sodium_unpad(&size, out, plain.size(), kPadding) != 0) return refused;
  return Secret(std::string_view(plain).substr(0, size));
}

std::string keyed_hash(const Secret& hashing_key, std::string_view text) {
  std::string hash(crypto_generichash_BYTES, '\0');
  const auto key = hashing_key.expose();
  crypto_generichash(room_of(hash), hash.size(), bytes_of(text), text.size(), bytes_of(key),
                     key.size());
  return hash;
}

SealedPlace vault_key_place(bool row_macs) {
  return {"vault", "vault", "vault_key", row_macs ? 1 : 0};
}

Result<Secret> unwrap(const Secret& root_key, const VaultHeader& header, bool row_macs) {
  return open_with(derive(root_key, "nxkeyenc"), header.vault_id, vault_key_place(row_macs),
                   header.wrapped_key);
}

}  // namespace

Vault::Vault(std::string vault_id, const Secret& vault_key)
    : vault_id_(std::move(vault_id)),
      sealing_key_(derive(vault_key, "nxsealng")),
      state_key_(derive(vault_key, "nxstates")),
      api_key_key_(derive(vault_key, "nxapikey")),
      fingerprint_key_(derive(vault_key, "nxfinger")),
      row_key_(derive(vault_key, "nxrowmac")) {}

Vault Vault::create(const Secret& root_key, VaultHeader& header) {
  header.vault_id.resize(16);
  random_bytes(header.vault_id.data(), header.vault_id.size());
  SecretText vault_key(kKey, '\0');
  random_bytes(vault_key.data(), vault_key.size());
  header.wrapped_key =
      seal_with(derive(root_key, "nxkeyenc"), header.vault_id, vault_key_place(true), vault_key);
  return Vault(header.vault_id, Secret(vault_key));
}

Result<Vault> Vault::open(const Secret& root_key, const VaultHeader& header) {
  auto vault_key = unwrap(root_key, header, true);
  if (!vault_key) vault_key = unwrap(root_key, header, false);
  if (!vault_key || vault_key->expose().size() != kKey)
    return Error{ErrorCode::vault_key_wrong, "the vault does not open with this key",
                 "give nexusd the key that the vault was made with (NEXUS_ENCRYPTION_KEY, or the "
                 "key file beside it); nothing was changed"};
  return Vault(header.vault_id, *vault_key);
}

Result<std::optional<VaultHeader>> Vault::with_row_macs(const Secret& root_key,
                                                        const VaultHeader& header) {
  if (unwrap(root_key, header, true)) return std::optional<VaultHeader>();
  NEXUS_TRY(const auto vault_key, unwrap(root_key, header, false));
  return std::optional(
      VaultHeader{header.vault_id, seal_with(derive(root_key, "nxkeyenc"), header.vault_id,
                                             vault_key_place(true), vault_key.expose())});
}

std::string Vault::seal(const SealedPlace& place, std::string_view plaintext) const {
  return seal_with(sealing_key_, vault_id_, place, plaintext);
}

Result<Secret> Vault::open(const SealedPlace& place, std::string_view sealed) const {
  auto opened = open_with(sealing_key_, vault_id_, place, sealed);
  if (!opened) metrics::vault_record_refused();
  return opened;
}

std::string Vault::authenticate_state(std::string_view message) const {
  std::string mac(crypto_auth_BYTES, '\0');
  crypto_auth(room_of(mac), bytes_of(message), message.size(), bytes_of(state_key_.expose()));
  return mac;
}

std::string Vault::fingerprint(std::string_view secret) const {
  return hex(keyed_hash(fingerprint_key_, secret).substr(0, 4));
}

std::string Vault::hash_api_key(std::string_view key) const {
  return keyed_hash(api_key_key_, key);
}

}  // namespace nexus
