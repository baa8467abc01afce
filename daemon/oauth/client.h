#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/device_authorization.h"
#include "daemon/oauth/dialect.h"
#include "daemon/oauth/endpoints.h"
#include "daemon/oauth/token_response.h"

namespace nexus {

/// What one token is to be good for, where that is less (or other) than all that was granted.
struct TokenTarget {
  std::string scopes;    ///< separated by blanks; "" for those that were granted
  std::string audience;  ///< the API it is for (RFC 8707), "" for the provider's usual one

  bool is_everything() const { return scopes.empty() && audience.empty(); }
  friend bool operator==(const TokenTarget&, const TokenTarget&) = default;
};

/// "scope … for …", for records and messages; "" for everything.
std::string describe(const TokenTarget& target);

namespace oauth {

class RequestBody;
struct OAuthAnswer;

/// An authorization code with what has to go back to the server with it.
struct AuthorizationCode {
  const Secret& code;
  const Secret& code_verifier;  ///< empty where no challenge was sent
  std::string redirect_uri;     ///< as the authorization request had it
};

/// The provider says that the grant is over for good.
struct GrantOver {
  std::string reason;  ///< code and description, cleaned and without what we sent
};
/// An answer that is of no use but for the refresh token in it, which is the only one left.
struct OnlyRefreshToken {
  Secret refresh_token;
  Error error;  ///< what is wrong with the rest
};
using RefreshAnswer = std::variant<TokenResponse, GrantOver, OnlyRefreshToken>;

/// What one poll of a device flow brought (RFC 8628 3.5).
struct DevicePoll {
  std::optional<TokenResponse> tokens;  ///< nothing: the person has not answered yet
  bool slow_down = false;               ///< five seconds more between polls, from now on
  std::string refused;  ///< the OAuth error that ends it (access_denied, expired_token, …)
  std::string message;  ///< the same for people
};

/// What came of asking a provider to forget a token (RFC 7009 2.2, H6).
struct Revocation {
  enum class Outcome {
    revoked,      ///< it answered 200, and nothing else counts as that
    unsupported,  ///< it revokes no tokens of this type
    later,        ///< the token still exists: to be tried again
    refused,      ///< it says no
  };
  Outcome outcome = Outcome::revoked;
  std::string error;  ///< why it was not
  int retry_after_s = 0;
};

/// What a userinfo endpoint (OpenID Connect Core 5.3), or an API's own "who am I", tells.
struct UserInfo {
  std::string subject;  ///< "" where it names none, as plain OAuth APIs do
  std::string account;  ///< for people
};

/// Our client at one provider: its endpoints, its secret and the dialect that is spoken there. Made
/// for one operation. Each call is one request that ends in a result; it blocks on the network. It
/// holds nothing that changes, so calls may run side by side.
///
/// Common errors: provider_misconfigured (the provider does not know this client, or refuses it the
/// grant), provider_rejected (any other OAuth error), upstream_error and upstream_timeout (network,
/// 408, 429, 5xx, with the time to wait), provider_protocol (an answer that the RFCs do not allow).
class Client {
 public:
  /// `wall_clock`: what the provider dates, and what is dated for it, is held against other
  /// people's clocks.
  Client(ProviderEndpoints endpoints, Dialect dialect, GrantType grant, Secret secret,
         HttpClient& http, Clock wall_clock);

  const ProviderEndpoints& endpoints() const { return endpoints_; }
  const Dialect& dialect() const { return dialect_; }
  GrantType grant() const { return grant_; }

  /// Exchanges an authorization code for tokens (RFC 6749 4.1.3, RFC 7636 4.5). Sends exactly one
  /// request and never repeats it: a code is single-use, and a repeat can revoke what the first one
  /// issued.
  Result<TokenResponse> exchange(const AuthorizationCode& code) const;

  /// Uses a refresh token (RFC 6749 6). GrantOver only for invalid_grant, 401 invalid_token, what
  /// the dialect adds to them, and refusals that say as much in other words (F9); OnlyRefreshToken
  /// where the answer is not usable otherwise (F2). After an error the refresh token is as good as
  /// before, unless the request may have arrived without an answer. With a `target` the access
  /// token is for that alone; the refresh token stays whole. Error then: scope_not_allowed, which
  /// says nothing about the grant. Takes `total_ms` at the most.
  Result<RefreshAnswer> refresh(const Secret& token, const TokenTarget& target = {},
                                long total_ms = kExchangeMs) const;

  /// Asks for a token that the client may have without a person: client credentials (RFC 6749 4.4)
  /// or an assertion as the grant (RFC 7523 2.1), as the provider's grant says. `scopes` are the
  /// usual ones, which a `target` may replace. There is no refresh token: one that comes is ignored
  /// (RFC 6749 4.4.3). Errors: provider_misconfigured for whatever the provider refuses, since only
  /// the registration can be what is wrong; scope_not_allowed as above.
  Result<TokenResponse> as_client(const std::string& scopes, const TokenTarget& target = {}) const;

  /// Asks for a code that a person enters on another device (RFC 8628 3.1).
  Result<DeviceAuthorization> start_device(
      const std::string& scopes,
      const std::vector<std::pair<std::string, std::string>>& extra) const;
  /// Asks once whether they have. Errors are those after which asking goes on: upstream_error,
  /// upstream_timeout, provider_protocol.
  Result<DevicePoll> poll_device(const Secret& device_code) const;

  /// Asks the provider to forget a token (RFC 7009). It travels in the body.
  Revocation revoke(const Secret& token, const char* token_type_hint) const;

  /// Asks with the token in the Authorization header; `headers` are added. Answers within 5 s or
  /// not at all: nothing that matters hangs on it.
  Result<UserInfo> userinfo(const Secret& access_token,
                            const std::map<std::string, std::string>& headers) const;

 private:
  /// A POST of `body` to `url`, with the client's authentication (RFC 6749 2.3; one method, never
  /// two).
  Result<OutgoingRequest> authenticated(const std::string& url, RequestBody body) const;
  /// Sends the request and reads the answer, whatever its status. `sent` are the secrets that must
  /// not come back in a message. Errors: those of HttpClient.
  Result<OAuthAnswer> ask(const OutgoingRequest& request,
                          const std::vector<std::string_view>& sent) const;
  Result<Secret> grant_assertion(const std::string& scopes) const;
  /// Whom an assertion is meant for: the authorization server, by its issuer where it has one. One
  /// text and never the endpoint of a server with an issuer: else one server could use at another
  /// what it was sent (draft-ietf-oauth-rfc7523bis).
  std::string assertion_audience() const;

  ProviderEndpoints endpoints_;
  Dialect dialect_;
  GrantType grant_;
  Secret secret_;
  HttpClient& http_;
  Clock wall_clock_;
};

}  // namespace oauth
}  // namespace nexus
