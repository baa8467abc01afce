#include "daemon/token/refresh_ledger.h"

#include <algorithm>

#include "daemon/connection_errors.h"
#include "daemon/log.h"
#include "daemon/token/refresh_policy.h"

namespace nexus {
namespace {

/// A fetch that finds no valid token waits no longer than this for the next try.
constexpr UnixTime kLongestHold = 60;
/// What one connection has found out about its provider holds for the others so long.
constexpr UnixTime kOthersWait = 30;
/// An invalid_grant this soon after a good refresh smells of somebody else using the token (F14).
constexpr UnixTime kSuspiciouslySoon = 300;
/// A store that cannot be written is tried again after so many seconds.
constexpr UnixTime kAfterTrouble = 5;

/// What ails the provider ails its other connections: they need not all find out.
bool is_of_provider(const Error& error) {
  return error.code == ErrorCode::upstream_error || error.code == ErrorCode::upstream_timeout ||
         error.code == ErrorCode::provider_misconfigured;
}

/// By the wall clock; where that was set back meanwhile, nobody knows.
bool was_refreshed_just_before(const ConnectionRow& row, UnixTime now) {
  return row.last_refresh_at && *row.last_refresh_at <= now &&
         now - *row.last_refresh_at < kSuspiciouslySoon;
}

}  // namespace

RefreshLedger::RefreshLedger(Store& store, Audit& audit, Due& due, OnAttention on_attention,
                             Clock clock, Clock wall_clock, UnixTime idle_after)
    : store_(store),
      audit_(audit),
      due_(due),
      on_attention_(std::move(on_attention)),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)),
      idle_after_(idle_after) {}

void RefreshLedger::note_use(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  used_[connection_id] = clock_();
}

UnixTime RefreshLedger::last_used(const ConnectionRow& row) {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(row.id);
  return found == used_.end() ? row.last_used_at : std::max(row.last_used_at, found->second);
}

std::optional<Error> RefreshLedger::told_to_wait(const ConnectionRow& row, bool forced) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  const auto found = holds_.find(row.id);
  // Without failures on record the provider was corrected since.
  if (found == holds_.end() || row.refresh_failures == 0) return std::nullopt;
  const auto until = forced ? found->second.asked : found->second.until;
  if (until <= now) return std::nullopt;
  Error error{error_from_wire(row.error_code, "error"), row.error_message,
              "it is tried again in " + std::to_string(until - now) + " s"};
  error.retry_after_s = static_cast<int>(until - now);
  return about(row, std::move(error));
}

Result<void> RefreshLedger::sent(const ConnectionRow& row, std::int64_t generation) {
  NEXUS_TRY(const bool begun, store_.begin_refresh(row.id, generation));
  return begun ? Result<void>() : why_not_refreshed(row.id);
}

Error RefreshLedger::why_not_refreshed(const std::string& id) const {
  const auto now = store_.connection(id);
  if (!now) return now.error();
  return *now ? not_active(**now).value_or(no_such_connection(id)) : no_such_connection(id);
}

/// Those that nobody uses are kept alive, now and then, rather than fresh.
std::optional<UnixTime> RefreshLedger::next_refresh(const ConnectionRow& row,
                                                    const Refreshed& refreshed) {
  const auto at = background_refresh_at(refreshed.token, chance());
  if (!at) return std::nullopt;
  const auto now = clock_();
  if (idle_after_ == 0 || now - last_used(row) <= idle_after_) return at;
  if (!refreshed.lapses) return std::nullopt;
  return std::max(*at, now + idle_after_);
}

Result<void> RefreshLedger::save(const ConnectionRow& row, Refreshed refreshed) {
  const auto refresh_at = next_refresh(row, refreshed);
  const auto saved = store_.save_refresh(row.id, refreshed.token, refreshed.fields, refresh_at,
                                         last_used(row), wall_clock_());
  if (!saved) {
    log(LogLevel::error, "refreshed_token_not_stored",
        {{"connection", row.id}, {"error", saved.error().message}});
    {
      const std::lock_guard lock(mutex_);
      kept_[row.id] = std::move(refreshed);
    }
    due_.expect(Due::What::refresh, clock_() + kAfterTrouble);
    return saved.error();
  }
  if (!*saved) return no_such_connection(row.id);
  {
    const std::lock_guard lock(mutex_);
    kept_.erase(row.id);
    holds_.erase(row.id);
    troubles_.erase(row.provider_id);
  }
  if (refresh_at) due_.expect(Due::What::refresh, *refresh_at);
  return {};
}

Result<void> RefreshLedger::check_nothing_kept() {
  const std::lock_guard lock(mutex_);
  if (kept_.empty()) return {};
  return Error{ErrorCode::internal_error,
               "tokens that came from a provider could not be stored yet, and would be lost",
               "make room on the disk, ask for them once (nexus token), and try again"};
}

Result<bool> RefreshLedger::save_kept(const ConnectionRow& row) {
  std::unique_lock lock(mutex_);
  auto kept = kept_.extract(row.id);
  lock.unlock();
  if (!kept) return false;
  NEXUS_CHECK(save(row, std::move(kept.mapped())));
  return true;
}

Error RefreshLedger::failed(ConnectionRow row, const Error& error, std::int64_t unanswered) {
  const auto now = clock_();
  const UnixTime asked = error.retry_after_s;
  const auto wait = std::max({back_off(++row.refresh_failures, chance()), asked,
                              wait_for_provider(row.provider_id, error)});
  row.error_code = error.wire();
  row.error_message = error.message;
  row.refresh_at = now + wait;
  row.refresh_sent = unanswered;
  const auto hold = std::max(std::min(wait, kLongestHold), asked);
  {
    const std::lock_guard lock(mutex_);
    // A long Retry-After binds the background; a person who insists may try sooner.
    holds_[row.id] = {now + hold, asked > 0 && asked < kLongestHold ? now + asked : 0};
  }
  log(LogLevel::warn, "token_refresh_failed",
      {{"connection", row.id},
       {"provider", row.provider_name},
       {"error", error.message},
       {"again_in_s", std::to_string(wait)}});
  if (const auto stored = store_failure(row, error, wait); !stored) return stored.error();
  // Those who ask meanwhile are told to wait: the first one can be told as well.
  auto told = about(row, error);
  told.retry_after_s = static_cast<int>(hold);
  return told;
}

/// Of many connections each would find out for itself, and begin with a short wait.
UnixTime RefreshLedger::wait_for_provider(const std::string& provider_id, const Error& error) {
  constexpr std::int64_t kFoundOutAtOnce = 4;
  if (!is_of_provider(error)) return 0;
  const std::lock_guard lock(mutex_);
  const auto failures = ++troubles_[provider_id];
  return std::min(back_off((failures + kFoundOutAtOnce - 1) / kFoundOutAtOnce, 0), kOthersWait);
}

Result<void> RefreshLedger::store_failure(const ConnectionRow& row, const Error& error,
                                          UnixTime wait) {
  const auto now = clock_();
  NEXUS_CHECK(store_.save_refresh_failure(row, wall_clock_()));
  if (is_of_provider(error))
    NEXUS_CHECK(store_.postpone_refreshes(row.provider_id, now, now + std::min(wait, kOthersWait)));
  due_.expect(Due::What::refresh, *row.refresh_at);
  return audit_.commit({.event = AuditEvent::token_refresh_failed,
                        .outcome = AuditOutcome::failure,
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = error.message},
                       {});
}

Error RefreshLedger::over_for_good(const ConnectionRow& row, const std::string& cause,
                                   bool interrupted) {
  const auto now = wall_clock_();
  log(LogLevel::warn, "attention_required",
      {{"connection", row.id}, {"provider", row.provider_name}, {"error", cause}});
  const auto stored = store_.set_status(row.id, ConnectionStatus::attention_required,
                                        info(ErrorCode::attention_required).wire, cause, now);
  if (!stored) return stored.error();
  std::vector<std::string> records{audit_.record({.event = AuditEvent::token_refresh_fatal,
                                                  .outcome = AuditOutcome::failure,
                                                  .connection_id = row.id,
                                                  .provider = row.provider_name,
                                                  .detail = cause},
                                                 {})};
  if (!interrupted && was_refreshed_just_before(row, now))
    records.push_back(audit_.record({.event = AuditEvent::refresh_token_reuse_suspected,
                                     .outcome = AuditOutcome::failure,
                                     .connection_id = row.id,
                                     .provider = row.provider_name,
                                     .detail = "rejected soon after a good refresh"},
                                    {}));
  if (const auto recorded = audit_.commit(records); !recorded) return recorded.error();
  if (on_attention_) on_attention_(row, cause);
  return needs_attention(row, cause);
}

Result<void> RefreshLedger::record(const ConnectionRow& row, const std::string& detail) {
  log(LogLevel::info, "token_refreshed", {{"connection", row.id}, {"provider", row.provider_name}});
  return audit_.commit({.event = AuditEvent::token_refreshed,
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = detail},
                       {});
}

}  // namespace nexus
