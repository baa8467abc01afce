#include "daemon/oauth/client.h"

#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/oauth/client_assertion.h"
#include "daemon/oauth/token_request.h"

namespace nexus::oauth {

Client::Client(ProviderEndpoints endpoints, Dialect dialect, GrantType grant, Secret secret,
               HttpClient& http, Clock wall_clock)
    : endpoints_(std::move(endpoints)),
      dialect_(std::move(dialect)),
      grant_(grant),
      secret_(std::move(secret)),
      http_(http),
      wall_clock_(std::move(wall_clock)) {}

std::string Client::assertion_audience() const {
  if (!dialect_.assertion_audience.empty()) return dialect_.assertion_audience;
  return endpoints_.issuer.empty() ? endpoints_.token : endpoints_.issuer;
}

Result<OutgoingRequest> Client::authenticated(const std::string& url, RequestBody body) const {
  OutgoingRequest request{.head = {.method = "POST", .url = url},
                          .addresses = endpoints_.addresses};
  request.head.headers.emplace_back("Accept", Secret("application/json"));
  switch (endpoints_.client_auth) {
    case ClientAuthMethod::client_secret_basic: {
      // RFC 6749 2.3.1: both are form-encoded before they are joined.
      auto pair = form_encode(endpoints_.client_id) + ":" + form_encode(secret_.expose());
      auto header = "Basic " + base64(pair);
      request.head.headers.emplace_back("Authorization", Secret(header));
      wipe(pair);
      wipe(header);
      break;
    }
    case ClientAuthMethod::client_secret_post:
      body.add("client_id", endpoints_.client_id).add("client_secret", secret_.expose());
      break;
    case ClientAuthMethod::private_key_jwt: {
      NEXUS_TRY(const auto assertion, sign_assertion({.issuer = endpoints_.client_id,
                                                      .subject = endpoints_.client_id,
                                                      .audience = assertion_audience(),
                                                      .key_id = dialect_.key_id,
                                                      .pss = dialect_.pss()},
                                                     secret_, wall_clock_()));
      body.add("client_id", endpoints_.client_id)
          .add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
          .add("client_assertion", assertion.expose());
      break;
    }
    case ClientAuthMethod::none:
      body.add("client_id", endpoints_.client_id);
      break;
  }
  std::move(body).put_into(request);
  return request;
}

/// RFC 7523 2.1: the client asks for itself or, where the provider lets it, for somebody.
Result<Secret> Client::grant_assertion(const std::string& scopes) const {
  const auto& subject = dialect_.assertion_subject;
  return sign_assertion({.issuer = endpoints_.client_id,
                         .subject = subject.empty() ? endpoints_.client_id : subject,
                         .audience = assertion_audience(),
                         .scopes = scopes,
                         .key_id = dialect_.key_id,
                         .pss = dialect_.pss()},
                        secret_, wall_clock_());
}

}  // namespace nexus::oauth
