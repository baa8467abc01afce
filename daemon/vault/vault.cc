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
constexpr std::uint32_t kSubkey = 1;  // crypto_kdf's number: the context tells them apart
constexpr std::uint32_t kFirstKey = 1;
constexpr std::size_t kHead = 1 + 4;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kPadding = 64;

static_assert(kKey == crypto_kdf_KEYBYTES);
static_assert(kKey == crypto_auth_KEYBYTES);

Secret derive(const Secret& key, const char (&context)[crypto_kdf_CONTEXTBYTES + 1]) {
  SecretText subkey(kKey, '\0');
  crypto_kdf_derive_from_key(room_of(subkey), subkey.size(), kSubkey, context,
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

std::string head_of(std::uint32_t number) {
  std::string head(1, kFormat);
  append_number(head, number, 4);
  return head;
}

/// Of the vault key that it was sealed with; 0 for what cannot have been sealed.
std::uint32_t number_of(std::string_view sealed) {
  if (sealed.size() < kHead || sealed[0] != kFormat) return 0;
  std::uint32_t number = 0;
  for (std::size_t i = kHead - 1; i > 0; --i)
    number = number << 8 | static_cast<unsigned char>(sealed[i]);
  return number;
}

std::string seal_with(const Secret& key, std::uint32_t number, std::string_view vault_id,
                      const SealedPlace& place, std::string_view plaintext) {
  SecretText padded(plaintext);
  padded.resize((plaintext.size() / kPadding + 1) * kPadding);
  std::size_t padded_size = 0;
  sodium_pad(&padded_size, room_of(padded), plaintext.size(), kPadding, padded.size());

  auto sealed = head_of(number);
  const auto data = associated_data(vault_id, place, sealed);
  sealed.resize(kHead + kNonce + padded_size + kTag);
  auto* out = room_of(sealed);
  random_bytes(out + kHead, kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kHead + kNonce, nullptr, bytes_of(padded),
                                             padded_size, bytes_of(data), data.size(), nullptr,
                                             out + kHead, bytes_of(key.expose()));
  return sealed;
}

Error altered(const SealedPlace& place) {
  return {ErrorCode::vault_unusable,
          "the vault's record " + std::string(place.owner) + "/" + std::string(place.field) +
              " was altered or damaged",
          "restore it from a backup, or connect again"};
}

Result<Secret> open_with(const Secret& key, std::uint32_t number, std::string_view vault_id,
                         const SealedPlace& place, std::string_view sealed) {
  const auto head = head_of(number);
  if (sealed.size() < kHead + kNonce + kTag + kPadding || !sealed.starts_with(head))
    return altered(place);
  const auto data = associated_data(vault_id, place, head);
  const auto body = sealed.substr(kHead + kNonce);
  SecretText plain(body.size() - kTag, '\0');
  auto* out = room_of(plain);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          out, nullptr, nullptr, bytes_of(body), body.size(), bytes_of(data), data.size(),
          bytes_of(sealed.substr(kHead)), bytes_of(key.expose())) != 0)
    return altered(place);
  std::size_t size = 0;
  if (sodium_unpad(&size, out, plain.size(), kPadding) != 0) return altered(place);
  return Secret(std::string_view(plain).substr(0, size));
}

Secret random_key() {
  SecretText key(kKey, '\0');
  random_bytes(key.data(), key.size());
  return Secret(key);
}

std::string keyed_hash(const Secret& hashing_key, std::string_view text) {
  std::string hash(crypto_generichash_BYTES, '\0');
  const auto key = hashing_key.expose();
  crypto_generichash(room_of(hash), hash.size(), bytes_of(text), text.size(), bytes_of(key),
                     key.size());
  return hash;
}

SealedPlace vault_key_place(const VaultHeader& header, VaultStage stage) {
  std::string_view owner = header.key_derivation;
  if (owner.empty()) owner = "vault";
  return {"vault", owner, "vault_key", static_cast<std::int64_t>(stage)};
}

/// Without a word about which part did not fit.
Error does_not_open(const VaultHeader& header) {
  if (!header.key_derivation.empty())
    return {ErrorCode::vault_key_wrong, "the vault does not open with this passphrase",
            "check it, blanks and capitals too; nothing was changed"};
  if (header.key_source && *header.key_source != KeySource::file &&
      *header.key_source != KeySource::environment)
    return {ErrorCode::vault_key_wrong, "the vault does not open with this key",
            std::string("have the ") + word(*header.key_source) +
                " bring the one that it was changed to last; nothing was changed"};
  return {ErrorCode::vault_key_wrong, "the vault does not open with this key",
          "give nexusd the key that the vault was made with (NEXUS_ENCRYPTION_KEY, or the "
          "key file beside it); nothing was changed"};
}

Secret part_of(const Secret& text, std::size_t at) {
  return Secret(text.expose().substr(at * kKey, kKey));
}

}  // namespace

/// What is wrapped: the present key, then the first one where that is another, then the earlier one
/// while a rotation is under way.
struct Vault::VaultKeys {
  VaultStage stage = VaultStage::sealed;
  std::uint32_t number = kFirstKey;  ///< the present one's
  Secret present;
  Secret first;
  Secret earlier;  ///< "" for none

  static Result<VaultKeys> in(const Secret& root_key, const VaultHeader& header) {
    const auto number = number_of(header.wrapped_key);
    const auto key_encryption_key = derive(root_key, "nxkeyenc");
    for (const auto stage :
         {VaultStage::tallied, VaultStage::chained, VaultStage::with_codes, VaultStage::sealed}) {
      const auto opened = open_with(key_encryption_key, number, header.vault_id,
                                    vault_key_place(header, stage), header.wrapped_key);
      if (!opened) continue;
      const auto count = opened->expose().size() / kKey;
      if (count < 1 || count > 3 || opened->expose().size() % kKey != 0) break;
      return VaultKeys{stage, number, part_of(*opened, 0), part_of(*opened, count > 1 ? 1 : 0),
                       count > 2 ? part_of(*opened, 2) : Secret()};
    }
    return does_not_open(header);
  }

  void wrap(const Secret& root_key, VaultHeader& header) const {
    SecretText text(present.expose());
    if (number != kFirstKey) text += first.expose();
    text += earlier.expose();
    header.wrapped_key = seal_with(derive(root_key, "nxkeyenc"), number, header.vault_id,
                                   vault_key_place(header, stage), text);
  }

  /// `header` with these keys.
  VaultHeader wrapped(const Secret& root_key, VaultHeader header) const {
    wrap(root_key, header);
    return header;
  }
};

Vault::Vault(std::string vault_id, VaultStage stage, const VaultKeys& keys)
    : vault_id_(std::move(vault_id)),
      stage_(stage),
      keys_(std::make_shared<const Keys>(keys_of(keys))),
      state_key_(derive(keys.first, "nxstates")),
      api_key_key_(derive(keys.first, "nxapikey")),
      fingerprint_key_(derive(keys.first, "nxfinger")),
      tally_key_(derive(keys.first, "nxtallys")),
      audit_row_key_(derive(keys.first, "nxrowmac")),
      audit_key_(derive(keys.first, "nxauditc")) {}

Vault::Keys Vault::keys_of(const VaultKeys& keys) {
  Keys made{{keys.number, derive(keys.present, "nxsealng")},
            std::nullopt,
            {derive(keys.present, "nxrowmac"), Secret()}};
  if (keys.earlier.empty()) return made;
  made.earlier = {keys.number - 1, derive(keys.earlier, "nxsealng")};
  made.rows.earlier = derive(keys.earlier, "nxrowmac");
  return made;
}

std::shared_ptr<const Vault::Keys> Vault::keys() const {
  return std::atomic_load(&keys_);
}

std::shared_ptr<const Vault::RowKeys> Vault::row_keys() const {
  auto all = keys();
  return {all, &all->rows};
}

std::string Vault::make_id() {
  std::string id(16, '\0');
  random_bytes(id.data(), id.size());
  return id;
}

Vault Vault::create(const Secret& root_key, VaultHeader& header) {
  if (header.vault_id.empty()) header.vault_id = make_id();
  const auto key = random_key();
  const VaultKeys keys{VaultStage::with_codes, kFirstKey, key.copy(), key.copy(), Secret()};
  keys.wrap(root_key, header);
  return Vault(header.vault_id, keys.stage, keys);
}

Result<Vault> Vault::open(const Secret& root_key, const VaultHeader& header) {
  NEXUS_TRY(const auto keys, VaultKeys::in(root_key, header));
  return Vault(header.vault_id, keys.stage, keys);
}

Result<VaultHeader> Vault::at_stage(const Secret& root_key, const VaultHeader& header,
                                    VaultStage stage) {
  NEXUS_TRY(auto keys, VaultKeys::in(root_key, header));
  keys.stage = stage;
  return keys.wrapped(root_key, header);
}

Result<VaultHeader> Vault::rewrap(const Secret& root_key, const VaultHeader& header,
                                  const RootKey& to) {
  NEXUS_TRY(const auto keys, VaultKeys::in(root_key, header));
  return keys.wrapped(to.key, {header.vault_id, "", to.source, to.derivation});
}

Result<VaultHeader> Vault::begin_rotation(const Secret& root_key, const VaultHeader& header) {
  NEXUS_TRY(auto keys, VaultKeys::in(root_key, header));
  if (!keys.earlier.empty())
    return Error{ErrorCode::invalid_state, "the vault goes over to another key already",
                 "wait for that: nexus vault status"};
  keys.earlier = std::move(keys.present);
  keys.present = random_key();
  ++keys.number;
  return keys.wrapped(root_key, header);
}

Result<VaultHeader> Vault::end_rotation(const Secret& root_key, const VaultHeader& header) {
  NEXUS_TRY(auto keys, VaultKeys::in(root_key, header));
  keys.earlier = Secret();
  return keys.wrapped(root_key, header);
}

Result<void> Vault::go_over_to(const Secret& root_key, const VaultHeader& header) {
  NEXUS_TRY(const auto keys, VaultKeys::in(root_key, header));
  std::atomic_store(&keys_, std::make_shared<const Keys>(keys_of(keys)));
  return {};
}

std::string Vault::seal(const SealedPlace& place, std::string_view plaintext) const {
  const auto with = keys();
  return seal_with(with->present.sealing_key, with->present.number, vault_id_, place, plaintext);
}

Result<Secret> Vault::open(const SealedPlace& place, std::string_view sealed) const {
  const auto with = keys();
  const bool is_earlier = with->earlier && number_of(sealed) == with->earlier->number;
  const auto& key = is_earlier ? *with->earlier : with->present;
  auto opened = open_with(key.sealing_key, key.number, vault_id_, place, sealed);
  if (!opened) metrics::vault_record_refused();
  return opened;
}

bool Vault::is_sealed_now(std::string_view sealed) const {
  return number_of(sealed) == keys()->present.number;
}

std::string Vault::seal_anew(const SealedPlace& place, std::string_view sealed) const {
  if (is_sealed_now(sealed)) return std::string(sealed);
  const auto opened = open(place, sealed);
  return opened ? seal(place, opened->expose()) : std::string(sealed);
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
