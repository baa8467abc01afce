#include "daemon/vault/key_source.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/paths.h"
#include "daemon/crypto/passphrase_key.h"
#include "daemon/process.h"
#include "daemon/vault/key_file.h"
#include "daemon/vault/key_programs.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

using Found = Result<std::optional<RootKey>>;

Error missing(const std::string& what, const std::string& hint) {
  return {ErrorCode::vault_key_wrong, "the vault's key is missing: " + what,
          hint + "; nothing was changed"};
}

Found found(Result<std::optional<Secret>> key, KeySource source) {
  if (!key) return std::move(key).error();
  if (!*key) return std::optional<RootKey>();
  return std::optional(RootKey{**std::move(key), source});
}

/// What the environment has for a key; the first counts.
struct KeyVariables {
  Secret first;
  const char* name = "";

  /// All of them are gone from there, whether they are needed or not: no child gets one, nor the
  /// nexusd that is executed when the vault is locked.
  static KeyVariables take() {
    KeyVariables taken;
    for (const char* variable : {"NEXUS_ENCRYPTION_KEY", "ENCRYPTION_KEY"}) {
      auto value = take_variable(variable);
      if (value && !value->empty() && taken.first.empty()) taken = {*std::move(value), variable};
    }
    return taken;
  }
};

Found from_environment(const KeyVariables& variables, bool vault_exists) {
  if (variables.first.empty()) return std::optional<RootKey>();
  NEXUS_TRY(auto key, read_key_text(variables.first.expose(), variables.name, vault_exists));
  return std::optional(RootKey{std::move(key), KeySource::environment});
}

Found from_person(const Secret& given, bool vault_exists) {
  if (given.empty()) return std::optional<RootKey>();
  NEXUS_TRY(auto key, read_key_text(given.expose(), "what was given", vault_exists));
  return std::optional(RootKey{std::move(key), KeySource::environment});
}

Found from_passphrase(const VaultHeader& header, const Secret& given, bool vault_exists) {
  if (given.empty())
    return Error{ErrorCode::vault_locked,
                 vault_exists ? "the vault is locked: it opens with a passphrase"
                              : "the vault is to be made, and has no passphrase yet",
                 "run: nexus unlock"};
  auto derivation = PassphraseDerivation::make();
  if (vault_exists) {
    const auto stored = PassphraseDerivation::parse(header.key_derivation);
    if (!stored)
      return Error{ErrorCode::vault_unusable,
                   "the vault says that its key is too easy or too hard to derive: it was altered",
                   "restore it from a backup"};
    derivation = *stored;
  } else {
    NEXUS_CHECK(check_new_passphrase(given));
  }
  NEXUS_TRY(auto key, key_from(given, derivation));
  return std::optional(RootKey{std::move(key), KeySource::passphrase, derivation.text()});
}

/// Where nobody has chosen, the first one that there is.
Found by_default(const KeyPlaces& places, const KeyVariables& variables, const Secret& given,
                 bool vault_exists) {
  NEXUS_TRY(auto person, from_person(given, vault_exists));
  if (person) return person;
  NEXUS_TRY(auto variable, from_environment(variables, vault_exists));
  if (variable) return variable;
  NEXUS_TRY(auto credential, found(read_key_credential(vault_exists), KeySource::credential));
  if (credential) return credential;
  const auto path = key_file_in(places.data_dir);
  NEXUS_TRY(auto file, found(read_key_file(path, vault_exists), KeySource::file));
  if (file || !vault_exists) return file;
  return missing("there is no " + path, "put the key file back, or set NEXUS_ENCRYPTION_KEY");
}

Found from(KeySource source, const KeyPlaces& places, const KeyVariables& variables,
           const VaultHeader& header, const Secret& given) {
  const bool vault_exists = !header.wrapped_key.empty();
  switch (source) {
    case KeySource::passphrase:
      return from_passphrase(header, given, vault_exists);
    case KeySource::environment: {
      NEXUS_TRY(auto person, from_person(given, vault_exists));
      if (person) return person;
      NEXUS_TRY(auto variable, from_environment(variables, vault_exists));
      if (variable) return variable;
      return missing("NEXUS_ENCRYPTION_KEY is not set",
                     "set it where nexusd is started, or give it to: nexus unlock");
    }
    case KeySource::credential: {
      NEXUS_TRY(auto key, found(read_key_credential(vault_exists), source));
      if (key) return key;
      return missing("the service manager gives no nexusd.vault.key",
                     "add LoadCredentialEncrypted=nexusd.vault.key:FILE to nexusd's unit");
    }
    case KeySource::command: {
      NEXUS_TRY(auto key, key_from_command(places.command, vault_exists));
      return std::optional(RootKey{std::move(key), source});
    }
    case KeySource::keyring: {
      NEXUS_TRY(auto key,
                found(key_from_keyring({header.vault_id, places.data_dir}, vault_exists), source));
      if (key || !vault_exists) return key;
      return missing("the keyring has none for this vault",
                     "unlock the keyring that was in use when it was put there");
    }
    case KeySource::file:
    case KeySource::memory:
      break;
  }
  const auto path = key_file_in(places.data_dir);
  NEXUS_TRY(auto key, found(read_key_file(path, vault_exists), KeySource::file));
  if (key || !vault_exists) return key;
  return missing("there is no " + path, "put the key file back");
}

}  // namespace

KeyPlaces key_places_of(const Config& config) {
  return {config.data_dir, from_word<KeySource>(config.vault.key_source), config.vault.key_command};
}

Result<std::optional<KeySource>> chosen_source(const KeyPlaces& places, const VaultHeader& header) {
  const bool vault_exists = !header.wrapped_key.empty();
  if (!vault_exists || !places.source || places.source == header.key_source)
    return vault_exists ? header.key_source : places.source;
  const std::string wanted = word(*places.source);
  return Error{ErrorCode::vault_key_wrong,
               "nexus.toml says vault.key_source = \"" + wanted +
                   "\", but the vault's key comes from " +
                   (header.key_source ? std::string("its ") + word(*header.key_source)
                                      : "where it is found by default"),
               "take the line out, start nexusd, and run: nexus vault change-key " + wanted};
}

Result<std::optional<RootKey>> find_root_key(const KeyPlaces& places, const VaultHeader& header,
                                             const Secret& given) {
  NEXUS_TRY(const auto chosen, chosen_source(places, header));
  const auto variables = KeyVariables::take();
  if (chosen) return from(*chosen, places, variables, header, given);
  return by_default(places, variables, given, !header.wrapped_key.empty());
}

Result<RootKey> load_root_key(const KeyPlaces& places, const VaultHeader& header,
                              const Secret& given) {
  NEXUS_TRY(auto found, find_root_key(places, header, given));
  if (found) return *std::move(found);
  RootKey made{make_root_key(), places.source.value_or(KeySource::file)};
  const auto kept = made.source == KeySource::file
                        ? make_key_file(key_file_in(places.data_dir), made.key)
                        : keep_root_key(places, header.vault_id, made);
  if (!kept) return kept.error();
  return made;
}

Result<void> keep_root_key(const KeyPlaces& places, const std::string& vault_id,
                           const RootKey& root) {
  if (root.source == KeySource::keyring)
    return put_key_in_keyring({vault_id, places.data_dir}, root.key);
  if (root.source != KeySource::file) return {};
  const auto coming = coming_key_file_in(places.data_dir);
  unlink(coming.c_str());
  return make_key_file(coming, root.key);
}

Result<void> forget_root_key(const KeyPlaces& places, const std::string& vault_id,
                             KeySource source) {
  if (source == KeySource::keyring) return forget_key_in_keyring({vault_id, places.data_dir});
  const auto path = key_file_in(places.data_dir);
  if (source != KeySource::file || unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Error{ErrorCode::vault_unusable,
               "the key file " + path + " cannot be removed: " + std::strerror(errno),
               "remove it by hand"};
}

bool coming_key_opens(const KeyPlaces& places, const VaultHeader& header) {
  const auto key = read_key_file(coming_key_file_in(places.data_dir), true);
  return key && *key && Vault::open(**key, header);
}

Result<void> settle_key_file(const KeyPlaces& places, const VaultHeader& header) {
  const auto coming = coming_key_file_in(places.data_dir);
  NEXUS_TRY(const auto key, read_key_file(coming, true));
  if (!key) return {};
  if (!Vault::open(*key, header)) {
    unlink(coming.c_str());
    return {};
  }
  return put_key_file_in_place(places.data_dir);
}

}  // namespace nexus
