#include "daemon/oauth/client.h"
#include "daemon/oauth/token_request.h"

namespace nexus::oauth {

Revocation Client::revoke(const Secret& token, const char* token_type_hint) const {
  using Outcome = Revocation::Outcome;
  RequestBody body;
  body.add("token", token.expose()).add("token_type_hint", token_type_hint);
  const auto request = authenticated(endpoints_.revocation, std::move(body));
  if (!request) return {Outcome::refused, request.error().message};
  const auto answer = ask(*request, {token.expose(), secret_.expose()});
  if (!answer) return {Outcome::later, answer.error().message};
  if (answer->status == 200) return {};
  const auto said = "the revocation endpoint answered " + std::to_string(answer->status) +
                    (answer->error.code.empty() ? "" : " (" + answer->error.text + ")");
  if (answer->error.code == "unsupported_token_type") return {Outcome::unsupported, said};
  const bool in_trouble = answer->status == 408 || answer->status == 429 || answer->status >= 500;
  return {in_trouble ? Outcome::later : Outcome::refused, said, answer->retry_after_s};
}

}  // namespace nexus::oauth
