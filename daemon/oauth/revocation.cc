#include "daemon/oauth/revocation.h"

#include "daemon/oauth/token_request.h"

namespace nexus {

Revocation revoke_token(const ProviderEndpoints& provider, const Secret& client_secret,
                        const Secret& token, const char* token_type_hint, HttpClient& http) {
  RequestBody body;
  body.add("token", token.expose()).add("token_type_hint", token_type_hint);
  const auto request = authenticated(provider, client_secret, provider.revocation, std::move(body));
  if (!request) return {false, request.error().message};
  const auto answer =
      ask(*request, provider.dialect, {token.expose(), client_secret.expose()}, http);
  if (!answer) return {false, answer.error().message};
  if (answer->status == 200) return {true, ""};
  return {false, "the revocation endpoint answered " + std::to_string(answer->status) +
                     (answer->error.code.empty() ? "" : " (" + answer->error.text + ")")};
}

}  // namespace nexus
