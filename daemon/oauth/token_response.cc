#include "daemon/oauth/token_response.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/rfc3339.h"
#include "common/text.h"
#include "daemon/oauth/token_fields.h"

namespace nexus {
namespace {

constexpr std::size_t kMaxToken = 64 * 1024;

Error unusable_answer(const std::string& what,
                      const std::string& hint = "check the provider's token endpoint") {
  return {ErrorCode::provider_protocol, "the token endpoint's answer is not usable: " + what, hint};
}

/// Moves a text member into a Secret and wipes where it was. Absent, null and "" are the same.
Result<Secret> take_secret(Json& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end() || found->is_null()) return Secret();
  if (!found->is_string()) return unusable_answer(std::string(name) + " is not a text");
  auto& text = found->get_ref<std::string&>();
  if (!is_token(text)) {
    wipe(text);
    return unusable_answer(std::string(name) + " has characters or a length that are not allowed");
  }
  Secret secret(text);
  wipe(text);
  return secret;
}

/// A number that is not negative, also written in digits: fractions are cut, absurd ones clamped.
/// Nothing for anything else.
std::optional<std::int64_t> count_in(const Json& value) {
  constexpr std::int64_t kMost = INT64_C(1) << 53;
  const auto clamp = [](auto number) {
    return static_cast<std::int64_t>(std::min(number, static_cast<decltype(number)>(kMost)));
  };
  if (value.is_number_unsigned()) return clamp(value.get<std::uint64_t>());
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::isfinite(number) && number >= 0) return clamp(std::floor(number));
  }
  if (value.is_string()) {
    const auto& digits = value.get_ref<const std::string&>();
    if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos)
      return clamp(parse_number(digits).value_or(kMost));
  }
  return std::nullopt;
}

/// The time that a number stands for, as seconds or milliseconds since 1970; nothing where that
/// would not be within a year of now.
std::optional<UnixTime> time_of(std::int64_t number, UnixTime now) {
  for (const auto time : {number, number / 1000})
    if (time > now - kMaxExpiresIn && time < now + kMaxExpiresIn) return time;
  return std::nullopt;
}

/// The one conversion of a life's length from the wire. It is a length in expires_in (or a time,
/// with servers that mistake the one for the other), and a time in expires_at and expires_on, which
/// others have instead. What else ends in _expires_in is another token's life, or for outages.
Result<std::optional<std::int64_t>> read_life(const Json& document, UnixTime now) {
  const auto until = [&](UnixTime time) {
    return std::optional(std::clamp<std::int64_t>(time - now, 0, kMaxExpiresIn));
  };
  if (const auto found = document.find("expires_in");
      found != document.end() && !found->is_null()) {
    const auto number = count_in(*found);
    if (!number) return unusable_answer("expires_in is not a length of time");
    if (*number <= kMaxExpiresIn) return number;
    const auto time = time_of(*number, now);
    return time ? until(*time) : std::optional(kMaxExpiresIn);
  }
  for (const auto* name : {"expires_at", "expires_on"}) {
    const auto found = document.find(name);
    if (found == document.end()) continue;
    const auto number = count_in(*found);
    const auto time =
        number ? time_of(*number, now) : parse_rfc3339(text_member(document, name).value_or(""));
    if (time) return until(*time);
  }
  return std::optional<std::int64_t>();
}

/// The object that the tokens are in: the top, or where the dialect says.
Json& tokens_in(Json& document, const Dialect& dialect) {
  if (!text_member(document, "access_token").value_or("").empty()) return document;
  auto* object = &document;
  for (const auto& name : split(dialect.token_response_path, '.')) {
    const auto inner = object->find(name);
    if (inner == object->end() || !inner->is_object()) return document;
    object = &*inner;
  }
  return *object;
}

Result<std::optional<std::string>> read_scope(const Json& document, Dialect::ScopeFormat format) {
  const auto found = document.find("scope");
  if (found == document.end() || found->is_null()) return std::optional<std::string>();
  std::string scope;
  if (found->is_string()) {
    scope = found->get<std::string>();
    if (format == Dialect::ScopeFormat::comma) scope = join(split(scope, ','), " ");
  } else if (found->is_array() && format == Dialect::ScopeFormat::list) {
    std::vector<std::string> scopes;
    for (const auto& item : *found) {
      if (!item.is_string()) return unusable_answer("scope is not a text");
      scopes.push_back(item.get<std::string>());
    }
    scope = join(scopes, " ");
  } else {
    return unusable_answer("scope is not a text");
  }
  if (!is_vschar(scope)) return unusable_answer("scope has characters that are not allowed");
  return std::optional(scope);
}

}  // namespace

bool is_token(std::string_view text) {
  return is_vschar(text) && text.size() <= kMaxToken;
}

Result<JsonDocument> parse_token_answer(std::string_view body, bool form) {
  if (!form) return parse_json_object(body);
  const Error malformed{ErrorCode::invalid_json, "the answer is not a form", ""};
  auto pairs = parse_form(trim(body));
  if (!pairs) return malformed;
  JsonDocument document(new Json(Json::object()));
  for (auto& [name, value] : *pairs) {
    if (!is_valid_utf8(name) || !is_valid_utf8(value) || document->contains(name)) return malformed;
    (*document)[name] = value;
    wipe(value);
  }
  return document;
}

Result<Secret> take_refresh_token(Json& whole, const Dialect& dialect) {
  return take_secret(tokens_in(whole, dialect), "refresh_token");
}

Result<TokenResponse> read_token_response(Json& whole, const Dialect& dialect, UnixTime now) {
  auto& document = tokens_in(whole, dialect);
  TokenResponse response;
  NEXUS_TRY(response.access_token, take_secret(document, "access_token"));
  NEXUS_TRY(response.refresh_token, take_secret(document, "refresh_token"));
  NEXUS_TRY(response.id_token, take_secret(document, "id_token"));
  if (response.access_token.empty()) return unusable_answer("there is no access_token");
  const auto type = text_member(document, "token_type");
  if (!dialect.token_type_optional) {
    const std::string way_out =
        "where it is to be used as a Bearer token all the same, run: nexus provider edit PROVIDER "
        "--param token_type_optional=true";
    if (!type) return unusable_answer("there is no token_type", way_out);
    if (lower(*type) != "bearer")
      return unusable_answer("its token_type '" + printable(*type, 40) + "' is not Bearer",
                             way_out);
  }
  NEXUS_TRY(response.expires_in, read_life(document, now));
  if (!response.expires_in) response.expires_in = dialect.default_expires_in;
  if (dialect.tokens_never_expire) response.expires_in.reset();
  NEXUS_TRY(response.scope, read_scope(document, dialect.scope_format()));
  response.token_fields = token_fields_in(whole, dialect.token_fields);
  return response;
}

}  // namespace nexus
