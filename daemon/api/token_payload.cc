#include "daemon/api/token_payload.h"

#include <algorithm>

#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/strategy/credential_schema.h"

namespace nexus::api {
namespace {

void write_credential(SecretJsonWriter& json, const FetchedToken& token) {
  json.member("access_token", token.access_token.expose())
      .member("token_type", token.facts.token_type)
      .member("scope", token.facts.scopes);
  if (!token.id_token.empty()) json.member("id_token", token.id_token.expose());
}

/// A static credential has no expiry; its `config` says where it goes.
SecretText static_payload(const FetchedToken& token, const Strategy& strategy, bool flat_secret) {
  SecretJsonWriter json;
  json.begin();
  json.member_json("strategy", strategy.to_json());
  json.member_json("credentials", token.document.expose());
  if (const auto field = strategy.credential_field(); flat_secret && !field.empty())
    if (const auto values = credentials_from_document(token.document.expose()))
      json.member("access_token", credential(*values, field));
  json.member("provider", token.provider)
      .member("connection_id", token.connection_id)
      .member("health_status", "healthy")
      .end();
  return json.take();
}

/// `expiry` writes expires_at in the form that the answer wants. A token that does not expire has
/// none: no null, no 0.
template <class Expiry>
SecretText payload(const FetchedToken& token, UnixTime now, const Expiry& expiry) {
  const auto& expires_at = token.facts.expires_at;
  SecretJsonWriter json;
  json.begin();
  json.begin("strategy").member("type", "oauth2").end();
  json.begin("credentials");
  write_credential(json, token);
  if (expires_at) json.member("expires_at", expiry(*expires_at));
  json.end();
  if (expires_at) {
    json.member("expires_at", expiry(*expires_at));
    json.member("expires_in", std::max<UnixTime>(0, *expires_at - now));
  }
  write_credential(json, token);
  if (!token.facts.token_fields.empty()) json.member_json("token_fields", token.facts.token_fields);
  json.member("provider", token.provider)
      .member("connection_id", token.connection_id)
      .member("health_status", "healthy")
      .end();
  return json.take();
}

}  // namespace

SecretText token_payload(const FetchedToken& token, UnixTime now) {
  if (token.strategy) return static_payload(token, *token.strategy, false);
  return payload(token, now, [](UnixTime time) { return time; });
}

SecretText bridge_payload(const FetchedToken& token, UnixTime now) {
  if (token.strategy) return static_payload(token, token.strategy->by_placement(), true);
  return token_payload(token, now);
}

SecretText resolve_payload(const FetchedToken& token, UnixTime now) {
  if (token.strategy) return bridge_payload(token, now);
  return payload(token, now, [](UnixTime time) { return rfc3339(time); });
}

}  // namespace nexus::api
