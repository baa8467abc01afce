#include "daemon/connect/captures.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/net/url.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {

Captures::Captures(Store& store, const Vault& vault, Providers& providers, HttpClient& http,
                   Audit& audit, Flows& flows, Clock clock, const std::string& callback_base_url)
    : store_(store),
      vault_(vault),
      providers_(providers),
      http_(http),
      audit_(audit),
      flows_(flows),
      clock_(std::move(clock)),
      page_url_(callback_base_url + kCapturePagePath) {}

Result<StartedFlow> Captures::begin(const ConnectionRow& row, const Provider& provider,
                                    const Caller& caller) {
  NEXUS_CHECK(read_static_provider(provider));
  const auto state = flows_.new_state(row.id, "", page_url_);
  NEXUS_CHECK(
      flows_.begin(row, state, page_url_, nexus::to_text(Json{{"issuer", ""}}), {}, false, caller));
  return StartedFlow{with_parameters(page_url_, {{"state", state}}), state};
}

Result<Captures::Open> Captures::find(const std::string& state) {
  NEXUS_TRY(auto flow, flows_.find(state, page_url_));
  NEXUS_TRY(auto row, store_.connection(flow.connection_id));
  if (!row || row->status != "pending")
    return Flows::does_not_belong("this answer belongs to no connection that is waiting");
  NEXUS_TRY(auto provider, providers_.by_id(row->provider_id));
  NEXUS_TRY(auto entry, read_static_provider(provider));
  return Open{std::move(flow), *std::move(row), std::move(provider), std::move(entry)};
}

Result<CaptureForm> Captures::form(const std::string& state) {
  NEXUS_TRY(auto open, find(state));
  return CaptureForm{open.row.id, open.provider.name, open.provider.description,
                     open.row.return_url, std::move(open.entry.schema)};
}

Result<Captured> Captures::complete(const std::string& state, Json& credentials,
                                    const Caller& caller) {
  auto open = find(state);
  if (!open) {
    NEXUS_CHECK(audit_.commit({.event = "state_verification_failed",
                               .outcome = "refused",
                               .detail = open.error().message},
                              caller));
    return std::move(open).error();
  }
  const auto record = [&](const char* event, const char* outcome, const std::string& detail) {
    return audit_.commit({.event = event,
                          .outcome = outcome,
                          .connection_id = open->row.id,
                          .provider = open->provider.name,
                          .detail = detail},
                         caller);
  };
  Captured captured;
  auto checked = open->entry.schema.check(credentials);
  captured.faults = std::move(checked.faults);
  if (!captured.faults.empty()) return captured;
  auto account = ask_provider(open->provider, open->entry, checked.values, http_, clock_());
  if (!account) {
    NEXUS_CHECK(record("credential_refused", "failure", account.error().message));
    return std::move(account).error();
  }
  if (account->empty())
    *account = credential(checked.values, open->entry.strategy.get("username_field"));
  // One caller alone gets to end the flow, however many were checked at once.
  NEXUS_CHECK(flows_.take(open->flow));
  NEXUS_CHECK(activate(*open, checked.values, *account));
  NEXUS_CHECK(record("credential_captured", "success", ""));
  captured.outcome = flows_.succeed(open->row);
  return captured;
}

Result<void> Captures::activate(const Open& open, const Credentials& values,
                                const std::string& account) {
  auto active = open.row;
  active.account = account;
  active.updated_at = clock_();
  active.token.obtained_at = active.updated_at;
  const SealedFields sealer(vault_, kConnectionKind, active.id);
  const auto document = open.entry.schema.to_document(values);
  NEXUS_TRY(const auto activated, store_.activate(active, {sealer.seal("credentials", document)}));
  if (activated) return {};
  return Flows::does_not_belong("the connection was removed meanwhile");
}

}  // namespace nexus
