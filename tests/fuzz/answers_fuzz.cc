// What a provider answers, straight or by way of the browser: tokens, a device's codes, metadata,
// id_tokens with the keys for them, and the query of a redirect.
#include <sodium.h>

#include <nlohmann/json.hpp>

#include "common/bytes.h"
#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/oauth/authorization_response.h"
#include "daemon/oauth/device_authorization.h"
#include "daemon/oauth/discovery.h"
#include "daemon/oauth/id_token.h"
#include "daemon/oauth/lone_refresh_token.h"
#include "daemon/oauth/token_fields.h"
#include "daemon/oauth/token_response.h"
#include "tests/fuzz/fuzz.h"

using namespace nexus;
using namespace nexus::fuzz;

namespace {

constexpr UnixTime kNow = 1'790'000'000;
constexpr const char* kIssuer = "https://op.example";

/// One that departs from the RFC wherever a setting lets it.
Dialect lenient() {
  Dialect dialect;
  dialect.token_response_path = "data.token";
  dialect.token_scope_format = Dialect::ScopeFormat::list;
  dialect.token_type_optional = true;
  dialect.default_expires_in = 3600;
  dialect.token_fields = {"instance_url", "team.id"};
  return dialect;
}

void follow_token(std::string_view body, bool form, const Dialect& dialect) {
  const auto lone = lone_refresh_token(body, form);
  require(is_token(lone.expose()));
  auto document = parse_token_answer(body, form);
  if (!document) return;
  auto again = parse_token_answer(body, form);
  const auto refresh_token = take_refresh_token(**again, dialect);
  // Whichever way it is looked for, it is the same one.
  if (refresh_token && !refresh_token->empty() && !lone.empty())
    require(refresh_token->expose() == lone.expose());
  const auto response = read_token_response(**document, dialect, kNow);
  if (!response) return require_plain(response.error());
  require(!response->access_token.empty() && is_token(response->access_token.expose()));
  require(refresh_token && response->refresh_token.expose() == refresh_token->expose());
  if (response->expires_in)
    require(*response->expires_in >= 0 && *response->expires_in <= kMaxExpiresIn);
  if (response->scope) require(is_vschar(*response->scope));
  const auto& fields = response->token_fields;
  require(fields.empty() || is_json_object(fields));
  require(later_token_fields(fields, fields, dialect.token_fields) == fields);
}

void follow_device(std::string_view body) {
  const auto document = parse_json_object(body);
  if (!document) return require_plain(document.error());
  const auto read = read_device_authorization(**document, false);
  if (!read) return require_plain(read.error());
  require(!read->device_code.empty() && is_vschar(read->device_code.expose()));
  require(!read->user_code.empty() && printable(read->user_code) == read->user_code);
  require(parse_endpoint(read->verification_uri, "it", false).ok());
  require(read->verification_uri_complete.empty() ||
          parse_endpoint(read->verification_uri_complete, "it", false).ok());
  require(read->expires_in > 0 && read->interval > 0 && read->interval <= read->expires_in);
}

void follow_metadata(std::string_view body) {
  const auto metadata = parse_metadata(body, kIssuer, false);
  if (!metadata) return require_plain(metadata.error());
  require(metadata->issuer == kIssuer && !metadata->token_endpoint.empty());
  for (const auto& endpoint :
       {metadata->authorization_endpoint, metadata->token_endpoint, metadata->jwks_uri,
        metadata->userinfo_endpoint, metadata->revocation_endpoint,
        metadata->device_authorization_endpoint})
    require(endpoint.empty() || parse_endpoint(endpoint, "it", false)->scheme == "https");
}

IdTokenExpectation expectation() {
  return {.issuer = kIssuer,
          .client_id = "client",
          .algorithms = {"EdDSA", "ES256", "RS256", "PS256"},
          .nonce = std::nullopt,
          .nonce_if_present = "nonce",
          .subject = "",
          .access_token = "token",
          .now = kNow};
}

/// Header and payload from outside under a good signature: a provider may say anything.
void follow_claims(std::string_view text) {
  static const auto keys = [] {
    std::pair<std::string, std::string> pair;  // public, private
    const std::string seed(crypto_sign_SEEDBYTES, 's');
    pair.first.resize(crypto_sign_PUBLICKEYBYTES);
    pair.second.resize(crypto_sign_SECRETKEYBYTES);
    crypto_sign_seed_keypair(room_of(pair.first), room_of(pair.second), bytes_of(seed));
    return pair;
  }();
  static const auto jwks =
      R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":")" + base64url(keys.first) + R"("}]})";
  const auto header = take_line(text);
  auto token = base64url(header) + "." + base64url(text);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(room_of(signature), nullptr, bytes_of(token), token.size(),
                       bytes_of(keys.second));
  token += "." + base64url(signature);
  const auto expected = expectation();
  const auto result = verify_id_token(token, jwks, expected);
  if (!result.claims) return require(printable(result.reason, 1000) == result.reason);
  require(result.claims->issuer == kIssuer && !result.claims->subject.empty());
  // It is good for this client, until it ends, as it was signed.
  auto other = expectation();
  other.client_id = "other";
  require(!verify_id_token(token, jwks, other).claims);
  other = expectation();
  other.issuer += "/";
  require(!verify_id_token(token, jwks, other).claims);
  other = expectation();
  other.subject = result.claims->subject + "x";
  require(!verify_id_token(token, jwks, other).claims);
  for (const auto at : {std::size_t{0}, token.find('.') + 1, token.rfind('.') + 1}) {
    auto altered = token;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    require(!verify_id_token(altered, jwks, expected).claims);
  }
}

/// A token on the first line, a key set behind it.
void follow_id_token(std::string_view text) {
  const auto token = take_line(text);
  const auto result = verify_id_token(token, text, expectation());
  if (!result.claims) return require(printable(result.reason, 1000) == result.reason);
  require(!verify_id_token(token, R"({"keys":[]})", expectation()).claims);
}

void follow_redirect(std::string_view text) {
  const auto query = parse_form(text);
  if (!query) return;
  const auto state = state_in(*query);
  const auto response = parse_authorization_response(*query);
  if (!response) return require_plain(response.error());
  // Who it is for was looked up by the one, and is believed by the other.
  require(response->state == state && is_vschar(response->code.expose()));
  for (const auto& words : {response->error, response->error_description})
    require(printable(words) == words);
  const bool right = check_issuer(*response, kIssuer, true).ok();
  require(right == (response->has_iss && response->iss == kIssuer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [kind, text] = input_of(data, size, 8);
  switch (kind) {
    case 0:
      follow_token(text, false, {});
      break;
    case 1:
      follow_token(text, true, {});
      break;
    case 2:
      follow_token(text, false, lenient());
      break;
    case 3:
      follow_device(text);
      break;
    case 4:
      follow_metadata(text);
      break;
    case 5:
      follow_claims(text);
      break;
    case 6:
      follow_id_token(text);
      break;
    case 7:
      follow_redirect(text);
      break;
  }
  return 0;
}
