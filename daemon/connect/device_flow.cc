#include "daemon/connect/device_flow.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/token/refresher.h"

namespace nexus {
namespace {

/// Where answers to a device flow come to: to nobody's address, so no callback ever fits it.
constexpr const char* kNowhere = "urn:nexus:device";
constexpr std::int64_t kSlowDown = 5;  // RFC 8628 3.5
constexpr std::int64_t kLongestBackoff = 60;
/// A flow that nobody asked for since is over by now.
constexpr auto kForgotten = std::chrono::hours(1);
constexpr const char* kInterval = "device_interval";

}  // namespace

DeviceFlow::DeviceFlow(Store& store, const Vault& vault, Providers& providers,
                       Activation& activation, HttpClient& http, Audit& audit, Flows& flows,
                       WorkerPool& workers, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      activation_(activation),
      http_(http),
      audit_(audit),
      flows_(flows),
      workers_(workers),
      clock_(std::move(clock)) {}

Result<DevicePrompt> DeviceFlow::begin(
    ConnectionRow& row, const Provider& provider,
    const std::vector<std::pair<std::string, std::string>>& extra, const Caller& caller) {
  NEXUS_TRY(const auto with_secret, providers_.with_secret(provider.id));
  NEXUS_TRY(const auto endpoints, providers_.endpoints(with_secret));
  if (endpoints.device_authorization.empty())
    return Error{
        ErrorCode::unsupported_auth_type, provider.name + " has no device authorization endpoint",
        "connect in a browser on this machine, or with --paste; where the endpoint is known: "
        "nexus provider edit " +
            provider.name + " --param device_authorization_endpoint=URL"};
  NEXUS_TRY(const auto asked, request_device_authorization(endpoints, with_secret.client_secret,
                                                           row.requested_scopes, extra, http_));
  row.pending_until = clock_() + asked.expires_in;
  auto pinned = to_json(endpoints);
  pinned[kInterval] = asked.interval;
  const auto state = flows_.new_state(row.id, endpoints.issuer, kNowhere);
  const SealedFields sealer(vault_, kConnectionKind, row.id);
  NEXUS_CHECK(flows_.begin(
      row, state, kNowhere, nexus::to_text(pinned),
      {sealer.seal("device_code", asked.device_code.expose()), sealer.seal("device_state", state)},
      true, caller));
  metrics::consent_started(asked_for_openid(row));
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(paces_, [&](const auto& entry) {
      return !entry.second.asking && now - entry.second.next > kForgotten;
    });
    paces_[row.id] = {.interval = asked.interval,
                      .next = now + std::chrono::seconds(asked.interval)};
  }
  return DevicePrompt{asked.user_code, asked.verification_uri, asked.verification_uri_complete};
}

void DeviceFlow::advance(const ConnectionRow& row, std::function<void()> then) {
  if (!may_ask_now(row)) {
    if (then) then();
    return;
  }
  workers_.submit([this, id = row.id, then = std::move(then)] {
    ask(id);
    if (then) then();
  });
}

bool DeviceFlow::may_ask_now(const ConnectionRow& row) {
  if (row.status != "pending" || row.pending_until <= clock_()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = paces_.find(row.id); found != paces_.end()) {
      auto& pace = found->second;
      if (pace.asking || std::chrono::steady_clock::now() < pace.next) return false;
      pace.asking = true;
      return true;
    }
  }
  // Begun by an earlier daemon, or another kind of flow.
  const auto interval = interval_of(row);
  const std::lock_guard lock(mutex_);
  return interval > 0 &&
         paces_.try_emplace(row.id, Pace{.interval = interval, .asking = true}).second;
}

Result<FlowRow> DeviceFlow::flow_of(const SealedFields& fields) {
  NEXUS_TRY(const auto state, fields.open("device_state"));
  return flows_.find(std::string(state.expose()), kNowhere);
}

/// 0 where it is no device flow.
std::int64_t DeviceFlow::interval_of(const ConnectionRow& row) {
  auto stored = store_.fields(row.id);
  if (!stored) return 0;
  const SealedFields fields(vault_, kConnectionKind, row.id, *std::move(stored));
  if (!fields.has("device_code")) return 0;
  const auto flow = flow_of(fields);
  return flow ? Json::parse(flow->pinned).value(kInterval, std::int64_t{5}) : 0;
}

Result<DeviceFlow::Open> DeviceFlow::open(const ConnectionRow& row) {
  NEXUS_TRY(auto stored, store_.fields(row.id));
  const SealedFields fields(vault_, kConnectionKind, row.id, std::move(stored));
  NEXUS_TRY(auto flow, flow_of(fields));
  NEXUS_TRY(auto device_code, fields.open("device_code"));
  NEXUS_TRY(auto provider, providers_.with_secret(row.provider_id));
  NEXUS_TRY(auto endpoints,
            pinned_endpoints(flow.pinned, provider.provider, !provider.client_secret.empty()));
  return Open{std::move(flow), std::move(device_code), std::move(provider), std::move(endpoints)};
}

void DeviceFlow::ask(const std::string& connection_id) {
  const auto row = store_.connection(connection_id);
  if (!row || !*row || (*row)->status != "pending") return forget(connection_id);
  const auto sent_at = clock_();
  const auto flow = open(**row);
  const auto outcome = flow ? poll_device_grant(flow->endpoints, flow->provider.client_secret,
                                                flow->device_code, http_)
                            : Result<DevicePoll>(flow.error());
  set_pace(connection_id, outcome);
  if (!outcome || (!outcome->tokens && outcome->refused.empty())) return;
  if (const auto ended = end(*flow, *outcome, sent_at); !ended)
    log(LogLevel::warn, "device_flow_not_ended",
        {{"connection", connection_id}, {"error", ended.error().message}});
  forget(connection_id);
}

void DeviceFlow::forget(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  paces_.erase(connection_id);
}

/// G3, G6: slower when told so, for good; longer and longer while nobody answers.
void DeviceFlow::set_pace(const std::string& connection_id, const Result<DevicePoll>& outcome) {
  const std::lock_guard lock(mutex_);
  auto& pace = paces_[connection_id];
  std::int64_t wait = 0;
  if (outcome) {
    pace.failures = 0;
    if (outcome->slow_down) pace.interval += kSlowDown;
    wait = pace.interval;
  } else {
    ++pace.failures;
    const std::int64_t asked = outcome.error().retry_after_s;
    const auto back_off = std::min(pace.interval << std::min(pace.failures, 5),
                                   std::max(kLongestBackoff, pace.interval));
    wait = asked > 0 ? std::max(asked, pace.interval) : back_off;
    log(LogLevel::info, "device_poll_failed",
        {{"connection", connection_id}, {"error", outcome.error().message}});
  }
  pace.next = std::chrono::steady_clock::now() + std::chrono::seconds(wait);
  pace.asking = false;
}

Result<void> DeviceFlow::end(const Open& open, const DevicePoll& outcome, UnixTime sent_at) {
  const Caller nobody;
  NEXUS_TRY(const auto row, flows_.take(open.flow));
  if (!outcome.refused.empty()) {
    flows_.fail(row, outcome.refused, outcome.message, nobody);
    return {};
  }
  const auto active =
      activation_.activate(row, open.provider.provider, open.endpoints,
                           {*outcome.tokens, sent_at, Secret(), asked_for_openid(row),
                            nexus::to_text(to_json(open.endpoints))});
  if (!active) {
    flows_.fail(row, active.error(), nobody);
    return {};
  }
  return audit_.commit(
      {.event = "oauth_flow_completed", .connection_id = row.id, .provider = row.provider_name},
      nobody);
}

}  // namespace nexus
