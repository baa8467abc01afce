#include "daemon/foundations.h"
#include "daemon/groups.h"

#include "common/directories.h"
#include "common/paths.h"
#include "common/regular_file.h"
#include "common/text.h"
#include "daemon/api/proxy_listener.h"
#include "daemon/crypto/encoding.h"
#include "daemon/custody/rotation.h"
#include "daemon/log.h"
#include "daemon/net/url.h"
#include "daemon/process.h"
#include "daemon/vault/key_source.h"
#include "daemon/vault/key_text.h"
#include "daemon/vault/lost_vault.h"

namespace nexus {
namespace {

/// It is opened for each provider that is asked: better told now.
Result<void> check_ca_file(const std::string& path) {
  if (path.empty() || open_regular_file(path).get() >= 0) return {};
  return Error{ErrorCode::usage, "network.ca_file " + path + " cannot be read: " + why_not_opened(),
               "name a readable file with certificates in PEM form"};
}

/// Every redirect URI begins with it, and is compared to the letter.
Result<void> check_callback_base(const std::string& base) {
  const auto url = parse_url(base, "callback.base_url");
  if (!url || url->has_userinfo || base.ends_with('/') || url->path != "/" || url->has_query ||
      url->has_fragment)
    return Error{ErrorCode::usage,
                 "callback.base_url '" + printable(base, 80) + "' is not scheme, host and port",
                 "leave out what follows, for example \"http://127.0.0.1:8090\""};
  if (url->scheme == "https" || url->is_loopback()) return {};
  return Error{ErrorCode::usage, "callback.base_url is neither https nor on loopback",
               "providers must not send codes in the clear: use https"};
}

/// It runs when a person is needed: too late to learn that there is nothing to run.
Result<void> check_command(const std::string& setting, const std::vector<std::string>& command) {
  if (command.empty() || !command.front().empty()) return {};
  return Error{ErrorCode::usage, setting + " names no program",
               "name one first and then its arguments, or leave the list empty"};
}

Result<RouteRules> rules_of(const Config& config) {
  auto rules = RouteRules::parse(config.forwarding.rules);
  if (rules) return rules;
  return Error{ErrorCode::usage, "proxy.rules: " + rules.error().message, rules.error().hint};
}

Result<void> check_settings(const Config& config) {
  NEXUS_CHECK(check_ca_file(config.ca_file));
  NEXUS_CHECK(check_command("hooks.on_attention", config.on_attention));
  NEXUS_CHECK(check_command("access.prompt", config.access.prompt));
  NEXUS_CHECK(check_callback_base(config.callback_base_url));
  if (!api::is_own_path(config.callback_path)) return {};
  return Error{ErrorCode::usage,
               "callback.path " + config.callback_path + " is one of nexusd's own paths",
               "use another in nexus.toml, for example path = \"/auth/callback\" under [callback]"};
}

Result<void> read_listeners(const Config& config, Foundations& into) {
  NEXUS_TRY(into.return_urls, ReturnUrls::make(config.gateway.return_urls));
  NEXUS_TRY(into.gateway, api::Gateway::read(config));
  NEXUS_TRY(into.proxy, api::ProxyListener::read(config));
  NEXUS_TRY(into.rules, rules_of(config));
  NEXUS_TRY(into.members, group_of_members(config.access.group));
  return {};
}

/// Where the count of the vault's writes is kept a second time: away from the vault, as what was
/// restored or copied together would not tell. "" where there is no such place.
std::string tally_head_of(const std::string& vault_id, const std::string& data_dir) {
  const auto directory = default_state_dir();
  if (directory.empty()) return "";
  if (const auto made = make_directories(directory, "set XDG_STATE_HOME"); !made) {
    log(LogLevel::warn, "vault_head_not_kept", {{"error", made.error().message}});
    return "";
  }
  return directory + "/" + hex(vault_id) + "-" + hex(sha256(data_dir)).substr(0, 16) + ".head";
}

/// What is not authenticated yet is taken as it is, and only then does the header say that it is.
Result<void> open_audit_log(const std::string& data_dir, const Secret& root_key,
                            const VaultHeader& header, Foundations& into) {
  const auto& vault = *into.vault;
  const auto stage = vault.stage();
  const auto head = tally_head_of(vault.id(), data_dir);
  const bool adopted = stage < VaultStage::tallied;
  if (adopted && was_tallied(vault.tally_key(), head))
    return Error{ErrorCode::vault_unusable,
                 "the vault is one of an earlier version, or its header is, and was put back",
                 "put the latest nexus.db in its place; if it is right so, remove " + head};
  NEXUS_TRY(into.audit_log,
            open_sqlite_audit_log(data_dir, {vault.audit_row_key(), vault.audit_key()}, stage));
  std::optional<VaultHeader> coded;
  if (stage == VaultStage::sealed) {
    NEXUS_TRY(coded, Vault::at_stage(root_key, header, VaultStage::chained));
  }
  NEXUS_CHECK(into.store->authenticate_rows(vault, coded));
  NEXUS_TRY(into.suspicion, into.store->keep_tally(head, adopted));
  if (!adopted) return {};
  NEXUS_TRY(const auto latest, Vault::at_stage(root_key, header, VaultStage::tallied));
  return into.store->rewrap_vault_key(latest);
}

/// That the vault opens with the key that there is, as `open_foundations` is going to.
Result<void> check_vault(const Config& config) {
  NEXUS_CHECK(refuse_lost_vault(config.data_dir));
  NEXUS_TRY(const auto header, look_into_sqlite_store(config.data_dir));
  if (!header) NEXUS_CHECK(refuse_emptied_vault(config.data_dir));
  const auto places = key_places_of(config);
  if (header && coming_key_opens(places, *header))
    return look_into_sqlite_audit_log(config.data_dir);
  const auto root = find_root_key(places, header.value_or(VaultHeader{}));
  // Of one that a person opens it is seen then.
  if (!root && root.error().code != ErrorCode::vault_locked) return root.error();
  if (header && root && *root) NEXUS_CHECK(Vault::open((*root)->key, *header));
  return look_into_sqlite_audit_log(config.data_dir);
}

}  // namespace

Result<void> check_start(const Config& config) {
  NEXUS_CHECK(check_settings(config));
  Foundations read;
  NEXUS_CHECK(read_listeners(config, read));
  NEXUS_CHECK(check_data_dir(config.data_dir));
  NEXUS_TRY(const bool is_served, is_data_dir_served(config.data_dir));
  if (is_served) return {};
  return check_vault(config);
}

Result<Foundations> open_foundations(const Config& config, const Secret& given) {
  Foundations opened;
  NEXUS_CHECK(check_settings(config));
  NEXUS_CHECK(refuse_lost_vault(config.data_dir));
  NEXUS_TRY(opened.store, open_sqlite_store(config.data_dir));
  // The key is proved on the existing vault before anything is written.
  NEXUS_TRY(const auto stored, opened.store->vault_header());
  if (!stored) NEXUS_CHECK(refuse_emptied_vault(config.data_dir));
  auto header = stored.value_or(VaultHeader{Vault::make_id(), ""});
  opened.key_places = key_places_of(config);
  if (stored) NEXUS_CHECK(settle_key_file(opened.key_places, header));
  NEXUS_TRY(const auto root, load_root_key(opened.key_places, header, given));
  opened.key_source = root.source;
  if (root.source == KeySource::environment) opened.root_key = root.key.copy();
  if (stored) {
    NEXUS_TRY(auto vault, Vault::open(root.key, header));
    opened.vault = std::make_unique<Vault>(std::move(vault));
  } else {
    header.key_source = opened.key_places.source;
    header.key_derivation = root.derivation;
    opened.vault = std::make_unique<Vault>(Vault::create(root.key, header));
    NEXUS_CHECK(opened.store->put_vault_header(header));
  }
  NEXUS_CHECK(open_audit_log(config.data_dir, root.key, header, opened));
  if (opened.vault->is_rotating())
    if (const auto finished = finish_rotation(*opened.store, root.key); !finished)
      // Both keys open the vault: nexus vault rotate does the rest.
      log(LogLevel::error, "rotation_failed", {{"error", finished.error().message}});
  NEXUS_CHECK(read_listeners(config, opened));
  return opened;
}

Result<LockedVault> look_at_locked_vault(const Config& config) {
  NEXUS_TRY(const auto header, look_into_sqlite_store(config.data_dir));
  if (!header) return LockedVault{KeySource::passphrase, true};
  return LockedVault{header->key_source.value_or(KeySource::file), false, header->key_derivation};
}

Result<Foundations> make_foundations_in_memory(const Config& config) {
  Foundations made;
  NEXUS_CHECK(check_settings(config));
  NEXUS_TRY(made.store, open_sqlite_store_in_memory());
  VaultHeader header;
  made.vault = std::make_unique<Vault>(Vault::create(make_root_key(), header));
  NEXUS_CHECK(made.store->put_vault_header(header));
  NEXUS_TRY(made.audit_log, open_sqlite_audit_log_in_memory(
                                {made.vault->audit_row_key(), made.vault->audit_key()}));
  NEXUS_CHECK(made.store->authenticate_rows(*made.vault, std::nullopt));
  NEXUS_CHECK(read_listeners(config, made));
  return made;
}

}  // namespace nexus
