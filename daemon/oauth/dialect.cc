#include "daemon/oauth/dialect.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json_fields.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::int64_t kLongestLife = 365 * 24 * 3600;  // seconds

constexpr const char* kSettings[] = {"scope_separator",
                                     "skip_scope_on_auth",
                                     "skip_scope_on_exchange",
                                     "authorization_names",
                                     "token_params",
                                     "refresh_params",
                                     "refresh_url",
                                     "token_request_format",
                                     "token_response_path",
                                     "token_response_format",
                                     "token_scope_format",
                                     "token_type_optional",
                                     "default_expires_in",
                                     "pkce",
                                     "invalid_grant_errors",
                                     "tokens_never_expire",
                                     "audience_parameter",
                                     "key_id",
                                     "assertion_audience",
                                     "assertion_subject",
                                     "assertion_algorithm"};

}  // namespace

bool is_dialect_setting(std::string_view name) {
  return std::find(std::begin(kSettings), std::end(kSettings), name) != std::end(kSettings);
}

Result<Dialect> read_dialect(const Json& params) {
  const JsonFields fields(params, "params.");
  Dialect dialect;
  std::string pkce = "S256";
  NEXUS_CHECK(fields.one_of("pkce", {"S256", "none"}, pkce));
  dialect.pkce = pkce == "S256";
  NEXUS_CHECK(fields.text("scope_separator", dialect.scope_separator));
  if (dialect.scope_separator != " " && dialect.scope_separator != "," &&
      dialect.scope_separator != "+")
    return fields.bad("scope_separator", "has to be a blank, ',' or '+'");
  NEXUS_CHECK(fields.flag("skip_scope_on_auth", dialect.skip_scope_on_auth));
  // Nothing follows from this one: a code's exchange never carries scopes here (RFC 6749 4.1.3).
  bool skip_scope_on_exchange = true;
  NEXUS_CHECK(fields.flag("skip_scope_on_exchange", skip_scope_on_exchange));
  NEXUS_CHECK(fields.map("authorization_names", dialect.authorization_names));
  for (const auto& [ours, theirs] : dialect.authorization_names) {
    const bool known = ours == "client_id" || ours == "redirect_uri" || ours == "response_type";
    if (!known) return fields.bad("authorization_names", "cannot rename " + ours);
    if (theirs == "state" || theirs == "scope" || theirs.starts_with("code_"))
      return fields.bad("authorization_names", "cannot use the name " + theirs);
  }
  NEXUS_CHECK(fields.map("token_params", dialect.token_params));
  NEXUS_CHECK(fields.map("refresh_params", dialect.refresh_params));
  for (const char* map : {"token_params", "refresh_params"})
    for (const auto* name : {"grant_type", "code", "code_verifier", "redirect_uri", "refresh_token",
                             "client_id", "client_secret"})
      if ((map == std::string_view("token_params") ? dialect.token_params : dialect.refresh_params)
              .contains(name))
        return fields.bad(map, std::string("cannot set ") + name);
  NEXUS_CHECK(fields.text("refresh_url", dialect.refresh_url));
  std::string format = "form";
  NEXUS_CHECK(fields.one_of("token_request_format", {"form", "json"}, format));
  dialect.json_request = format == "json";
  format = "json";
  NEXUS_CHECK(fields.one_of("token_response_format", {"form", "json"}, format));
  dialect.form_response = format == "form";
  std::string path;
  NEXUS_CHECK(fields.text("token_response_path", path));
  if (!path.empty()) dialect.response_path = split(path, '.');
  std::string scopes = dialect.scope_separator == "," ? "comma" : "text";
  NEXUS_CHECK(fields.one_of("token_scope_format", {"text", "comma", "list"}, scopes));
  dialect.scope_format = scopes == "list"    ? Dialect::ScopeFormat::list
                         : scopes == "comma" ? Dialect::ScopeFormat::comma
                                             : Dialect::ScopeFormat::text;
  NEXUS_CHECK(fields.texts("invalid_grant_errors", dialect.invalid_grant_errors));
  NEXUS_CHECK(fields.flag("token_type_optional", dialect.token_type_optional));
  NEXUS_CHECK(fields.number("default_expires_in", dialect.default_expires_in));
  if (dialect.default_expires_in.value_or(0) > kLongestLife)
    return fields.bad("default_expires_in", "is more than a year");
  NEXUS_CHECK(fields.flag("tokens_never_expire", dialect.tokens_never_expire));
  NEXUS_CHECK(
      fields.one_of("audience_parameter", {"resource", "audience"}, dialect.audience_parameter));
  NEXUS_CHECK(fields.text("key_id", dialect.key_id));
  NEXUS_CHECK(fields.text("assertion_audience", dialect.assertion_audience));
  NEXUS_CHECK(fields.text("assertion_subject", dialect.assertion_subject));
  std::string algorithm = "RS256";
  NEXUS_CHECK(fields.one_of("assertion_algorithm", {"RS256", "PS256"}, algorithm));
  dialect.assertion_pss = algorithm == "PS256";
  return dialect;
}

}  // namespace nexus
