#include "daemon/bundle/importer.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/bundle/bundled.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/provider/plan.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

Error other_provider(const ProviderRegistry::Prepared& prepared) {
  const auto& name = prepared.after.name;
  std::vector<std::string> fields;
  for (const auto& change : differences(prepared)) fields.push_back(change.name);
  return {
      ErrorCode::provider_exists,
      "the provider " + name + " is registered here already, with another " + join(fields, ", "),
      "make the two alike (nexus provider edit " + name +
          " ...), or remove the one here (nexus provider remove " + name +
          "; its connections go on), then import again",
      "", name};
}

constexpr UnixTime kLongestWait = 10 * 366 * 86400;

/// For a time of the wall clock that nexusd reckons with.
UnixTime reckoned(UnixTime time) {
  return time + clock_ahead();
}

}  // namespace

std::string loss_to_come(const ImportedBundle& imported) {
  if (imported.rotating.empty()) return {};
  return "a refresh may replace the refresh token of " + join(imported.rotating, ", ") +
         ", and the new one is lost when this nexusd ends, and the connection with it: import it "
         "into a nexusd that keeps files, or export a copy for each job";
}

BundleImporter::BundleImporter(Store& store, const Vault& vault, ProviderRegistry& registry,
                               Audit& audit, Moves& moves, Due& due, Clock clock, Clock wall_clock)
    : store_(store),
      vault_(vault),
      registry_(registry),
      audit_(audit),
      moves_(moves),
      due_(due),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

Result<ImportedBundle> BundleImporter::take_in(std::string_view bundle,
                                               const EnvelopeOpener& opener, bool replace,
                                               const Caller& caller) {
  NEXUS_TRY(const auto text, open_bundle(bundle, opener));
  NEXUS_TRY(const auto document, bundle_from_text(text.expose()));
  Work work;
  work.writes.replace = replace;
  work.imported.moved = document.moved;
  for (const auto& provider : document.providers) NEXUS_CHECK(prepare(provider, caller, work));
  for (const auto& connection : document.connections)
    NEXUS_CHECK(prepare(connection, caller, work));
  if (!work.records.empty()) {
    SetAside aside(moves_);
    for (const auto& row : work.replaced) NEXUS_CHECK(aside.add(row));
    NEXUS_CHECK(audit_.commit(work.records));
    NEXUS_CHECK(store_.take_in(work.writes));
    aside.keep();
    due_.expect(Due::What::refresh, clock_());
  }
  for (const auto& connection : document.connections) {
    NEXUS_TRY(auto row, store_.connection(connection.row.id));
    if (row) work.imported.connections.push_back(*std::move(row));
  }
  return std::move(work.imported);
}

Result<void> BundleImporter::prepare(const BundledProvider& provider, const Caller& caller,
                                     Work& work) {
  NEXUS_TRY(auto registration, registration_of(provider));
  auto prepared = registry_.prepare_settled(provider.id, std::move(registration));
  if (!prepared) return std::move(prepared).error();
  if (prepared->replaces && !prepared->changes_nothing()) return other_provider(*prepared);
  if (!prepared->replaces) {
    work.imported.providers.push_back(provider.name);
    work.records.push_back(audit_.record(
        {.event = AuditEvent::provider_created, .provider = provider.name, .detail = "imported"},
        caller));
    work.writes.providers.push_back(std::move(prepared->write));
  }
  work.providers.emplace(provider.id, std::move(prepared->after));
  return {};
}

Result<void> BundleImporter::prepare(const BundledConnection& connection, const Caller& caller,
                                     Work& work) {
  const auto& provider = work.providers.at(connection.row.provider_id);
  NEXUS_CHECK(check_bundled(connection, provider));
  const auto renewed =
      std::find_if(connection.secrets.begin(), connection.secrets.end(),
                   [](const auto& secret) { return secret.field == SecretField::refresh_token; });
  if (renewed != connection.secrets.end() &&
      (renewed->generation > 1 || !connection.row.last_refresh_at))
    work.imported.rotating.push_back(connection.row.id);
  NEXUS_TRY(const bool alike, is_here_alike(connection));
  if (alike) return {};
  NEXUS_CHECK(make_room_for(connection.row, work));
  ConnectionRecord record{connection.row, connection.pinned, {}};
  auto& row = record.connection;
  row.provider_id = provider.id;
  row.provider_name = provider.name;
  row.updated_at = wall_clock_();
  row.last_used_at = clock_();
  row.token.obtained_at = reckoned(row.token.obtained_at);
  if (row.token.expires_at) *row.token.expires_at = reckoned(*row.token.expires_at);
  // Looked at now and then, whatever the bundle says.
  if (row.refresh_at) row.refresh_at = std::min(reckoned(*row.refresh_at), clock_() + kLongestWait);
  for (const auto& [field, generation, value] : connection.secrets)
    record.fields.push_back(
        {row.id, field, generation,
         vault_.seal({kConnectionKind, row.id, word(field), generation}, value.expose())});
  work.records.push_back(audit_.record({.event = AuditEvent::connection_imported,
                                        .connection_id = row.id,
                                        .provider = provider.name},
                                       caller));
  work.writes.connections.push_back(std::move(record));
  return {};
}

/// What is in the way is found before anything is on record.
Result<void> BundleImporter::make_room_for(const ConnectionRow& row, Work& work) {
  NEXUS_TRY(auto here, store_.connection(row.id));
  const bool is_alive = here && (here->status == ConnectionStatus::active ||
                                 here->status == ConnectionStatus::attention_required ||
                                 here->status == ConnectionStatus::pending);
  if (is_alive && !work.writes.replace) return connection_exists(row.id);
  if (here && here->status == ConnectionStatus::active) work.replaced.push_back(*std::move(here));
  if (row.alias.empty()) return {};
  const auto taken = [&](const std::string& by, const std::string& mend) {
    return Error{ErrorCode::alias_taken, "the alias " + row.alias + " " + by,
                 mend + "this one where the bundle is from, then export it anew"};
  };
  NEXUS_TRY(const auto aliased, store_.connection_aliased(row.workspace, row.alias));
  if (aliased && aliased->connection.id != row.id)
    return taken("belongs to connection " + aliased->connection.id + " here",
                 "rename that one: nexus alias " + aliased->connection.id + " NAME; or ");
  NEXUS_TRY(const auto provider, store_.provider_named(lower(row.alias)));
  if (provider) return taken("is the name of a provider here", "rename ");
  return {};
}

/// The same secrets in an active connection: there is nothing to do, and nothing in the way.
Result<bool> BundleImporter::is_here_alike(const BundledConnection& connection) {
  NEXUS_TRY(auto record, store_.connection_record(connection.row.id));
  if (!record || record->connection.status != ConnectionStatus::active ||
      record->fields.size() != connection.secrets.size())
    return false;
  const SealedFields fields(vault_, kConnectionKind, connection.row.id, std::move(record->fields));
  for (const auto& secret : connection.secrets) {
    NEXUS_TRY(const auto here, fields.open(secret.field));
    if (!equal_constant_time(here.expose(), secret.value.expose())) return false;
  }
  return true;
}

}  // namespace nexus
