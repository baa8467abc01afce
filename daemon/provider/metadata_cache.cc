#include "daemon/provider/metadata_cache.h"

#include "daemon/metrics.h"

namespace nexus {
namespace {

constexpr UnixTime kMetadataLife = 24 * 3600;
constexpr UnixTime kKeysLife = 3600;
constexpr UnixTime kFailureLife = 60;
/// Somebody's token may wait for them, after all that its own request took.
constexpr long kKeysMs = 5'000;

/// A clock that went back makes old entries look new: they count as expired.
bool within(UnixTime since, UnixTime now, UnixTime life) {
  return now >= since && now - since < life;
}

}  // namespace

Result<std::optional<ProviderMetadata>> MetadataCache::metadata(const Provider& provider) {
  if (provider.issuer.empty() || !provider.enable_discovery)
    return std::optional<ProviderMetadata>();
  const auto now = wall_clock_();
  {
    const std::lock_guard lock(mutex_);
    const auto& cached = metadata_[provider.issuer];
    if (cached.good && within(cached.fetched_at, now, kMetadataLife)) return cached.good;
    if (cached.failure && within(cached.failed_at, now, kFailureLife) &&
        cached.failure->code == ErrorCode::provider_metadata_invalid)
      return *cached.failure;
  }
  const metrics::Timer timer;
  auto fetched =
      discover(provider.issuer, provider.allow_insecure_http, provider.addresses(), http_);
  metrics::discovered(fetched.ok(), timer);
  const std::lock_guard lock(mutex_);
  auto& cached = metadata_[provider.issuer];
  if (!fetched) {
    cached.failure = fetched.error();
    cached.failed_at = now;
    // Endpoints seldom move: an old document is better than none while the provider is away.
    if (cached.good && fetched.error().code != ErrorCode::provider_metadata_invalid)
      return cached.good;
    return std::move(fetched).error();
  }
  cached = {*std::move(fetched), now, std::nullopt, 0};
  return cached.good;
}

Result<MetadataCache::KeySet> MetadataCache::keys(const ProviderEndpoints& provider,
                                                  Freshness freshness) {
  const auto now = wall_clock_();
  {
    const std::lock_guard lock(mutex_);
    auto& cached = keys_[provider.jwks];
    const bool fresh = !cached.document.empty() && within(cached.fetched_at, now, kKeysLife);
    const bool tried_lately = within(cached.tried_at, now, kFailureLife);
    if (freshness == Freshness::cached_is_fine ? fresh : tried_lately && !cached.document.empty())
      return KeySet{cached.document, false};
    if (freshness == Freshness::newest) cached.tried_at = now;
  }
  OutgoingRequest request{
      .head = {.url = provider.jwks}, .addresses = provider.addresses, .total_ms = kKeysMs};
  request.head.headers.emplace_back("Accept", Secret("application/json"));
  const auto response = http_.send(request);
  const std::lock_guard lock(mutex_);
  auto& cached = keys_[provider.jwks];
  if (!response || response->status != 200) {
    if (!cached.document.empty() && freshness == Freshness::cached_is_fine)
      return KeySet{cached.document, true};
    if (!response) return response.error();
    return Error{ErrorCode::upstream_error,
                 "the provider's key set answered " + std::to_string(response->status),
                 "try again later"};
  }
  cached.document = response->body;
  cached.fetched_at = now;
  return KeySet{cached.document, true};
}

Result<IdTokenClaims> MetadataCache::verify(const ProviderEndpoints& provider,
                                            const TokenResponse& response,
                                            IdTokenExpectation expected) {
  const auto refused = [](const std::string& reason) {
    return Error{ErrorCode::invalid_id_token, "the id_token is refused: " + reason,
                 "check the provider's issuer and this machine's clock"};
  };
  expected.issuer = provider.issuer;
  expected.client_id = provider.client_id;
  expected.algorithms = provider.id_token_algorithms;
  expected.access_token = response.access_token.expose();
  expected.now = wall_clock_();
  const auto id_token = response.id_token.expose();
  if (provider.jwks.empty()) return refused("the provider publishes no keys (jwks_uri)");
  const metrics::Timer timer;
  NEXUS_TRY(const auto known, keys(provider, Freshness::cached_is_fine));
  auto result = verify_id_token(id_token, known.document, expected);
  if (!result.claims && result.fault == IdTokenFault::unknown_key && !known.asked_just_now) {
    NEXUS_TRY(const auto newest, keys(provider, Freshness::newest));
    if (newest.document != known.document)
      result = verify_id_token(id_token, newest.document, expected);
  }
  metrics::id_token_verified(result.claims.has_value(), timer);
  if (!result.claims) return refused(result.reason);
  return *std::move(result.claims);
}

}  // namespace nexus
