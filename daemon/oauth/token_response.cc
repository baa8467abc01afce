#include "daemon/oauth/token_response.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kMaxToken = 64 * 1024;

Error refused(const std::string& what) {
  return {ErrorCode::provider_protocol, "the token endpoint's answer is not usable: " + what,
          "check the provider's token endpoint"};
}

/// Moves a text member into a Secret and wipes where it was. Absent, null and "" are the same.
Result<Secret> take_secret(Json& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end() || found->is_null()) return Secret();
  if (!found->is_string()) return refused(std::string(name) + " is not a text");
  auto& text = found->get_ref<std::string&>();
  if (!is_vschar(text) || text.size() > kMaxToken) {
    wipe(text);
    return refused(std::string(name) + " has characters or a length that are not allowed");
  }
  Secret secret(text);
  wipe(text);
  return secret;
}

/// The one conversion of a life's length from the wire: fractions are cut, absurd lengths clamped.
Result<std::optional<std::int64_t>> read_expires_in(const Json& document) {
  const auto found = document.find("expires_in");
  if (found == document.end() || found->is_null()) return std::optional<std::int64_t>();
  const auto clamp = [](auto value) {
    using Value = decltype(value);
    return std::optional<std::int64_t>(
        static_cast<std::int64_t>(std::min(value, static_cast<Value>(kMaxExpiresIn))));
  };
  if (found->is_number_unsigned()) return clamp(found->get<std::uint64_t>());
  if (found->is_number_float()) {
    const auto value = found->get<double>();
    if (std::isfinite(value) && value >= 0) return clamp(std::floor(value));
  }
  if (found->is_string()) {
    const auto& digits = found->get_ref<const std::string&>();
    if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos)
      return clamp(parse_number(digits).value_or(kMaxExpiresIn));
  }
  return refused("expires_in is not a length of time");
}

}  // namespace

Result<TokenResponse> parse_token_response(std::string_view text) {
  auto document = parse_json_object(text);
  if (!document) return refused("it is not a JSON object");
  TokenResponse response;
  NEXUS_TRY(response.access_token, take_secret(*document, "access_token"));
  NEXUS_TRY(response.refresh_token, take_secret(*document, "refresh_token"));
  NEXUS_TRY(response.id_token, take_secret(*document, "id_token"));
  if (response.access_token.empty()) return refused("there is no access_token");
  const auto type = text_member(*document, "token_type");
  if (!type) return refused("there is no token_type");
  if (lower(*type) != "bearer")
    return refused("its token_type '" + printable(*type, 40) + "' is not Bearer");
  NEXUS_TRY(response.expires_in, read_expires_in(*document));
  if (const auto scope = document->find("scope"); scope != document->end() && !scope->is_null()) {
    if (!scope->is_string() || !is_vschar(scope->get_ref<const std::string&>()))
      return refused("scope is not a text");
    response.scope = scope->get<std::string>();
  }
  return response;
}

}  // namespace nexus
