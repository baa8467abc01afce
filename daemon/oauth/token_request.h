#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/dialect.h"

namespace nexus::oauth {

/// What the requests to a token endpoint, a device authorization endpoint and a revocation endpoint
/// have in common: parameters, client authentication and the way errors are told (RFC 6749 2.3,
/// 5.2).

/// The parameters of a request's body, a form or (where a provider insists) JSON, in wiped memory.
class RequestBody {
 public:
  explicit RequestBody(Dialect::BodyFormat format = Dialect::BodyFormat::form);
  RequestBody& add(std::string_view name, std::string_view value);
  RequestBody& add(const std::map<std::string, std::string>& parameters);
  void put_into(OutgoingRequest& request) &&;

 private:
  bool json_;
  SecretText form_;
  SecretJsonWriter object_;
};

/// RFC 6749 5.2: the error of an answer, with an empty code when it is none.
struct OAuthError {
  std::string code;
  /// Code and description, or the words of a refusal that has no code; cleaned and without what we
  /// sent.
  std::string text;
};

/// An answer as it is read: its document, or why there is none, and the error that it tells.
struct OAuthAnswer {
  int status = 0;
  std::string content_type;
  int retry_after_s = 0;       ///< with 429 and 503
  JsonDocument document;       ///< null where it is none
  Secret refresh_token;        ///< that stands in one that is none, as far as that is beyond doubt
  bool of_other_type = false;  ///< its type is none that this provider may answer with: no error
                               ///< is read from it, and document_of refuses it
  OAuthError error;
};

/// Whether an OAuth error is the operator's to mend: the client is refused, or what it asks for.
bool is_configuration_error(const std::string& code);

/// The document of a good answer, or what an unusable one means: upstream_error (408, 429, 5xx),
/// provider_misconfigured (the client is refused), provider_rejected (any other OAuth error),
/// provider_protocol.
Result<JsonDocument> document_of(OAuthAnswer answer);

/// Retry-After (RFC 9110 10.2.3) in seconds from now: a number or an HTTP date, an hour at the
/// most; 0 for what is neither (F11).
int parse_retry_after(std::string_view header, UnixTime now);

}  // namespace nexus::oauth
