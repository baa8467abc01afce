#include "daemon/connect/captures.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/connect/credential_check.h"
#include "daemon/connection_errors.h"
#include "daemon/net/url.h"

namespace nexus {

Captures::Captures(Providers& providers, Activation& activation, Flows& flows, HttpClient& http,
                   Audit& audit, Clock wall_clock, const std::string& callback_base_url)
    : providers_(providers),
      activation_(activation),
      flows_(flows),
      http_(http),
      audit_(audit),
      wall_clock_(std::move(wall_clock)),
      page_url_(callback_base_url + kCapturePagePath) {}

Result<StartedFlow> Captures::begin(ConnectionRow& row, const Caller& caller) {
  const auto state = flows_.new_state(row.id, "", page_url_);
  NEXUS_CHECK(flows_.begin(
      row, {.kind = FlowKind::capture, .state = state, .redirect_uri = page_url_, .awaited = true},
      caller));
  return StartedFlow{with_parameters(page_url_, {{"state", state}}), state, page_url_};
}

Result<Captures::Open> Captures::find(const std::string& state) {
  NEXUS_TRY(auto flow, flows_.find(state, page_url_));
  if (flow.kind != FlowKind::capture)
    return Flows::does_not_belong("this answer belongs to no connection that is waiting");
  NEXUS_TRY(auto pending, flows_.pending(flow));
  NEXUS_TRY(auto provider, providers_.by_id(pending.row.provider_id));
  if (!provider.api)
    return Flows::does_not_belong("its provider takes no static credentials any more");
  return Open{std::move(flow), std::move(pending.row), std::move(provider)};
}

Result<CaptureForm> Captures::form(const std::string& state) {
  NEXUS_TRY(auto open, find(state));
  return CaptureForm{open.row.id,
                     open.provider.name,
                     open.provider.description,
                     open.provider.settings.console_url,
                     open.row.return_url,
                     open.provider.api->schema};
}

Result<Captured> Captures::complete(const std::string& state, Json& credentials,
                                    const Caller& caller) {
  auto open = find(state);
  if (!open) {
    NEXUS_CHECK(flows_.turn_away(open.error(), caller));
    return std::move(open).error();
  }
  const auto record = [&](AuditEvent event, AuditOutcome outcome, const std::string& detail) {
    return audit_.commit({.event = event,
                          .outcome = outcome,
                          .connection_id = open->row.id,
                          .provider = open->provider.name,
                          .detail = detail},
                         caller);
  };
  Captured captured;
  auto checked = open->provider.api->schema.check(credentials);
  captured.faults = std::move(checked.faults);
  if (!captured.faults.empty()) return captured;
  auto account = ask_provider(open->provider, checked.values, http_, wall_clock_());
  if (!account) {
    NEXUS_CHECK(
        record(AuditEvent::credential_refused, AuditOutcome::failure, account.error().message));
    return std::move(account).error();
  }
  if (account->empty())
    *account = credential(checked.values, open->provider.api->strategy.get("username_field"));
  // One caller alone gets to end the flow, however many were checked at once.
  const auto taken = flows_.take(open->flow);
  if (!taken) return about(open->row, taken.error());
  const auto document = open->provider.api->schema.to_document(checked.values);
  if (const auto active = activation_.activate_static(open->row, document, *account); !active)
    return about(open->row, active.error());
  NEXUS_CHECK(record(AuditEvent::credential_captured, AuditOutcome::success, ""));
  captured.outcome = flows_.succeed(open->row);
  return captured;
}

}  // namespace nexus
