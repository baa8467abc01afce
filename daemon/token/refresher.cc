#include "daemon/token/refresher.h"

#include <memory>

#include "daemon/connection_errors.h"
#include "daemon/last_catch.h"
#include "daemon/net/url.h"
#include "daemon/oauth/endpoints.h"
#include "daemon/token/refresh_policy.h"

namespace nexus {
namespace {

constexpr int kAtOnceForEachHost = 4;

/// Where a refresh goes, "" where nobody knows.
std::string host_of(const std::string& pinned) {
  const auto endpoints = endpoints_from_text(pinned);
  if (!endpoints) return {};
  const auto url = parse_url(endpoints->refresh.empty() ? endpoints->token : endpoints->refresh,
                             "the token endpoint");
  return url ? url->host : std::string();
}

}  // namespace

Refresher::Refresher(Store& store, Refresh& refresh, RefreshLedger& ledger,
                     DownscopedTokens& downscoped, WorkerPool& workers, Clock clock)
    : store_(store),
      refresh_(refresh),
      ledger_(ledger),
      downscoped_(downscoped),
      workers_(workers),
      clock_(std::move(clock)),
      per_host_(kAtOnceForEachHost) {}

void Refresher::join(const std::string& connection_id, SingleFlight::Waiter waiter) {
  const bool background = waiter.background;
  if (flights_.join(connection_id, std::move(waiter))) take_off(connection_id, background);
}

void Refresher::take_off(const std::string& connection_id, bool background) {
  workers_.submit([this, connection_id, background] {
    const auto looked = std::make_shared<Looked>();
    const auto& record = looked->emplace(store_.connection_record(connection_id));
    const auto host = record && *record ? host_of((*record)->pinned) : std::string();
    per_host_.enter(host, background, [this, connection_id, host, looked](bool waited) {
      if (waited) looked->reset();  // it looks again now that its turn has come
      workers_.submit(
          [this, connection_id, host, looked] { fly(connection_id, host, std::move(*looked)); });
    });
  });
}

void Refresher::fly(const std::string& connection_id, const std::string& host, Looked looked) {
  // Whatever happens in there: the host's turn goes on, and whoever waits is told.
  const auto outcome = or_internal_error(
      [&] { return attempt(connection_id, flights_.target(connection_id), std::move(looked)); });
  per_host_.leave(host);
  bool onward = false;
  const auto waiters = flights_.finish(connection_id, onward);
  if (onward) take_off(connection_id, false);
  for (const auto& waiter : waiters) waiter.done(outcome);
}

Result<void> Refresher::attempt(const std::string& connection_id, const TokenTarget& target,
                                Looked looked) {
  // Read since this flight began: whoever looked just before the last one ended has its result.
  NEXUS_TRY(auto record, looked ? *std::move(looked) : store_.connection_record(connection_id));
  if (!record) return no_such_connection(connection_id);
  const auto& row = record->connection;
  if (const auto error = not_active(row)) {
    const bool due = row.refresh_at && *row.refresh_at <= clock_();
    // Its row has it active and due, and is damaged: that is not looked at again at once.
    if (row.status == ConnectionStatus::failed && due)
      return ledger_.failed(row, *error, row.refresh_sent);
    return *error;
  }
  if (!anybody_needs(row, target)) return {};
  const bool forced =
      flights_.any(connection_id, [](const SingleFlight::Waiter& waiter) { return waiter.forced; });
  if (const auto wait = ledger_.told_to_wait(row, forced)) return *wait;
  NEXUS_TRY(const bool stored, ledger_.save_kept(row));
  // It may have been less than what is wanted: a refresh token alone, or a token for all.
  if (stored) return attempt(connection_id, target, {});
  const auto ours = row;
  auto outcome = refresh_.run(*std::move(record), target);
  if (!outcome) outcome = about(ours, outcome.error());
  if (outcome || !target.is_everything()) return outcome;
  // Whatever stood in the way (a damaged record, say): what is due is not tried again at once.
  NEXUS_TRY(auto after, store_.connection(connection_id));
  if (after && after->status == ConnectionStatus::active && after->refresh_at &&
      *after->refresh_at <= clock_()) {
    const auto unanswered = after->refresh_sent;
    ledger_.failed(*std::move(after), outcome.error(), unanswered);
  }
  return outcome;
}

bool Refresher::anybody_needs(const ConnectionRow& row, const TokenTarget& target) {
  const auto now = clock_();
  const auto kept = target.is_everything() ? std::optional<DownscopedTokens::Kept>()
                                           : downscoped_.find(row.id, target);
  const auto enough = [&](UnixTime wanted) {
    if (target.is_everything()) return is_enough(row.token, wanted, now);
    return kept && is_enough(kept->facts, wanted, now);
  };
  return flights_.any(row.id, [&](const SingleFlight::Waiter& waiter) {
    if (waiter.background && row.refresh_at && *row.refresh_at <= now) return true;
    return waiter.forced || waiter.refused == row.token.obtained_at ||
           (!waiter.background && !enough(waiter.wanted));
  });
}

}  // namespace nexus
