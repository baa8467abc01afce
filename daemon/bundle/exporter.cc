#include "daemon/bundle/exporter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/bundle_key.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/bundle/bundled.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/sealed_bundle.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

/// Why two cannot hold its refresh token, "" where they can. A provider that rotates takes a token
/// once; the second holder's request looks like a theft to it, and ends the grant for both (RFC
/// 9700 4.14.2). No metadata tells who rotates, so it is known by what came of refreshes: each new
/// token was stored as the next generation of the field.
std::string why_not_shared(const ConnectionRow& row, const SealedFields& fields) {
  if (!fields.has(SecretField::refresh_token)) return {};
  if (fields.generation(SecretField::refresh_token) > 1)
    return row.provider_name + " gives a new refresh token with each refresh";
  if (!row.last_refresh_at)
    return "it was never refreshed, so nobody knows whether " + row.provider_name +
           " gives a new refresh token with each refresh";
  return {};
}

Error rotates(const ConnectionRow& row, const std::string& why) {
  const auto first = row.last_refresh_at ? "" : "find out with: nexus refresh " + row.id + "; or ";
  return {
      ErrorCode::refresh_token_rotates,
      "connection " + row.id + " cannot be held by two: " + why + ", and two that use one end it",
      first + std::string("have it moved, not copied: nexus export --move"), row.id,
      row.provider_name};
}

/// The wall clock's time for one that nexusd reckons with.
UnixTime by_the_wall(UnixTime time) {
  return time - clock_ahead();
}

/// What another nexusd would not take in is better told now.
Result<void> check_travels(const SecretText& text) {
  NEXUS_TRY(const auto document, bundle_from_text(text));
  for (const auto& bundled : document.providers) {
    NEXUS_TRY(const auto provider, registration_of(bundled));
    for (const auto& connection : document.connections)
      if (connection.row.provider_id == bundled.id)
        NEXUS_CHECK(check_bundled(connection, provider.provider));
  }
  return {};
}

}  // namespace

BundleExporter::BundleExporter(Store& store, const Vault& vault, Providers& providers, Audit& audit,
                               Moves& moves, Clock wall_clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      audit_(audit),
      moves_(moves),
      wall_clock_(std::move(wall_clock)) {}

Result<std::string> BundleExporter::make(const BundleOrder& order, const Caller& caller) {
  for (const auto& row : order.connections)
    if (const auto error = not_active(row)) return *error;
  if (!order.move) return seal(order, caller);
  // What cannot be sealed for disturbs nobody.
  if (!order.public_key.empty())
    NEXUS_CHECK(read_bundle_key(BundleKey::public_key, order.public_key));
  SetAside aside(moves_);
  for (const auto& row : order.connections) NEXUS_CHECK(aside.add(row));
  auto bundle = seal(order, caller);
  if (!bundle) return bundle;
  NEXUS_CHECK(aside.check());
  aside.keep();
  return bundle;
}

Result<std::string> BundleExporter::seal(const BundleOrder& order, const Caller& caller) {
  BundleDocument document{.made_at = wall_clock_(), .moved = order.move};
  std::set<std::string> names;
  std::vector<std::string> records;
  const auto whom =
      order.public_key.empty() ? "with a passphrase" : "for " + std::string(trim(order.public_key));
  for (const auto& row : order.connections) {
    NEXUS_TRY(auto connection, open(row, order.move));
    document.connections.push_back(std::move(connection));
    const auto& known = document.providers;
    if (std::none_of(known.begin(), known.end(),
                     [&](const auto& provider) { return provider.id == row.provider_id; })) {
      NEXUS_TRY(auto provider, open_provider(row));
      if (!names.insert(provider.name).second)
        return Error{ErrorCode::invalid_field,
                     "these connections are of two providers called " + provider.name +
                         ", one of which was removed",
                     "export them apart"};
      document.providers.push_back(std::move(provider));
    }
    records.push_back(audit_.record({.event = AuditEvent::connection_exported,
                                     .connection_id = row.id,
                                     .provider = row.provider_name,
                                     .detail = (order.move ? "moved, " : "copied, ") + whom},
                                    caller));
  }
  const auto text = to_text(document);
  NEXUS_CHECK(check_travels(text));
  NEXUS_TRY(auto bundle, order.public_key.empty() ? seal_bundle_with(order.passphrase, text)
                                                  : seal_bundle_for(order.public_key, text));
  NEXUS_CHECK(audit_.commit(records));
  return bundle;
}

Result<BundledConnection> BundleExporter::open(const ConnectionRow& row, bool move) {
  NEXUS_TRY(auto record, store_.connection_record(row.id));
  if (!record) return no_such_connection(row.id);
  auto& now = record->connection;
  const bool is_as_wanted =
      move ? now.status == ConnectionStatus::moving : now.status == ConnectionStatus::active;
  if (!is_as_wanted) return not_active(now).value_or(no_such_connection(row.id));
  const SealedFields fields(vault_, kConnectionKind, row.id, record->fields);
  if (const auto why = why_not_shared(now, fields); !move && !why.empty()) return rotates(now, why);
  BundledConnection connection{.row = std::move(now), .pinned = std::move(record->pinned)};
  auto& copied = connection.row;
  copied.token.obtained_at = by_the_wall(copied.token.obtained_at);
  if (copied.token.expires_at) *copied.token.expires_at = by_the_wall(*copied.token.expires_at);
  if (copied.refresh_at) *copied.refresh_at = by_the_wall(*copied.refresh_at);
  for (const auto& field : record->fields) {
    BundledSecret secret{.field = field.field, .generation = field.generation, .value = {}};
    NEXUS_TRY(secret.value, fields.open(field.field));
    connection.secrets.push_back(std::move(secret));
  }
  return connection;
}

Result<BundledProvider> BundleExporter::open_provider(const ConnectionRow& row) {
  NEXUS_TRY(const auto provider, providers_.of_connection(row));
  NEXUS_TRY(auto record, store_.provider_record(provider.id));
  if (!record) return no_such_provider(row.provider_name);
  BundledProvider bundled{provider.id, provider.name, to_text(to_json(provider)), {}};
  NEXUS_TRY(bundled.client_secret,
            SealedFields(vault_, kProviderKind, provider.id, std::move(record->fields))
                .open(SecretField::client_secret));
  return bundled;
}

}  // namespace nexus
