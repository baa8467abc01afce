// The device authorization grant (RFC 8628): the person consents on another device, with a short
// code, and the client asks now and then whether they have.
#include "common/text.h"
#include "daemon/oauth/client.h"
#include "daemon/oauth/error_words.h"
#include "daemon/oauth/token_request.h"

namespace nexus::oauth {

Result<DeviceAuthorization> Client::start_device(
    const std::string& scopes,
    const std::vector<std::pair<std::string, std::string>>& extra) const {
  RequestBody body;
  if (!scopes.empty()) body.add("scope", join(split(scopes, ' '), dialect_.scope_separator));
  for (const auto& [name, value] : extra) body.add(name, value);
  // RFC 8628 3.1: client_id is a parameter here, whatever the authentication.
  if (endpoints_.client_auth == ClientAuthMethod::client_secret_basic)
    body.add("client_id", endpoints_.client_id);
  NEXUS_TRY(const auto request, authenticated(endpoints_.device_authorization, std::move(body)));
  NEXUS_TRY(auto answer, ask(request, {secret_.expose()}));
  NEXUS_TRY(const auto document, document_of(std::move(answer)));
  return read_device_authorization(*document, endpoints_.allow_insecure_http);
}

Result<DevicePoll> Client::poll_device(const Secret& device_code) const {
  RequestBody body(dialect_.token_request_format);
  body.add("grant_type", wire_name(GrantType::device_code))
      .add("device_code", device_code.expose())
      .add(dialect_.token_params);
  NEXUS_TRY(const auto request, authenticated(endpoints_.token, std::move(body)));
  NEXUS_TRY(auto answer, ask(request, {device_code.expose(), secret_.expose()}));
  DevicePoll poll;
  const auto code = answer.error.code;
  if (code == "authorization_pending") return poll;
  if (code == "slow_down" && answer.status != 429) {
    poll.slow_down = true;
    return poll;
  }
  poll.message = answer.error.text;
  auto document = document_of(std::move(answer));
  if (!document && code.empty()) return document.error();
  // An OAuth error that no trouble of the server's explains is its last word.
  if (!document && document.error().code == ErrorCode::upstream_error) return document.error();
  if (!document) {
    poll.refused = code;
    if (poll.message == code) poll.message = in_plain_words(code);
    return poll;
  }
  NEXUS_TRY(poll.tokens, read_token_response(**document, dialect_, wall_clock_()));
  return poll;
}

}  // namespace nexus::oauth
