#include "daemon/custody/key_change.h"

#include "daemon/crypto/passphrase_key.h"
#include "daemon/vault/key_file.h"
#include "daemon/vault/key_programs.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

Result<void> check(const KeyPlaces& places, KeySource from, KeySource to) {
  if (places.source && places.source != to)
    return Error{ErrorCode::invalid_state,
                 std::string("nexus.toml says vault.key_source = \"") + word(*places.source) +
                     "\": the next nexusd would not open the vault",
                 "take the line out, run nexus daemon restart, and try again"};
  if (from == to && (to == KeySource::keyring || to == KeySource::command))
    return Error{ErrorCode::invalid_state,
                 std::string("the key comes from the ") + word(to) + " already",
                 "for another key, change to file first and then back"};
  return {};
}

Result<RootKey> next_key(const KeyPlaces& places, const WantedKey& wanted) {
  switch (wanted.to) {
    case KeySource::passphrase: {
      NEXUS_CHECK(check_new_passphrase(wanted.next));
      const auto derivation = PassphraseDerivation::make();
      NEXUS_TRY(auto key, key_from(wanted.next, derivation));
      return RootKey{std::move(key), wanted.to, derivation.text()};
    }
    case KeySource::environment:
    case KeySource::credential: {
      if (wanted.next.empty())
        return Error{ErrorCode::missing_fields, "the key that is going to be there is missing",
                     "make one with: openssl rand -base64 32"};
      NEXUS_TRY(auto key, read_key_text(wanted.next.expose(), "what was given", false));
      return RootKey{std::move(key), wanted.to};
    }
    case KeySource::command: {
      NEXUS_TRY(auto key, key_from_command(places.command, false));
      return RootKey{std::move(key), wanted.to};
    }
    case KeySource::file:
    case KeySource::keyring:
      return RootKey{make_root_key(), wanted.to};
    case KeySource::memory:
      break;
  }
  return Error{ErrorCode::invalid_field, "no key is kept in memory alone",
               "choose file, environment, credential, keyring, command or passphrase"};
}

}  // namespace

Result<api::VaultKeyChange> change_key(RootKeys& keys, const WantedKey& wanted) {
  const auto held = keys.hold();
  NEXUS_CHECK(keys.check_not_rotating());
  const auto& places = keys.places();
  NEXUS_TRY(const auto header, keys.store().vault_header());
  NEXUS_TRY(const auto old, keys.present(*header, wanted.current));
  NEXUS_CHECK(check(places, old.source, wanted.to));
  NEXUS_TRY(const auto now, next_key(places, wanted));
  NEXUS_TRY(const auto changed, Vault::rewrap(old.key, *header, now));
  NEXUS_CHECK(keep_root_key(places, header->vault_id, now));
  NEXUS_CHECK(keys.store().rewrap_vault_key(changed));
  // From here on the new key counts: what cannot be done is told, and nothing is taken back.
  keys.now(now);
  api::VaultKeyChange told{old.source, now.source, ""};
  if (now.source == KeySource::file)
    if (const auto placed = put_key_file_in_place(places.data_dir); !placed)
      told.left_behind = placed.error().message + "; " + placed.error().hint;
  if (old.source == now.source) return told;
  const auto gone = forget_root_key(places, header->vault_id, old.source);
  if (!gone) told.left_behind = gone.error().message;
  return told;
}

}  // namespace nexus
