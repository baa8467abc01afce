#pragma once

#include <map>
#include <mutex>
#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/discovery.h"
#include "daemon/oauth/id_token.h"
#include "daemon/oauth/token_response.h"
#include "daemon/provider/provider.h"

namespace nexus {

/// What providers publish about themselves, kept: metadata for a day, key sets for an hour,
/// failures for a minute (they do not evict what is good). Thread-safe; blocks on the network.
class MetadataCache {
 public:
  /// `wall_clock`: id_tokens are dated by other people's clocks.
  MetadataCache(HttpClient& http, Clock wall_clock)
      : http_(http), wall_clock_(std::move(wall_clock)) {}

  /// Nothing for a provider without issuer or with discovery switched off.
  Result<std::optional<ProviderMetadata>> metadata(const Provider& provider);

  /// Verifies the id_token of an answer with the provider's keys; fetches them once more when none
  /// fits, at most once a minute for each key set. `expected` is what the flow or connection adds
  /// to what the endpoints tell. Errors: invalid_id_token, or the fetch's own.
  Result<IdTokenClaims> verify(const ProviderEndpoints& provider, const TokenResponse& response,
                               IdTokenExpectation expected);

 private:
  struct CachedMetadata {
    std::optional<ProviderMetadata> good;
    UnixTime fetched_at = 0;
    std::optional<Error> failure;
    UnixTime failed_at = 0;
  };
  struct CachedKeys {
    std::string document;
    UnixTime fetched_at = 0;
    UnixTime tried_at = 0;  ///< when an unknown kid last made us ask again
  };
  enum class Freshness { cached_is_fine, newest };
  struct KeySet {
    std::string document;
    bool asked_just_now = false;  ///< no need to ask again
  };
  Result<KeySet> keys(const ProviderEndpoints& provider, Freshness freshness);

  HttpClient& http_;
  Clock wall_clock_;
  std::mutex mutex_;
  std::map<std::string, CachedMetadata> metadata_;
  std::map<std::string, CachedKeys> keys_;
};

}  // namespace nexus
