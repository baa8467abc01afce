#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "daemon/oauth/client.h"
#include "daemon/oauth/token_request.h"

namespace nexus {
namespace oauth {
namespace {

/// An answer's tokens, or what it says went wrong.
Result<TokenResponse> read_tokens(OAuthAnswer answer, const Dialect& dialect, UnixTime now) {
  NEXUS_TRY(auto document, document_of(std::move(answer)));
  return read_token_response(document, dialect, now);
}

/// The refresh token that an answer brings, whatever its status of success or its type.
Result<Secret> new_refresh_token(OAuthAnswer& answer, const Dialect& dialect) {
  const bool good = answer.status >= 200 && answer.status < 300;
  if (!good || !answer.document) return Secret();
  return take_refresh_token(*answer.document, dialect);
}

void add_target(RequestBody& body, const TokenTarget& target, const Dialect& dialect) {
  if (!target.scopes.empty())
    body.add("scope", join(split(target.scopes, ' '), dialect.scope_separator));
  if (!target.audience.empty()) body.add(dialect.audience_parameter, target.audience);
}

/// What a target is refused for says nothing about the rest of the grant. RFC 6749 5.2, RFC 8707 2.
std::optional<Error> target_refused(const OAuthAnswer& answer, const TokenTarget& target) {
  const auto& error = answer.error;
  if (target.is_everything() || (error.code != "invalid_scope" && error.code != "invalid_target"))
    return std::nullopt;
  return Error{ErrorCode::scope_not_allowed,
               "the provider gives no token (" + describe(target) + "): " + error.text,
               "ask for less, or connect anew with more"};
}

/// What the provider says when a refresh token is over for good (F9).
bool ends_grant(const OAuthAnswer& answer, const Dialect& dialect) {
  const auto& error = answer.error;
  const auto& others = dialect.invalid_grant_errors;
  const bool said = error.code == "invalid_grant" ||
                    std::find(others.begin(), others.end(), error.code) != others.end() ||
                    (answer.status == 401 && error.code == "invalid_token");
  return said && (answer.status == 200 || answer.status == 400 || answer.status == 401);
}

}  // namespace

Result<TokenResponse> Client::exchange(const AuthorizationCode& code) const {
  RequestBody body(dialect_.token_request_format);
  body.add("grant_type", "authorization_code")
      .add("code", code.code.expose())
      .add("redirect_uri", code.redirect_uri)
      .add(dialect_.token_params);
  if (!code.code_verifier.empty()) body.add("code_verifier", code.code_verifier.expose());
  NEXUS_TRY(const auto request, authenticated(endpoints_.token, std::move(body)));
  NEXUS_TRY(auto answer,
            ask(request, {code.code.expose(), code.code_verifier.expose(), secret_.expose()}));
  return read_tokens(std::move(answer), dialect_, wall_clock_());
}

Result<RefreshAnswer> Client::refresh(const Secret& token, const TokenTarget& target) const {
  RequestBody body(dialect_.token_request_format);
  body.add("grant_type", "refresh_token")
      .add("refresh_token", token.expose())
      .add(dialect_.refresh_params);
  add_target(body, target, dialect_);
  const auto& url = endpoints_.refresh.empty() ? endpoints_.token : endpoints_.refresh;
  NEXUS_TRY(const auto request, authenticated(url, std::move(body)));
  NEXUS_TRY(auto answer, ask(request, {token.expose(), secret_.expose()}));
  if (auto refused = target_refused(answer, target)) return *std::move(refused);
  if (ends_grant(answer, dialect_)) return RefreshAnswer(GrantOver{answer.error.text});
  // Before anything of the answer is judged.
  NEXUS_TRY(auto rotated, new_refresh_token(answer, dialect_));
  auto tokens = read_tokens(std::move(answer), dialect_, wall_clock_());
  if (tokens) {
    tokens->refresh_token = std::move(rotated);
    return RefreshAnswer(*std::move(tokens));
  }
  // Any other refusal says nothing about the grant: a later try may do.
  auto& error = tokens.error();
  if (error.code == ErrorCode::provider_rejected) error.code = ErrorCode::upstream_error;
  if (rotated.empty()) return std::move(error);
  return RefreshAnswer(OnlyRefreshToken{std::move(rotated), std::move(error)});
}

Result<TokenResponse> Client::as_client(const std::string& scopes,
                                        const TokenTarget& target) const {
  RequestBody body(dialect_.token_request_format);
  body.add("grant_type", wire_name(grant_)).add(dialect_.token_params);
  const TokenTarget wanted{target.scopes.empty() ? scopes : target.scopes, target.audience};
  add_target(body, wanted, dialect_);
  Secret assertion;
  if (grant_ == GrantType::jwt_bearer) {
    NEXUS_TRY(assertion, grant_assertion(wanted.scopes));
    body.add("assertion", assertion.expose());
  }
  NEXUS_TRY(const auto request, authenticated(endpoints_.token, std::move(body)));
  NEXUS_TRY(auto answer, ask(request, {secret_.expose(), assertion.expose()}));
  if (auto refused = target_refused(answer, target)) return *std::move(refused);
  auto tokens = read_tokens(std::move(answer), dialect_, wall_clock_());
  if (tokens) tokens->refresh_token = Secret();
  if (!tokens && tokens.error().code == ErrorCode::provider_rejected) {
    tokens.error().code = ErrorCode::provider_misconfigured;
    tokens.error().hint = "correct the client: nexus provider edit NAME";
  }
  return tokens;
}

}  // namespace oauth

std::string describe(const TokenTarget& target) {
  std::string text;
  if (!target.scopes.empty()) text = "scope " + printable(target.scopes, 200);
  if (!target.audience.empty())
    text += (text.empty() ? "for " : " for ") + printable(target.audience, 200);
  return text;
}

}  // namespace nexus
