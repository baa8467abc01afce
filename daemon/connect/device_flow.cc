#include "daemon/connect/device_flow.h"

#include <algorithm>

#include "daemon/log.h"
#include "daemon/metrics.h"

namespace nexus {
namespace {

constexpr std::int64_t kSlowDown = 5;  // RFC 8628 3.5
constexpr std::int64_t kLongestBackoff = 60;
/// A flow that nobody asked for since is over by now.
constexpr auto kForgotten = std::chrono::hours(1);

}  // namespace

DeviceFlow::DeviceFlow(Providers& providers, Activation& activation, Flows& flows, Audit& audit,
                       WorkerPool& workers, Clock clock)
    : providers_(providers),
      activation_(activation),
      flows_(flows),
      audit_(audit),
      workers_(workers),
      clock_(std::move(clock)) {}

Result<DevicePrompt> DeviceFlow::begin(
    ConnectionRow& row, const std::vector<std::pair<std::string, std::string>>& extra,
    const Caller& caller) {
  NEXUS_TRY(const auto ours, providers_.client(row.provider_id));
  const auto& endpoints = ours.client.endpoints();
  if (endpoints.device_authorization.empty())
    return Error{
        ErrorCode::unsupported_auth_type,
        ours.provider.name + " has no device authorization endpoint",
        "connect in a browser on this machine, or with --paste; where the endpoint is known: "
        "nexus provider edit " +
            ours.provider.name + " --param device_authorization_endpoint=URL"};
  NEXUS_TRY(auto asked, ours.client.start_device(row.requested_scopes, extra));
  NewFlow flow{.kind = FlowKind::device,
               .issuer = endpoints.issuer,
               .pinned = to_text(endpoints),
               .interval = asked.interval,
               .life = asked.expires_in};
  flow.secrets.emplace_back(SecretField::device_code, std::move(asked.device_code));
  NEXUS_CHECK(flows_.begin(row, std::move(flow), caller));
  metrics::consent_started(row.asked_for_openid());
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
  if (row.waits_for != FlowKind::device || row.pending_until <= clock_()) return false;
  const std::lock_guard lock(mutex_);
  auto& pace = paces_[row.id];  // a new one for a flow that an earlier daemon has begun
  if (pace.asking || std::chrono::steady_clock::now() < pace.next) return false;
  pace.asking = true;
  return true;
}

Result<DeviceFlow::Open> DeviceFlow::open(const std::string& connection_id) {
  NEXUS_TRY(auto flow, flows_.find_of(connection_id, FlowKind::device));
  NEXUS_TRY(const auto pending, flows_.pending(flow));
  NEXUS_TRY(auto device_code, pending.secrets.open(SecretField::device_code));
  NEXUS_TRY(auto ours, providers_.client_for(pending.row.provider_id, flow.pinned));
  return Open{std::move(flow), std::move(device_code), std::move(ours)};
}

void DeviceFlow::ask(const std::string& connection_id) {
  const auto sent_at = clock_();
  const auto open_flow = open(connection_id);
  // Answered meanwhile, or disconnected.
  if (!open_flow && open_flow.error().code == ErrorCode::invalid_state)
    return forget(connection_id);
  if (open_flow) settle_interval(connection_id, open_flow->flow.interval);
  const auto outcome = open_flow ? open_flow->ours.client.poll_device(open_flow->device_code)
                                 : Result<oauth::DevicePoll>(open_flow.error());
  set_pace(connection_id, outcome);
  if (!outcome || (!outcome->tokens && outcome->refused.empty())) return;
  if (const auto ended = end(*open_flow, *outcome, sent_at); !ended)
    log(LogLevel::warn, "device_flow_not_ended",
        {{"connection", connection_id}, {"error", ended.error().message}});
  forget(connection_id);
}

void DeviceFlow::settle_interval(const std::string& connection_id, std::int64_t interval) {
  const std::lock_guard lock(mutex_);
  auto& pace = paces_[connection_id];
  pace.interval = std::max(pace.interval, interval);
}

void DeviceFlow::forget(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  paces_.erase(connection_id);
}

/// G3, G6: slower when told so, for good; longer and longer while nobody answers.
void DeviceFlow::set_pace(const std::string& connection_id,
                          const Result<oauth::DevicePoll>& outcome) {
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

Result<void> DeviceFlow::end(const Open& open, const oauth::DevicePoll& outcome, UnixTime sent_at) {
  const Caller nobody;
  NEXUS_TRY(const auto pending, flows_.take(open.flow));
  const auto& row = pending.row;
  if (!outcome.refused.empty()) {
    flows_.refused(row, outcome.refused, outcome.message, nobody);
    return {};
  }
  const auto active = activation_.activate(
      row, open.ours, {*outcome.tokens, sent_at, Secret(), row.asked_for_openid()});
  if (!active) {
    flows_.fail(row, active.error(), nobody);
    return {};
  }
  return audit_.commit({.event = AuditEvent::oauth_flow_completed,
                        .connection_id = row.id,
                        .provider = row.provider_name},
                       nobody);
}

}  // namespace nexus
