#include "daemon/provider/registry.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/id.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/crypto/signing_key.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

/// E10: a refresh token belongs to the server and client that it was issued by and to.
bool tokens_would_go_elsewhere(const Provider& before, const Provider& after) {
  if (before.auth_type != after.auth_type) return true;
  if (after.is_static()) return before.api_base_url != after.api_base_url;
  return before.issuer != after.issuer || before.token_url != after.token_url ||
         before.client_id != after.client_id || before.grant != after.grant;
}

/// What to warn of where the metadata does not offer the client authentication method in use.
std::string unoffered_method(const Provider& provider, const ProviderEndpoints& endpoints,
                             const std::optional<ProviderMetadata>& metadata) {
  const auto& offered =
      metadata ? metadata->token_endpoint_auth_methods : std::vector<std::string>();
  const std::string method = to_text(endpoints.client_auth);
  if (offered.empty() || provider.grant == GrantType::jwt_bearer ||
      std::find(offered.begin(), offered.end(), method) != offered.end())
    return {};
  return "the provider's metadata does not offer the client authentication " + method + ", only " +
         printable(join(offered, ", "), 200);
}

bool has_secret(const ProviderRecord& record) {
  return std::any_of(record.fields.begin(), record.fields.end(), [](const SealedField& field) {
    return field.field == SecretField::client_secret;
  });
}

}  // namespace

ProviderRegistry::ProviderRegistry(Store& store, const Vault& vault, Providers& providers,
                                   ConnectionPermits& permits, MetadataCache& metadata,
                                   Audit& audit, Due& due, RedirectUris redirect_uris, Clock clock,
                                   Clock wall_clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      permits_(permits),
      metadata_(metadata),
      audit_(audit),
      due_(due),
      redirect_uris_(std::move(redirect_uris)),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

Result<std::optional<ProviderRecord>> ProviderRegistry::named(const std::string& name) {
  NEXUS_TRY(const auto row, store_.provider_named(name));
  if (!row) return std::optional<ProviderRecord>();
  return store_.provider_record(row->id);
}

Result<ProviderRegistry::Registered> ProviderRegistry::add(ProviderRegistration registration,
                                                           const Caller& caller) {
  NEXUS_TRY(auto existing, named(registration.provider.name));
  if (existing && !registration.replace)
    return Error{ErrorCode::provider_exists,
                 "a provider named " + registration.provider.name + " exists already",
                 "replace it with --replace, or choose another name"};
  // A registration is complete: without a secret the client is a public one.
  if (!registration.client_secret) registration.client_secret = Secret();
  return put(std::move(existing), std::move(registration), caller);
}

Result<ProviderRegistry::Registered> ProviderRegistry::change(const std::string& id, Json& fields,
                                                              bool whole, const Caller& caller) {
  NEXUS_TRY(auto existing, store_.provider_record(id));
  if (!existing || existing->provider.deleted) return no_such_provider(id);
  NEXUS_TRY(const auto provider, providers_.decode(existing->provider));
  auto before = to_json(provider);
  if (whole) before = {{"name", before["name"]}, {"redirect_path", before["redirect_path"]}};
  auto& given = fields.contains("profile") ? fields["profile"] : fields;
  if (given.is_object())
    for (const auto& [name, value] : before.items())
      if (!given.contains(name)) given[name] = value;
  NEXUS_TRY(auto registration, read_registration(fields, has_secret(*existing)));
  return put(std::move(existing), std::move(registration), caller);
}

bool ProviderRegistry::Prepared::changes_nothing() const {
  return before && secret_before == secret_after && to_json(*before) == to_json(after);
}

Result<ProviderRegistry::Prepared> ProviderRegistry::prepare(const std::string& name,
                                                             Json& fields) {
  NEXUS_TRY(auto existing, named(name));
  NEXUS_TRY(auto registration, read_registration(fields, existing && has_secret(*existing)));
  return prepare(std::move(existing), std::move(registration));
}

Result<ProviderRegistry::Prepared> ProviderRegistry::prepare(std::optional<ProviderRecord> existing,
                                                             ProviderRegistration registration) {
  Prepared prepared;
  prepared.after = std::move(registration.provider);
  auto& provider = prepared.after;
  provider.id = existing ? existing->provider.id : new_uuid();
  NEXUS_CHECK(store_.check_provider_name({provider.id, provider.name, {}}));
  prepared.replaces = existing.has_value();
  if (existing) {
    if (auto before = providers_.decode(existing->provider)) prepared.before = *std::move(before);
  }
  NEXUS_TRY(const auto old_secret, secret_of(provider.id, existing));
  const auto& secret = registration.client_secret ? *registration.client_secret : old_secret;

  const auto metadata = metadata_.metadata(provider);
  if (!metadata && metadata.error().code == ErrorCode::provider_metadata_invalid)
    return metadata.error();
  if (!metadata) prepared.warning = metadata.error().message;
  // RFC 9700 4.4.2: who does not say `iss` gets a redirect URI of its own, so that an answer of one
  // provider cannot pass for another's.
  const bool says_iss =
      provider.settings.sends_iss || (metadata && *metadata && (*metadata)->sends_iss);
  if (provider.redirect_path.empty() && prepared.before)
    provider.redirect_path = prepared.before->redirect_path;
  if (provider.redirect_path.empty())
    provider.redirect_path =
        says_iss ? redirect_uris_.shared_path() : redirect_uris_.own_path(provider.name);
  NEXUS_CHECK(check_settled(provider, secret));
  if (metadata && !provider.is_static()) {
    NEXUS_TRY(const auto endpoints, resolve_endpoints(provider, !secret.empty(), *metadata));
    prepared.warning = unoffered_method(provider, endpoints, *metadata);
  }
  if (prepared.warning.empty()) prepared.warning = misspelt_setting(provider.settings);
  if (prepared.replaces && !prepared.before)
    prepared.write.needs_person = "the provider's record was damaged, and is registered anew";
  if (prepared.before && tokens_would_go_elsewhere(*prepared.before, provider))
    prepared.write.needs_person = "the provider's type, endpoints or client were changed";
  write_down(prepared, std::move(existing), secret, old_secret);
  return prepared;
}

Result<ProviderRegistry::Prepared> ProviderRegistry::prepare_settled(
    const std::string& id, ProviderRegistration registration) {
  NEXUS_TRY(auto existing, named(registration.provider.name));
  Prepared prepared;
  prepared.after = std::move(registration.provider);
  NEXUS_TRY(const auto holder, store_.provider(id));
  prepared.after.id = existing ? existing->provider.id : holder ? new_uuid() : id;
  NEXUS_CHECK(store_.check_provider_name({prepared.after.id, prepared.after.name, {}}));
  prepared.replaces = existing.has_value();
  if (existing) {
    NEXUS_TRY(prepared.before, providers_.decode(existing->provider));
  }
  if (prepared.after.redirect_path.empty())
    prepared.after.redirect_path = redirect_uris_.own_path(prepared.after.name);
  const auto secret =
      registration.client_secret ? *std::move(registration.client_secret) : Secret();
  NEXUS_TRY(const auto old_secret, secret_of(prepared.after.id, existing));
  NEXUS_CHECK(check_settled(prepared.after, secret));
  write_down(prepared, std::move(existing), secret, old_secret);
  return prepared;
}

Result<Secret> ProviderRegistry::secret_of(const std::string& id,
                                           const std::optional<ProviderRecord>& existing) {
  if (!existing) return Secret();
  return SealedFields(vault_, kProviderKind, id, existing->fields).open(SecretField::client_secret);
}

Result<void> ProviderRegistry::check_settled(const Provider& provider, const Secret& secret) const {
  if (redirect_uris_.is_taken(provider.redirect_path)) {
    Error error{ErrorCode::invalid_field,
                "redirect_path " + provider.redirect_path + " is one of nexusd's own paths",
                "choose another, for example " + redirect_uris_.own_path(provider.name)};
    error.field = "redirect_path";
    return error;
  }
  if (provider.signs() && !secret.empty()) NEXUS_CHECK(SigningKey::from_pem(secret));
  // A key that stays from before must not travel as a password now.
  if (!provider.signs() && secret.expose().find("PRIVATE KEY-----") != std::string_view::npos)
    return Error{ErrorCode::invalid_field,
                 "auth_header would send the client's private key to the provider",
                 "give the client secret with it: --client-secret-file FILE"};
  return {};
}

void ProviderRegistry::write_down(Prepared& prepared, std::optional<ProviderRecord> existing,
                                  const Secret& secret, const Secret& old_secret) {
  const auto& provider = prepared.after;
  prepared.secret_before = providers_.fingerprint(provider.id, old_secret);
  prepared.secret_after = providers_.fingerprint(provider.id, secret);
  auto fields = existing ? std::move(existing->fields) : std::vector<SealedField>();
  const SealedFields stored(vault_, kProviderKind, provider.id, fields);
  if (!equal_constant_time(secret.expose(), old_secret.expose())) {
    fields.clear();
    if (!secret.empty()) fields.push_back(stored.seal(SecretField::client_secret, secret.expose()));
  }
  const auto now = clock_();
  prepared.write.row = {provider.id, provider.name, to_text(to_json(provider)),
                        existing ? existing->provider.created_at : now, now};
  prepared.write.fields = std::move(fields);
}

Result<void> ProviderRegistry::commit(const std::vector<Prepared>& prepared,
                                      const std::vector<Provider>& removed, const Caller& caller) {
  std::vector<std::string> records;
  std::vector<ProviderWrite> writes;
  for (const auto& change : prepared) {
    if (change.changes_nothing()) continue;
    records.push_back(audit_.record(
        {.event = change.replaces ? AuditEvent::provider_updated : AuditEvent::provider_created,
         .provider = change.after.name},
        caller));
    writes.push_back(change.write);
  }
  std::vector<std::string> deleted;
  for (const auto& provider : removed) {
    records.push_back(
        audit_.record({.event = AuditEvent::provider_deleted, .provider = provider.name}, caller));
    deleted.push_back(provider.id);
  }
  if (records.empty()) return {};
  NEXUS_CHECK(audit_.commit(records));
  NEXUS_CHECK(store_.change_providers(writes, deleted, wall_clock_()));
  permits_.review_all();
  // Those that failed because of what was corrected are due now.
  due_.expect(Due::What::refresh, clock_());
  return {};
}

Result<ProviderRegistry::Registered> ProviderRegistry::put(std::optional<ProviderRecord> existing,
                                                           ProviderRegistration registration,
                                                           const Caller& caller) {
  std::vector<Prepared> one(1);
  NEXUS_TRY(one[0], prepare(std::move(existing), std::move(registration)));
  NEXUS_CHECK(commit(one, {}, caller));
  return Registered{std::move(one[0].after), std::move(one[0].warning)};
}

Result<void> ProviderRegistry::remove(const Provider& provider, const Caller& caller) {
  return commit({}, {provider}, caller);
}

}  // namespace nexus
