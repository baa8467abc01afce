#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/oauth/token_response.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/providers.h"
#include "daemon/scheduler/due_timer.h"
#include "daemon/store/store.h"
#include "daemon/token/downscoped_tokens.h"
#include "daemon/token/per_host_limit.h"
#include "daemon/token/revocations.h"
#include "daemon/token/single_flight.h"
#include "daemon/vault/sealed_fields.h"
#include "daemon/vault/vault.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Refreshes tokens: one refresh in flight for each connection, whoever asks (security.md F1 to
/// F5), few at a time for each token endpoint's host (F17), and none while the last failure says to
/// wait (F10, F11). A refresh token that is about to be sent is on record before it leaves, and a
/// new one is stored before anybody hears of it. Thread-safe.
class Refresher {
 public:
  Refresher(Store& store, const Vault& vault, Providers& providers, MetadataCache& metadata,
            HttpClient& http, Audit& audit, WorkerPool& workers, DownscopedTokens& downscoped,
            Revocations& revocations, Clock clock, UnixTime idle_after);

  /// Both are set once, before anything is refreshed: whom to tell when something is due, and that
  /// a connection needs a person now (and why).
  void use_timer(DueTimer& timer) { timer_ = &timer; }
  using OnAttention = std::function<void(const ConnectionRow&, const std::string& cause)>;
  void on_attention(OnAttention tell) { on_attention_ = std::move(tell); }

  /// Joins the connection's flight, or begins one. `waiter.done` is called later, on a worker's
  /// thread: without error also where a refresh was no longer needed. What is refreshed for a
  /// target of its own is found in DownscopedTokens then. Errors: attention_required,
  /// no_refresh_token, provider_misconfigured, upstream_error (with the time to wait), …
  void join(const std::string& connection_id, SingleFlight::Waiter waiter);
  bool is_under_way(const std::string& connection_id) {
    return flights_.is_under_way(connection_id);
  }

  /// Somebody used the connection now.
  void note_use(const std::string& connection_id);

 private:
  /// A refreshed token that could not be stored (disk full): kept until it can be.
  struct Unsaved {
    TokenFacts token;
    std::vector<SealedField> fields;
    bool lapses = true;  ///< the grant ends when it is not used for long
  };
  /// Where a refresh goes and what it is for.
  struct Errand {
    ConnectionRow row;
    ProviderWithSecret provider;
    ProviderEndpoints endpoints;
    SealedFields fields;
    TokenTarget target;
  };
  /// What the last failure asks for. Only in memory: a restart may cost one request more.
  struct Hold {
    UnixTime until = 0;  ///< for fetches; the background has refresh_at
    UnixTime asked = 0;  ///< by Retry-After, for forced refreshes too
  };

  void take_off(const std::string& connection_id, bool background);
  void fly(const std::string& connection_id, const std::string& host);
  Result<void> attempt(const std::string& connection_id, const TokenTarget& target);
  std::optional<Error> told_to_wait(const ConnectionRow& row);
  bool anybody_needs(const ConnectionRow& row, const TokenTarget& target);
  Result<void> refresh_now(const ConnectionRow& row, const TokenTarget& target);
  Result<void> ask_as_client(const Errand& errand);
  Result<void> use_refresh_token(const Errand& errand, const Secret& token);
  Result<void> store_refreshed(const Errand& errand, const TokenResponse& response,
                               UnixTime sent_at);
  Result<void> check_identity(const Errand& errand, const TokenResponse& response);
  Result<void> save(const ConnectionRow& row, Unsaved refreshed);
  std::optional<UnixTime> next_refresh(const ConnectionRow& row, const Unsaved& refreshed);
  Result<void> failed(ConnectionRow row, const Error& error);
  Result<void> over_for_good(const ConnectionRow& row, const std::string& cause, bool unanswered);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  MetadataCache& metadata_;
  HttpClient& http_;
  Audit& audit_;
  WorkerPool& workers_;
  Clock clock_;
  UnixTime idle_after_;
  DueTimer* timer_ = nullptr;
  OnAttention on_attention_;
  PerHostLimit per_host_;
  DownscopedTokens& downscoped_;
  Revocations& revocations_;
  SingleFlight flights_;
  std::mutex mutex_;
  std::map<std::string, Unsaved> unsaved_;
  std::map<std::string, Hold> holds_;
  std::map<std::string, UnixTime> used_;
};

/// A number from 0 to 1, evenly spread.
double chance();

/// The error of a connection that has no token to give, nothing for an active one.
std::optional<Error> not_active(const ConnectionRow& row);

bool asked_for_openid(const ConnectionRow& row);

/// Whether a token is good for that many seconds more, as far as anybody can know.
bool is_enough(const TokenFacts& token, UnixTime wanted, UnixTime now);

}  // namespace nexus
