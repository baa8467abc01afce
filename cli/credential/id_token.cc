#include "cli/credential/id_token.h"

#include <string_view>

#include "cli/credential/helper.h"
#include "common/api/token_payload.h"
#include "common/json_fields.h"

namespace nexus::cli {
namespace {

constexpr UnixTime kTooLittle = 30;  ///< seconds that are left

/// RFC 4648 section 5; what is no digit ends it.
std::string base64url_decoded(std::string_view text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const auto digit = digits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xff);
  }
  return out;
}

/// RFC 7519 4.1.4.
std::optional<UnixTime> exp_of(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto claims = JsonFields::parse(base64url_decoded(token.substr(first + 1)));
  std::optional<UnixTime> exp;
  if (!claims || !claims->number("exp", exp)) return std::nullopt;
  return exp;
}

bool is_good(const IdToken& token) {
  return !token.expires_at || *token.expires_at > system_now() + kTooLittle;
}

std::optional<IdToken> id_token_in(const SecretText& credentials) {
  auto text = api::TokenPayload(credentials).credential("id_token");
  if (!text) return std::nullopt;
  auto expires_at = exp_of(*text);
  return IdToken{*std::move(text), expires_at};
}

}  // namespace

Result<std::optional<IdToken>> good_id_token(Context& context, const std::string& connection,
                                             const SecretText& credentials) {
  auto token = id_token_in(credentials);
  if (!token || is_good(*token)) return token;
  NEXUS_TRY(const auto refreshed,
            context.client.call_raw("POST", context.client.target("/v1/refresh/", connection), ""));
  token = id_token_in(refreshed);
  if (token && is_good(*token)) return token;
  return Error{ErrorCode::usage, "the id_token of connection " + connection + " has expired",
               "its provider gives none with a refresh; use --access-token where that is taken, or "
               "run: nexus connect PROVIDER --replace " +
                   connection};
}

}  // namespace nexus::cli
