#include "daemon/provider/providers.h"

#include <algorithm>

#include "common/id.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/crypto/signing_key.h"
#include "daemon/net/url.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

constexpr const char* kClientSecret = "client_secret";

Error not_found(const std::string& name) {
  return {ErrorCode::provider_not_found, "there is no provider named " + printable(name, 80),
          "see: nexus provider list; register one with: nexus provider add NAME …"};
}

Provider provider_of(const ProviderRow& row) {
  return provider_from_json(Json::parse(row.profile));
}

/// E10: a refresh token belongs to the server and client that it was issued by and to.
bool tokens_would_go_elsewhere(const Provider& before, const Provider& after) {
  if (before.auth_type != after.auth_type) return true;
  if (after.is_static()) return before.api_base_url != after.api_base_url;
  return before.issuer != after.issuer || before.token_url != after.token_url ||
         before.client_id != after.client_id || before.grant() != after.grant();
}

/// What to warn of where the metadata does not offer the client authentication method in use.
std::string unoffered_method(const ProviderEndpoints& endpoints,
                             const std::optional<ProviderMetadata>& metadata) {
  const auto& offered =
      metadata ? metadata->token_endpoint_auth_methods : std::vector<std::string>();
  const std::string method = to_text(endpoints.client_auth);
  if (offered.empty() || endpoints.grant == GrantType::jwt_bearer ||
      std::find(offered.begin(), offered.end(), method) != offered.end())
    return {};
  return "the provider's metadata does not offer the client authentication " + method + ", only " +
         printable(join(offered, ", "), 200);
}

}  // namespace

Providers::Providers(Store& store, const Vault& vault, MetadataCache& metadata, Audit& audit,
                     Clock clock, std::string callback_base_url, std::string callback_path)
    : store_(store),
      vault_(vault),
      metadata_(metadata),
      audit_(audit),
      clock_(std::move(clock)),
      callback_base_url_(std::move(callback_base_url)),
      callback_path_(std::move(callback_path)) {}

Result<Providers::Registered> Providers::add(ProviderRegistration registration,
                                             const Caller& caller) {
  NEXUS_TRY(const auto existing, store_.provider_named(registration.provider.name));
  if (existing && !registration.replace)
    return Error{ErrorCode::provider_exists,
                 "a provider named " + registration.provider.name + " exists already",
                 "replace it with --replace, or choose another name"};
  // A registration is complete: without a secret the client is a public one.
  if (!registration.client_secret) registration.client_secret = Secret();
  return put(existing, std::move(registration), caller);
}

Result<Providers::Registered> Providers::change(const std::string& id, Json fields, bool whole,
                                                const Caller& caller) {
  NEXUS_TRY(const auto existing, store_.provider(id));
  if (!existing || existing->deleted) return not_found(id);
  NEXUS_TRY(const auto stored, store_.fields(id));
  const bool has_secret = SealedFields(vault_, kProviderKind, id, stored).has(kClientSecret);
  auto before = Json::parse(existing->profile);
  if (whole) before = {{"name", before["name"]}, {"redirect_path", before["redirect_path"]}};
  auto& given = fields.contains("profile") ? fields["profile"] : fields;
  if (given.is_object())
    for (const auto& [name, value] : before.items())
      if (!given.contains(name)) given[name] = value;
  NEXUS_TRY(auto registration, read_registration(fields, has_secret));
  return put(existing, std::move(registration), caller);
}

bool Providers::Prepared::changes_nothing() const {
  return before && secret_before == secret_after && to_json(*before) == to_json(after);
}

Result<Providers::Prepared> Providers::prepare(const std::optional<ProviderRow>& existing,
                                               ProviderRegistration registration) {
  Prepared prepared;
  prepared.after = std::move(registration.provider);
  auto& provider = prepared.after;
  provider.id = existing ? existing->id : new_uuid();
  if (existing) prepared.before = provider_of(*existing);
  NEXUS_TRY(auto fields, store_.fields(provider.id));
  const SealedFields stored(vault_, kProviderKind, provider.id, fields);
  NEXUS_TRY(const auto old_secret, stored.open(kClientSecret));
  const auto& secret = registration.client_secret ? *registration.client_secret : old_secret;

  const auto metadata = metadata_.metadata(provider);
  if (!metadata && metadata.error().code == ErrorCode::provider_metadata_invalid)
    return metadata.error();
  if (!metadata) prepared.warning = metadata.error().message;
  // RFC 9700 4.4.2: who does not say `iss` gets a redirect URI of its own, so that an answer of one
  // provider cannot pass for another's.
  const bool says_iss = metadata && *metadata && (*metadata)->sends_iss;
  if (provider.redirect_path.empty() && prepared.before)
    provider.redirect_path = prepared.before->redirect_path;
  if (provider.redirect_path.empty())
    provider.redirect_path = says_iss ? callback_path_ : own_redirect_path(provider.name);
  if (metadata && !provider.is_static()) {
    NEXUS_TRY(const auto endpoints, resolve_endpoints(provider, !secret.empty(), *metadata));
    prepared.warning = unoffered_method(endpoints, *metadata);
  }
  if (provider.signs() && !secret.empty()) NEXUS_CHECK(SigningKey::from_pem(secret));
  // A key that stays from before must not travel as a password now.
  if (!provider.signs() && secret.expose().find("PRIVATE KEY-----") != std::string_view::npos)
    return Error{ErrorCode::invalid_field,
                 "auth_header would send the client's private key to the provider",
                 "give the client secret with it: --client-secret-file FILE"};

  prepared.secret_before = fingerprint(provider.id, old_secret);
  prepared.secret_after = fingerprint(provider.id, secret);
  if (!equal_constant_time(secret.expose(), old_secret.expose())) {
    fields.clear();
    if (!secret.empty()) fields.push_back(stored.seal(kClientSecret, secret.expose()));
  }
  const auto now = clock_();
  prepared.write = {{provider.id, provider.name, to_text(to_json(provider)),
                     existing ? existing->created_at : now, now},
                    std::move(fields),
                    {}};
  if (prepared.before && tokens_would_go_elsewhere(*prepared.before, provider))
    prepared.write.needs_person = "the provider's type, endpoints or client were changed";
  return prepared;
}

Result<void> Providers::commit(const std::vector<Prepared>& prepared,
                               const std::vector<Provider>& removed, const Caller& caller) {
  std::vector<std::string> records;
  std::vector<ProviderWrite> writes;
  for (const auto& change : prepared) {
    if (change.changes_nothing()) continue;
    records.push_back(
        audit_.record({.event = change.before ? "provider.updated" : "provider.created",
                       .provider = change.after.name},
                      caller));
    writes.push_back(change.write);
  }
  std::vector<std::string> deleted;
  for (const auto& provider : removed) {
    records.push_back(
        audit_.record({.event = "provider.deleted", .provider = provider.name}, caller));
    deleted.push_back(provider.id);
  }
  if (records.empty()) return {};
  NEXUS_CHECK(audit_.commit(records));
  NEXUS_CHECK(store_.change_providers(writes, deleted, clock_()));
  // Those that failed because of what was corrected are due now.
  if (timer_) timer_->expect(clock_());
  return {};
}

Result<Providers::Registered> Providers::put(const std::optional<ProviderRow>& existing,
                                             ProviderRegistration registration,
                                             const Caller& caller) {
  std::vector<Prepared> one(1);
  NEXUS_TRY(one[0], prepare(existing, std::move(registration)));
  NEXUS_CHECK(commit(one, {}, caller));
  return Registered{std::move(one[0].after), std::move(one[0].warning)};
}

std::string Providers::fingerprint(const std::string& provider_id, const Secret& secret) const {
  if (secret.empty()) return {};
  // With the id, so that two providers with one secret do not show it.
  SecretText text(provider_id);
  text.append("\n").append(secret.expose());
  return vault_.fingerprint(text);
}

Result<std::string> Providers::secret_fingerprint(const Provider& provider) {
  NEXUS_TRY(const auto with, with_secret(provider.id));
  return fingerprint(provider.id, with.client_secret);
}

void Providers::note_health(const std::string& id, const Result<void>& outcome) {
  // A provider that refuses one grant is well; one that cannot be asked is not.
  const bool healthy = outcome || outcome.error().code == ErrorCode::attention_required ||
                       outcome.error().code == ErrorCode::provider_rejected;
  const std::lock_guard lock(health_mutex_);
  health_[id] = {healthy, clock_(), healthy ? "" : outcome.error().message};
}

std::optional<Providers::Health> Providers::health(const std::string& id) {
  const std::lock_guard lock(health_mutex_);
  const auto found = health_.find(id);
  if (found == health_.end()) return std::nullopt;
  return found->second;
}

Result<Provider> Providers::by_id(const std::string& id) {
  NEXUS_TRY(const auto row, store_.provider(id));
  if (!row || row->deleted) return not_found(id);
  return provider_of(*row);
}

Result<Provider> Providers::of_connection(const ConnectionRow& connection) {
  NEXUS_TRY(const auto row, store_.provider(connection.provider_id));
  if (!row) return not_found(connection.provider_name);
  return provider_of(*row);
}

Result<Provider> Providers::by_name(const std::string& name) {
  NEXUS_TRY(const auto row, store_.provider_named(lower(name)));
  if (!row) return not_found(name);
  return provider_of(*row);
}

Result<std::vector<Provider>> Providers::list() {
  NEXUS_TRY(const auto rows, store_.providers());
  std::vector<Provider> providers;
  for (const auto& row : rows) providers.push_back(provider_of(row));
  return providers;
}

Result<void> Providers::remove(const Provider& provider, const Caller& caller) {
  return commit({}, {provider}, caller);
}

Result<ProviderWithSecret> Providers::with_secret(const std::string& id) {
  NEXUS_TRY(const auto row, store_.provider(id));
  if (!row) return not_found(id);
  NEXUS_TRY(auto fields, store_.fields(id));
  NEXUS_TRY(auto secret,
            SealedFields(vault_, kProviderKind, id, std::move(fields)).open(kClientSecret));
  return ProviderWithSecret{provider_of(*row), std::move(secret)};
}

Result<std::string> Providers::public_jwk(const Provider& provider) {
  NEXUS_TRY(const auto with, with_secret(provider.id));
  NEXUS_TRY(const auto key, SigningKey::from_pem(with.client_secret));
  NEXUS_TRY(const auto dialect, read_dialect(provider.params));
  return key.public_jwk(dialect.key_id, dialect.assertion_pss);
}

Result<ProviderEndpoints> Providers::endpoints(const ProviderWithSecret& provider) {
  NEXUS_TRY(const auto metadata, metadata_.metadata(provider.provider));
  return resolve_endpoints(provider.provider, !provider.client_secret.empty(), metadata);
}

std::string Providers::own_redirect_path(const std::string& name) const {
  return callback_path_ + "/" + name;
}

std::string Providers::redirect_uri(const Provider& provider) const {
  auto base = callback_base_url_;
  if (!provider.redirect_host.empty())
    if (const auto url = parse_url(base, "callback.base_url"))
      base = url->scheme + "://" + provider.redirect_host + ":" + std::to_string(url->port);
  // Where only https is taken and nobody answers at an https address, the person brings the answer.
  if (provider.params.value("https_redirect", false) && base.starts_with("http://"))
    if (const auto url = parse_url(base, "callback.base_url"))
      base = "https://localhost:" + std::to_string(url->port);
  return base + provider.redirect_path;
}

}  // namespace nexus
