// Refreshing a token from the wish to the stored result. Longer than most files because the steps
// between "it is sent" and "it is stored" are only safe in one order, and are read together.
#include "daemon/token/refresher.h"

#include <sodium.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/connect/connections.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/net/url.h"
#include "daemon/oauth/token_endpoint.h"
#include "daemon/token/refresh_policy.h"

namespace nexus {
namespace {

constexpr int kAtOnceForEachHost = 4;
/// A fetch that finds no valid token waits no longer than this for the next try.
constexpr UnixTime kLongestHold = 60;
/// What one connection has found out about its provider holds for the others so long.
constexpr UnixTime kOthersWait = 30;
/// An invalid_grant this soon after a good refresh smells of somebody else using the token (F14).
constexpr UnixTime kSuspiciouslySoon = 300;

Error needs_attention(const ConnectionRow& row, const std::string& cause) {
  return {ErrorCode::attention_required, "connection " + row.id + " needs attention: " + cause,
          "run: nexus connect " + row.provider_name + " --replace " + row.id, row.id,
          row.provider_name};
}

/// The error with whose it is.
Error about(const ConnectionRow& row, Error error) {
  error.connection_id = row.id;
  error.provider = row.provider_name;
  return error;
}

std::string host_of(const std::string& pinned) {
  const auto json = Json::parse(pinned, nullptr, false);
  if (!json.is_object()) return {};
  const auto refresh = text_member(json, "refresh").value_or("");
  const auto url = parse_url(refresh.empty() ? text_member(json, "token").value_or("") : refresh,
                             "the token endpoint");
  return url ? url->host : std::string();
}

}  // namespace

double chance() {
  return static_cast<double>(randombytes_uniform(1'000'000)) / 1e6;
}

std::optional<Error> not_active(const ConnectionRow& row) {
  const auto error = [&](ErrorCode code, const std::string& what, const std::string& hint) {
    return Error{code, "connection " + row.id + " " + what, hint, row.id, row.provider_name};
  };
  if (row.status == "active") return std::nullopt;
  if (row.status == "attention_required") return needs_attention(row, row.error_message);
  if (row.status == "pending")
    return error(ErrorCode::connection_pending, "still waits for a person's consent",
                 "finish it in the browser, then ask again");
  if (row.status == "revoked")
    return error(ErrorCode::connection_revoked, "was disconnected",
                 "run: nexus connect " + row.provider_name);
  return error(ErrorCode::connection_failed, "failed: " + row.error_message,
               "run: nexus connect " + row.provider_name);
}

bool asked_for_openid(const ConnectionRow& row) {
  const auto scopes = split(row.requested_scopes, ' ');
  return std::find(scopes.begin(), scopes.end(), "openid") != scopes.end();
}

bool is_enough(const TokenFacts& token, UnixTime wanted, UnixTime now) {
  if (!token.expires_at) return true;
  if (is_from_the_future(token, now)) return false;
  const auto left = *token.expires_at - now;
  // A token of this very second is as fresh as it gets, however short its life is.
  const bool just_made = now >= token.obtained_at && now - token.obtained_at <= 1;
  return left > wanted || (just_made && left > 0);
}

Refresher::Refresher(Store& store, const Vault& vault, Providers& providers,
                     MetadataCache& metadata, HttpClient& http, Audit& audit, WorkerPool& workers,
                     DownscopedTokens& downscoped, Revocations& revocations, Clock clock,
                     UnixTime idle_after)
    : store_(store),
      vault_(vault),
      providers_(providers),
      metadata_(metadata),
      http_(http),
      audit_(audit),
      workers_(workers),
      clock_(std::move(clock)),
      idle_after_(idle_after),
      per_host_(kAtOnceForEachHost),
      downscoped_(downscoped),
      revocations_(revocations) {}

void Refresher::note_use(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  used_[connection_id] = clock_();
}

void Refresher::join(const std::string& connection_id, SingleFlight::Waiter waiter) {
  const bool background = waiter.background;
  if (flights_.join(connection_id, std::move(waiter))) take_off(connection_id, background);
}

void Refresher::take_off(const std::string& connection_id, bool background) {
  workers_.submit([this, connection_id, background] {
    const auto pinned = store_.pinned_endpoints(connection_id);
    const auto host = pinned ? host_of(*pinned) : std::string();
    per_host_.enter(host, background, [this, connection_id, host] {
      workers_.submit([this, connection_id, host] { fly(connection_id, host); });
    });
  });
}

void Refresher::fly(const std::string& connection_id, const std::string& host) {
  const auto outcome = attempt(connection_id, flights_.target(connection_id));
  per_host_.leave(host);
  bool onward = false;
  const auto waiters = flights_.finish(connection_id, onward);
  if (onward) take_off(connection_id, false);
  for (const auto& waiter : waiters) waiter.done(outcome);
}

Result<void> Refresher::attempt(const std::string& connection_id, const TokenTarget& target) {
  NEXUS_TRY(const auto row, store_.connection(connection_id));
  if (!row) return no_such_connection(connection_id);
  if (const auto error = not_active(*row)) return *error;
  // Who looked just before the last flight landed has its result already.
  if (!anybody_needs(*row, target)) return {};
  if (const auto wait = told_to_wait(*row)) return *wait;
  auto outcome = refresh_now(*row, target);
  if (outcome || !target.is_everything()) return outcome;
  // Whatever stood in the way (a damaged record, say): what is due is not tried again at once.
  NEXUS_TRY(auto after, store_.connection(connection_id));
  if (after && after->status == "active" && after->refresh_at && *after->refresh_at <= clock_())
    static_cast<void>(failed(*std::move(after), outcome.error()));
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
    return waiter.forced || (!waiter.background && !enough(waiter.wanted));
  });
}

std::optional<Error> Refresher::told_to_wait(const ConnectionRow& row) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  const auto found = holds_.find(row.id);
  // Without failures on record the provider was corrected since.
  if (found == holds_.end() || row.refresh_failures == 0) return std::nullopt;
  const bool forced =
      flights_.any(row.id, [](const SingleFlight::Waiter& waiter) { return waiter.forced; });
  const auto until = forced ? found->second.asked : found->second.until;
  if (until <= now) return std::nullopt;
  Error error{error_from_wire(row.error_code, "error"), row.error_message,
              "it is tried again in " + std::to_string(until - now) + " s", row.id,
              row.provider_name};
  error.retry_after_s = static_cast<int>(until - now);
  return error;
}

Result<void> Refresher::refresh_now(const ConnectionRow& row, const TokenTarget& target) {
  {
    std::unique_lock lock(mutex_);
    if (auto kept = unsaved_.extract(row.id)) {
      lock.unlock();
      NEXUS_CHECK(save(row, std::move(kept.mapped())));
      if (target.is_everything()) return {};
      return attempt(row.id, target);
    }
  }
  NEXUS_TRY(auto stored, store_.fields(row.id));
  NEXUS_TRY(auto provider, providers_.with_secret(row.provider_id));
  NEXUS_TRY(const auto pinned, store_.pinned_endpoints(row.id));
  NEXUS_TRY(auto endpoints,
            pinned_endpoints(pinned, provider.provider, !provider.client_secret.empty()));
  const Errand errand{row, std::move(provider), std::move(endpoints),
                      SealedFields(vault_, kConnectionKind, row.id, std::move(stored)), target};
  if (is_unattended(errand.endpoints.grant)) return ask_as_client(errand);
  NEXUS_TRY(const auto token, errand.fields.open("refresh_token"));
  if (!token.empty()) return use_refresh_token(errand, token);
  if (!is_enough(row.token, 0, clock_()))
    return over_for_good(
        row, "its token expired and " + row.provider_name + " gave no refresh token", false);
  return Error{ErrorCode::no_refresh_token,
               row.provider_name + " gave no refresh token for connection " + row.id,
               "the token is used until it expires; ask for offline access when connecting", row.id,
               row.provider_name};
}

Result<void> Refresher::ask_as_client(const Errand& errand) {
  const auto& row = errand.row;
  const auto sent_at = clock_();
  const metrics::Timer timer;
  const auto response = client_token(errand.endpoints, errand.provider.client_secret,
                                     row.requested_scopes, http_, errand.target);
  const auto outcome = response ? Result<void>() : Result<void>(response.error());
  metrics::token_refreshed(row.provider_name, outcome, timer);
  providers_.note_health(row.provider_id, outcome);
  if (response) return store_refreshed(errand, *response, sent_at);
  if (response.error().code == ErrorCode::scope_not_allowed) return about(row, response.error());
  return failed(row, response.error());
}

Result<void> Refresher::use_refresh_token(const Errand& errand, const Secret& token) {
  const auto& row = errand.row;
  const auto ask = [&] {
    return refresh_token(errand.endpoints, errand.provider.client_secret, token, http_,
                         errand.target);
  };
  // F6: should this be the last thing that we do, the next daemon knows what it was.
  const auto generation = errand.fields.generation("refresh_token");
  auto tried = row;
  const bool was_unanswered = row.refresh_sent == generation;
  tried.refresh_sent = generation;
  NEXUS_TRY(const bool begun, store_.begin_refresh(row.id, generation));
  if (!begun) return no_such_connection(row.id);

  const auto sent_at = clock_();
  const metrics::Timer timer;
  auto response = ask();
  bool unanswered = was_unanswered;
  if (!response && response.error().may_have_arrived) {
    // F7: the provider may have taken the token and lost us its answer. Many give a moment's grace,
    // in which the same token brings the same answer: once, then it waits like any failure.
    log(LogLevel::info, "refresh_unanswered",
        {{"connection", row.id}, {"error", response.error().message}});
    unanswered = true;
    response = ask();
  }
  const auto outcome = response ? Result<void>() : Result<void>(response.error());
  metrics::token_refreshed(row.provider_name, outcome, timer);
  providers_.note_health(row.provider_id, outcome);
  if (response) return store_refreshed(errand, *response, sent_at);
  const auto& error = response.error();
  if (error.code == ErrorCode::scope_not_allowed) {
    // Answered, and nothing came of it: the refresh token is as good as before.
    NEXUS_CHECK(store_.begin_refresh(row.id, was_unanswered ? generation : 0));
    return about(row, error);
  }
  if (error.code == ErrorCode::attention_required)
    return over_for_good(row,
                         row.provider_name + " rejected the refresh (" + error.message + ")" +
                             (unanswered ? ": an interrupted refresh, whose answer was lost" : ""),
                         unanswered);
  if (!error.may_have_arrived) tried.refresh_sent = was_unanswered ? generation : 0;
  return failed(std::move(tried), error);
}

/// D20: an id_token that comes with a refresh is of the same person at the same provider.
Result<void> Refresher::check_identity(const Errand& errand, const TokenResponse& response) {
  if (!asked_for_openid(errand.row) || response.id_token.empty()) return {};
  IdTokenExpectation expected;
  expected.issuer = errand.endpoints.issuer;
  expected.client_id = errand.endpoints.client_id;
  expected.algorithms = errand.endpoints.id_token_algorithms;
  expected.subject = errand.row.subject;
  expected.access_token = response.access_token.expose();
  expected.now = clock_();
  if (const auto nonce = errand.fields.open("nonce")) expected.nonce_if_present = nonce->expose();
  const auto claims = metadata_.verify(errand.endpoints, response.id_token.expose(), expected);
  if (!claims) return claims.error();
  return {};
}

Result<void> Refresher::store_refreshed(const Errand& errand, const TokenResponse& response,
                                        UnixTime sent_at) {
  const auto& [row, provider, endpoints, fields, target] = errand;
  Unsaved refreshed{.token = row.token, .lapses = !is_unattended(endpoints.grant)};
  if (!response.refresh_token.empty())
    refreshed.fields.push_back(fields.seal("refresh_token", response.refresh_token.expose()));
  if (const auto same = check_identity(errand, response); !same) {
    // The access token is not used, but a rotated refresh token is the only one left.
    if (!refreshed.fields.empty()) NEXUS_CHECK(save(row, std::move(refreshed)));
    return failed(row, same.error());
  }
  const auto usual = target.scopes.empty() ? row.token.scopes : target.scopes;
  TokenFacts facts{response.token_type, response.scope.value_or(usual), sent_at, {}};
  if (response.expires_in) facts.expires_at = sent_at + *response.expires_in;
  if (target.is_everything()) {
    refreshed.token = facts;
    refreshed.fields.push_back(fields.seal("access_token", response.access_token.expose()));
    if (asked_for_openid(row) && !response.id_token.empty())
      refreshed.fields.push_back(fields.seal("id_token", response.id_token.expose()));
  }
  const auto current = store_.connection(row.id);
  if (current && *current && (*current)->status == "revoked") {
    // F21: it was disconnected while the provider answered; what came is not wanted any more.
    if (!endpoints.revocation.empty() && !response.refresh_token.empty())
      NEXUS_CHECK(
          revocations_.discard(row, fields.seal("refresh_token", response.refresh_token.expose())));
    return *not_active(**current);
  }
  NEXUS_CHECK(save(row, std::move(refreshed)));
  if (!target.is_everything()) downscoped_.keep(row.id, target, facts, response.access_token);
  log(LogLevel::info, "token_refreshed", {{"connection", row.id}, {"provider", row.provider_name}});
  return audit_.commit({.event = "token_refreshed",
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = describe(target)},
                       {});
}

/// Those that nobody uses are kept alive, now and then, rather than fresh.
std::optional<UnixTime> Refresher::next_refresh(const ConnectionRow& row,
                                                const Unsaved& refreshed) {
  const auto at = background_refresh_at(refreshed.token, chance());
  if (!at) return std::nullopt;
  auto used = std::max(row.last_used_at, row.created_at);
  const std::lock_guard lock(mutex_);
  if (const auto found = used_.find(row.id); found != used_.end())
    used = std::max(used, found->second);
  const auto now = clock_();
  if (idle_after_ == 0 || now - used <= idle_after_) return at;
  if (!refreshed.lapses) return std::nullopt;
  return std::max(*at, now + idle_after_);
}

Result<void> Refresher::save(const ConnectionRow& row, Unsaved refreshed) {
  const auto refresh_at = next_refresh(row, refreshed);
  UnixTime used = row.last_used_at;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = used_.find(row.id); found != used_.end()) used = found->second;
  }
  const auto saved =
      store_.save_refresh(row.id, refreshed.token, refreshed.fields, refresh_at, used, clock_());
  if (!saved) {
    log(LogLevel::error, "refreshed_token_not_stored",
        {{"connection", row.id}, {"error", saved.error().message}});
    const auto again = clock_() + 5;
    {
      const std::lock_guard lock(mutex_);
      unsaved_[row.id] =
          std::move(refreshed);  // sealed; stored at the next try, before any request
    }
    if (timer_) timer_->expect(again);
    return saved.error();
  }
  if (!*saved) return no_such_connection(row.id);
  {
    const std::lock_guard lock(mutex_);
    holds_.erase(row.id);
  }
  if (refresh_at && timer_) timer_->expect(*refresh_at);
  return {};
}

Result<void> Refresher::failed(ConnectionRow row, const Error& error) {
  const auto now = clock_();
  const UnixTime asked = error.retry_after_s;
  const auto wait = std::max(back_off(++row.refresh_failures, chance()), asked);
  row.error_code = error.wire();
  row.error_message = error.message;
  row.refresh_at = now + wait;
  {
    const std::lock_guard lock(mutex_);
    // A long Retry-After binds the background; a person who insists may try sooner.
    holds_[row.id] = {now + std::max(std::min(wait, kLongestHold), asked),
                      asked > 0 && asked < kLongestHold ? now + asked : 0};
  }
  log(LogLevel::warn, "token_refresh_failed",
      {{"connection", row.id},
       {"provider", row.provider_name},
       {"error", error.message},
       {"again_in_s", std::to_string(wait)}});
  NEXUS_CHECK(store_.save_refresh_failure(row, now));
  // What ails the provider ails its other connections: they need not all find out.
  const bool of_provider = error.code == ErrorCode::upstream_error ||
                           error.code == ErrorCode::upstream_timeout ||
                           error.code == ErrorCode::provider_misconfigured;
  if (of_provider)
    NEXUS_CHECK(store_.postpone_refreshes(row.provider_id, now, now + std::min(wait, kOthersWait)));
  if (timer_) timer_->expect(*row.refresh_at);
  NEXUS_CHECK(audit_.commit({.event = "token_refresh_failed",
                             .outcome = "failure",
                             .connection_id = row.id,
                             .provider = row.provider_name,
                             .detail = error.message},
                            {}));
  return about(row, error);
}

Result<void> Refresher::over_for_good(const ConnectionRow& row, const std::string& cause,
                                      bool unanswered) {
  const auto now = clock_();
  log(LogLevel::warn, "attention_required",
      {{"connection", row.id}, {"provider", row.provider_name}, {"error", cause}});
  NEXUS_CHECK(store_.set_status(row.id, "attention_required",
                                info(ErrorCode::attention_required).wire, cause, now));
  std::vector<std::string> records{audit_.record({.event = "token_refresh_fatal",
                                                  .outcome = "failure",
                                                  .connection_id = row.id,
                                                  .provider = row.provider_name,
                                                  .detail = cause},
                                                 {})};
  if (!unanswered && now - row.last_refresh_at.value_or(0) < kSuspiciouslySoon)
    records.push_back(audit_.record({.event = "refresh_token_reuse_suspected",
                                     .outcome = "failure",
                                     .connection_id = row.id,
                                     .provider = row.provider_name,
                                     .detail = "rejected soon after a good refresh"},
                                    {}));
  NEXUS_CHECK(audit_.commit(records));
  if (on_attention_) on_attention_(row, cause);
  return needs_attention(row, cause);
}

}  // namespace nexus
