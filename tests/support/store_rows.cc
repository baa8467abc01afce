#include "tests/support/store_rows.h"

#include <algorithm>
#include <stdexcept>

namespace nexus::test {
namespace {

void good(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message);
}

template <class T>
T good(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace

ProviderWrite provider_write(const std::string& id, const std::string& name) {
  return {{id, name, R"({"name":")" + name + "\"}", kNow, kNow}, {}, {}};
}

ConnectionRow connection_row(const std::string& id, const std::string& alias) {
  ConnectionRow row;
  row.id = id;
  row.workspace = "default";
  row.provider_id = "p-acme";
  row.alias = alias;
  row.requested_scopes = "read write";
  row.metadata = R"({"order":7})";
  row.created_at = kNow;
  row.updated_at = kNow;
  row.pending_until = kNow + 600;
  return row;
}

FlowRow flow_row(const ConnectionRow& connection) {
  FlowRow flow;
  flow.connection_id = connection.id;
  flow.state_hash = "state of " + connection.id;
  flow.redirect_uri = "http://127.0.0.1:8090/auth/callback";
  flow.awaited = true;
  flow.pinned = kPinned;
  flow.expires_at = connection.pending_until;
  return flow;
}

SealedField sealed(const std::string& owner, const std::string& field, const std::string& text,
                   std::int64_t generation) {
  return {owner, from_word<SecretField>(field).value(), generation, text};
}

void put_provider(Store& store, const std::string& id, const std::string& name) {
  good(store.change_providers({provider_write(id, name)}, {}, kNow));
}

ConnectionRow begin(Store& store, const ConnectionRow& row,
                    const std::vector<SealedField>& fields) {
  good(store.begin_flow(row, flow_row(row), fields));
  return row;
}

ConnectionRow make_active(Store& store, ConnectionRow row, std::optional<UnixTime> refresh_at) {
  begin(store, row);
  row.token = {"Bearer", "read write", kNow, kNow + 3600};
  row.refresh_at = refresh_at;
  if (!good(store.activate(row, kPinned,
                           {sealed(row.id, "access_token", "at of " + row.id),
                            sealed(row.id, "refresh_token", "rt of " + row.id)})))
    throw std::runtime_error(row.id + " cannot become active");
  return row;
}

ConnectionRow stored_row(Store& store, const std::string& id) {
  auto row = good(store.connection(id));
  if (!row) throw std::runtime_error("there is no connection " + id);
  return *std::move(row);
}

ConnectionStatus status_of(Store& store, const std::string& id) {
  return stored_row(store, id).status;
}

std::vector<SealedField> fields_of(Store& store, const std::string& owner) {
  if (const auto record = good(store.connection_record(owner))) return record->fields;
  const auto provider = good(store.provider_record(owner));
  return provider ? provider->fields : std::vector<SealedField>();
}

std::vector<std::string> field_names(Store& store, const std::string& owner) {
  std::vector<std::string> names;
  for (const auto& field : fields_of(store, owner)) names.push_back(word(field.field));
  std::sort(names.begin(), names.end());
  return names;
}

std::string sealed_text(Store& store, const std::string& owner, const std::string& field) {
  for (const auto& stored : fields_of(store, owner))
    if (field == word(stored.field)) return stored.sealed;
  return {};
}

}  // namespace nexus::test
