#include <algorithm>
#include <initializer_list>

#include "common/text.h"
#include "daemon/oauth/client.h"
#include "daemon/oauth/token_request.h"

namespace nexus {
namespace oauth {
namespace {

/// An answer's tokens, or what it says went wrong.
Result<TokenResponse> read_tokens(OAuthAnswer answer, const Dialect& dialect, UnixTime now) {
  NEXUS_TRY(auto document, document_of(std::move(answer)));
  return read_token_response(*document, dialect, now);
}

/// The refresh token that an answer brings, whatever its status of success or its type.
Result<Secret> new_refresh_token(OAuthAnswer& answer, const Dialect& dialect) {
  const bool good = answer.status >= 200 && answer.status < 300;
  if (!good) return Secret();
  if (!answer.document) return std::move(answer.refresh_token);
  return take_refresh_token(*answer.document, dialect);
}

void add_target(RequestBody& body, const TokenTarget& target, const Dialect& dialect) {
  if (!target.scopes.empty())
    body.add("scope", join(split(target.scopes, ' '), dialect.scope_separator));
  if (!target.audience.empty()) body.add(dialect.audience_parameter, target.audience);
}

bool is_one_of(const std::string& code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

/// What only a person can give, at the provider (OpenID Connect Core 3.1.2.6, as token endpoints
/// say it, too; mfa_required is Auth0's).
bool needs_person(const std::string& code) {
  return is_one_of(
      code, {"interaction_required", "login_required", "consent_required",
             "account_selection_required", "unmet_authentication_requirements", "mfa_required"});
}

/// What a target is refused for says nothing about the rest of the grant. RFC 6749 5.2, RFC 8707 2.
std::optional<Error> target_refused(const OAuthAnswer& answer, const TokenTarget& target) {
  const auto& error = answer.error;
  if (target.is_everything() ||
      !(is_one_of(error.code, {"invalid_scope", "invalid_target"}) || needs_person(error.code)))
    return std::nullopt;
  return Error{ErrorCode::scope_not_allowed,
               "the provider gives no token (" + describe(target) + "): " + error.text,
               "ask for less, or connect anew with more"};
}

/// Words that servers have for invalid_grant, and that leave no doubt of which grant they mean.
bool names_refresh_token(const std::string& code) {
  return is_one_of(code, {"bad_refresh_token", "invalid_refresh_token", "expired_refresh_token",
                          "revoked_refresh_token", "refresh_token_expired", "refresh_token_invalid",
                          "refresh_token_revoked"});
}

/// Some have no code of their own for it, but say in words that the grant was revoked. What is said
/// of a client, or of its keys, is the operator's to mend.
bool says_revoked(const OAuthError& error) {
  const auto words = lower(error.text);
  const auto speaks_of = [&](const char* what) { return words.find(what) != std::string::npos; };
  return speaks_of("revoked") && !speaks_of("client") && !speaks_of("key") &&
         (speaks_of("token") || speaks_of("grant") || speaks_of("authorization") ||
          speaks_of("access") || speaks_of("consent") || speaks_of("session"));
}

/// What the provider says when a refresh token is over for good (F9). With 408, 429 and 5xx it says
/// nothing about the grant, whatever it says.
bool ends_grant(const OAuthAnswer& answer, const Dialect& dialect) {
  const auto status = answer.status;
  const auto& code = answer.error.code;
  if (status == 408 || status == 429 || status >= 500) return false;
  const auto& others = dialect.invalid_grant_errors;
  return code == "invalid_grant" || names_refresh_token(code) || needs_person(code) ||
         std::find(others.begin(), others.end(), code) != others.end() ||
         (status == 401 && code == "invalid_token") ||
         (status >= 400 && !is_configuration_error(code) && says_revoked(answer.error));
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

Result<RefreshAnswer> Client::refresh(const Secret& token, const TokenTarget& target,
                                      long total_ms) const {
  RequestBody body(dialect_.token_request_format);
  body.add("grant_type", "refresh_token")
      .add("refresh_token", token.expose())
      .add(dialect_.refresh_params);
  add_target(body, target, dialect_);
  const auto& url = endpoints_.refresh.empty() ? endpoints_.token : endpoints_.refresh;
  NEXUS_TRY(auto request, authenticated(url, std::move(body)));
  request.total_ms = total_ms;
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
    tokens.error().hint = "correct the client: nexus provider edit PROVIDER";
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
