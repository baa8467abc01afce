#include "tests/support/authorization_server.h"

#include <utility>

namespace nexus::test {

using Json = nlohmann::json;

IncomingResponse json_answer(int status, const Json& body) {
  return {status, {{"content-type", "application/json"}}, SecretText(body.dump())};
}

void AuthorizationServer::behave(const Manners& manners) {
  const std::lock_guard lock(mutex_);
  manners_ = manners;
}

std::string AuthorizationServer::consent(const std::string& nonce) {
  const std::lock_guard lock(mutex_);
  const auto code = "code-" + std::to_string(++codes_);
  consented_[code] = {.nonce = nonce, .openid = !nonce.empty()};
  return code;
}

std::string AuthorizationServer::grant_elsewhere() {
  const std::lock_guard lock(mutex_);
  grants_.push_back({.refresh_token = new_refresh_token()});
  return grants_.back().refresh_token;
}

bool AuthorizationServer::takes(const std::string& refresh_token) const {
  const std::lock_guard lock(mutex_);
  for (const auto& grant : grants_)
    if (grant.refresh_token == refresh_token) return !grant.over;
  return false;
}

IncomingResponse AuthorizationServer::answer(const SeenRequest& request) {
  const std::lock_guard lock(mutex_);
  if (request.path == "/token") return token(request);
  if (request.path == "/revoke") return revoke(request);
  if (request.path == "/userinfo") return json_answer(200, {{"sub", manners_.subject}});
  if (request.path == "/.well-known/openid-configuration") return metadata(request);
  if (request.path == "/jwks") {
    auto keys = json_answer(200, {});
    keys.body = SecretText(signer_.key_set());
    return keys;
  }
  return json_answer(404, {{"error", "not_found"}});
}

IncomingResponse AuthorizationServer::answer_at(const SeenRequest& request, UnixTime now) {
  const auto right = std::exchange(clock_, [now] { return now; });
  auto answered = answer(request);
  clock_ = right;
  return answered;
}

IncomingResponse AuthorizationServer::token(const SeenRequest& request) {
  const auto grant_type = request["grant_type"];
  if (grant_type == "refresh_token") return refresh(request);
  if (grant_type == "client_credentials") return json_answer(200, tokens(request));
  auto consent = consented_.extract(request["code"]);
  if (!consent) return json_answer(400, {{"error", "invalid_grant"}});
  auto& grant = grants_.emplace_back(std::move(consent.mapped()));
  auto body = tokens(request);
  if (manners_.refresh_tokens) body["refresh_token"] = grant.refresh_token = new_refresh_token();
  if (grant.openid) body["id_token"] = id_token(request, grant.nonce);
  return json_answer(200, body);
}

IncomingResponse AuthorizationServer::refresh(const SeenRequest& request) {
  const auto token = request["refresh_token"];
  auto* grant = grant_of(token);
  const bool replaced = grant && grant->refresh_token != token;
  if (replaced && !manners_.forgives) grant->over = true;
  if (!grant || grant->over) return json_answer(400, {{"error", "invalid_grant"}});
  auto body = tokens(request);
  if (manners_.rotates && !replaced) {
    grant->replaced = token;
    grant->refresh_token = new_refresh_token();
  }
  if (manners_.rotates) body["refresh_token"] = grant->refresh_token;
  // OpenID Connect Core 12.2: it need not repeat the nonce.
  if (grant->openid) body["id_token"] = id_token(request, "");
  return json_answer(200, body);
}

IncomingResponse AuthorizationServer::revoke(const SeenRequest& request) {
  if (auto* grant = grant_of(request["token"])) grant->over = true;
  return json_answer(200, Json::object());
}

Json AuthorizationServer::tokens(const SeenRequest& request) {
  Json body{{"access_token", "at-" + std::to_string(++access_tokens_)}, {"token_type", "Bearer"}};
  if (manners_.lifetime) body["expires_in"] = *manners_.lifetime;
  if (!manners_.scope.empty()) body["scope"] = manners_.scope;
  if (request.has("scope")) body["scope"] = request["scope"];
  return body;
}

std::string AuthorizationServer::new_refresh_token() {
  return "rt-" + std::to_string(++refresh_tokens_);
}

std::string AuthorizationServer::id_token(const SeenRequest& request,
                                          const std::string& nonce) const {
  const auto now = clock_();
  Json claims{{"iss", "https://" + request.host},
              {"sub", manners_.subject},
              {"aud", "client-1"},
              {"iat", now},
              {"exp", now + 600}};
  if (!nonce.empty()) claims["nonce"] = nonce;
  return signer_.sign(claims);
}

IncomingResponse AuthorizationServer::metadata(const SeenRequest& request) const {
  const auto issuer = "https://" + request.host;
  return json_answer(200, {{"issuer", issuer},
                           {"authorization_endpoint", issuer + "/authorize"},
                           {"token_endpoint", issuer + "/token"},
                           {"revocation_endpoint", issuer + "/revoke"},
                           {"jwks_uri", issuer + "/jwks"},
                           {"id_token_signing_alg_values_supported", {"EdDSA"}},
                           {"authorization_response_iss_parameter_supported", manners_.sends_iss}});
}

AuthorizationServer::Grant* AuthorizationServer::grant_of(const std::string& refresh_token) {
  for (auto& grant : grants_)
    if (grant.refresh_token == refresh_token || grant.replaced == refresh_token) return &grant;
  return nullptr;
}

}  // namespace nexus::test
