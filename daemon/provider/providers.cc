#include "daemon/provider/providers.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/signing_key.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

constexpr std::size_t kMostDecoded = 1024;

Error damaged(const ProviderRow& row, const std::string& what) {
  return {ErrorCode::internal_error, "the record of provider " + row.name + " is damaged: " + what,
          "register it anew: nexus provider add " + row.name + " --replace …"};
}

}  // namespace

Error no_such_provider(const std::string& name) {
  return {ErrorCode::provider_not_found, "there is no provider named " + printable(name, 80),
          "see: nexus provider list; register one with: nexus provider add NAME …"};
}

Providers::Providers(Store& store, const Vault& vault, MetadataCache& metadata, HttpClient& http,
                     Clock wall_clock)
    : store_(store),
      vault_(vault),
      metadata_(metadata),
      http_(http),
      wall_clock_(std::move(wall_clock)) {}

Result<Provider> Providers::decode(const ProviderRow& row) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = decoded_.find(row.id);
    if (found != decoded_.end() && found->second.profile == row.profile)
      return found->second.provider;
  }
  if (row.profile.empty()) return damaged(row, "it was altered by something else than nexusd");
  auto provider = provider_from_json(Json::parse(row.profile, nullptr, false));
  if (!provider) return damaged(row, provider.error().message);
  if (provider->id != row.id || provider->name != row.name)
    return damaged(row, "it belongs to another provider");
  const std::lock_guard lock(mutex_);
  if (decoded_.size() >= kMostDecoded) decoded_.clear();
  decoded_[row.id] = {row.profile, *provider};
  return provider;
}

Provider Providers::decode_whatever(const ProviderRow& row) {
  if (auto sound = decode(row)) {
    return *std::move(sound);
  } else {
    Provider provider;
    provider.id = row.id;
    provider.name = row.name;
    provider.damage = sound.error().message;
    return provider;
  }
}

Result<ProviderRow> Providers::row_by_id(const std::string& id) {
  NEXUS_TRY(auto row, store_.provider(id));
  if (!row || row->deleted) return no_such_provider(id);
  return *std::move(row);
}

Result<ProviderRow> Providers::row_by_name(const std::string& name) {
  NEXUS_TRY(auto row, store_.provider_named(lower(name)));
  if (!row) return no_such_provider(name);
  return *std::move(row);
}

Result<Provider> Providers::whatever_by_id(const std::string& id) {
  NEXUS_TRY(const auto row, row_by_id(id));
  return decode_whatever(row);
}

Result<Provider> Providers::whatever_by_name(const std::string& name) {
  NEXUS_TRY(const auto row, row_by_name(name));
  return decode_whatever(row);
}

Result<Provider> Providers::by_id(const std::string& id) {
  NEXUS_TRY(const auto row, row_by_id(id));
  return decode(row);
}

Result<Provider> Providers::by_name(const std::string& name) {
  NEXUS_TRY(const auto row, row_by_name(name));
  return decode(row);
}

Result<Provider> Providers::of_connection(const ConnectionRow& connection) {
  return of_connection(connection.provider_id, connection.provider_name);
}

Result<Provider> Providers::of_connection(const std::string& provider_id, const std::string& name) {
  NEXUS_TRY(const auto row, store_.provider(provider_id));
  if (!row) return no_such_provider(name);
  return decode(*row);
}

Result<std::vector<Provider>> Providers::all() {
  std::vector<Provider> providers;
  for (NamePage page;;) {
    NEXUS_TRY(auto some, list(page));
    const bool last = some.size() < static_cast<std::size_t>(page.limit);
    for (auto& provider : some) providers.push_back(std::move(provider));
    if (last) return providers;
    page.after = providers.back().name;
  }
}

Result<std::vector<Provider>> Providers::list(const NamePage& page) {
  NEXUS_TRY(const auto rows, store_.providers(page));
  std::vector<Provider> providers;
  for (const auto& row : rows) providers.push_back(decode_whatever(row));
  return providers;
}

Result<Providers::WithSecret> Providers::with_secret(const std::string& id) {
  NEXUS_TRY(auto record, store_.provider_record(id));
  if (!record) return no_such_provider(id);
  NEXUS_TRY(auto provider, decode(record->provider));
  const SealedFields fields(vault_, kProviderKind, id, std::move(record->fields));
  NEXUS_TRY(auto secret, fields.open(SecretField::client_secret));
  return WithSecret{std::move(provider), std::move(secret)};
}

Result<ProviderClient> Providers::client(const std::string& provider_id) {
  NEXUS_TRY(auto with, with_secret(provider_id));
  NEXUS_TRY(const auto metadata, metadata_.metadata(with.provider));
  NEXUS_TRY(auto endpoints, resolve_endpoints(with.provider, !with.secret.empty(), metadata));
  oauth::Client client(std::move(endpoints), with.provider.settings.dialect, with.provider.grant,
                       std::move(with.secret), http_, wall_clock_);
  return ProviderClient{std::move(with.provider), std::move(client)};
}

Result<ProviderClient> Providers::client_for(const std::string& provider_id,
                                             const std::string& pinned) {
  NEXUS_TRY(auto with, with_secret(provider_id));
  NEXUS_TRY(auto endpoints, pinned_endpoints(pinned, with.provider, !with.secret.empty()));
  oauth::Client client(std::move(endpoints), with.provider.settings.dialect, with.provider.grant,
                       std::move(with.secret), http_, wall_clock_);
  return ProviderClient{std::move(with.provider), std::move(client)};
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
  return fingerprint(provider.id, with.secret);
}

Result<std::string> Providers::public_jwk(const Provider& provider) {
  NEXUS_TRY(const auto with, with_secret(provider.id));
  NEXUS_TRY(const auto key, SigningKey::from_pem(with.secret));
  const auto& dialect = provider.settings.dialect;
  return key.public_jwk(dialect.key_id, dialect.pss());
}

void Providers::note_health(const std::string& id, const Result<void>& outcome) {
  // A provider that refuses one grant is well; one that cannot be asked is not.
  const bool healthy = outcome || outcome.error().code == ErrorCode::provider_rejected;
  const std::lock_guard lock(mutex_);
  health_[id] = {healthy, wall_clock_(), healthy ? "" : outcome.error().message};
}

std::optional<Providers::Health> Providers::health(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = health_.find(id);
  if (found == health_.end()) return std::nullopt;
  return found->second;
}

}  // namespace nexus
