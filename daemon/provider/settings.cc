#include "daemon/provider/settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/json_fields.h"
#include "common/suggestion.h"
#include "common/text.h"
#include "daemon/net/url.h"
#include "daemon/oauth/token_fields.h"

namespace nexus {
namespace {

constexpr std::int64_t kLongestLife = 365 * 24 * 3600;  // seconds

using Kind = Setting::Kind;
using For = Setting::For;
using Goes = Setting::Goes;

/// A line of the table with the way to its member.
struct Row {
  Setting setting;
  Result<void> (*read)(const JsonFields& fields, const Setting& setting, ProviderSettings& into);
  void (*write)(const ProviderSettings& from, const Setting& setting, Json& params);
};

template <class Owner, class Member>
Dialect& owner_of(ProviderSettings& settings, Member Dialect::*) {
  return settings.dialect;
}
template <class Owner, class Member>
ProviderSettings& owner_of(ProviderSettings& settings, Member ProviderSettings::*) {
  return settings;
}

template <auto member>
auto& in(ProviderSettings& settings) {
  return owner_of<void>(settings, member).*member;
}
template <auto member>
const auto& in(const ProviderSettings& settings) {
  return in<member>(const_cast<ProviderSettings&>(settings));
}

Result<void> read_value(const JsonFields& fields, const Setting& s, std::string& into) {
  if (s.kind == Kind::object) {
    NEXUS_TRY(const auto* object, fields.object(s.name));
    into = object ? to_text(*object) : "";
    return {};
  }
  if (s.kind != Kind::words) return fields.text(s.name, into);
  return fields.one_of(s.name, {s.words.begin(), s.words.end()}, into);
}
Result<void> read_value(const JsonFields& fields, const Setting& s, bool& into) {
  return fields.flag(s.name, into);
}
Result<void> read_value(const JsonFields& fields, const Setting& s,
                        std::optional<std::int64_t>& into) {
  return fields.number(s.name, into);
}
Result<void> read_value(const JsonFields& fields, const Setting& s,
                        std::vector<std::string>& into) {
  return fields.texts(s.name, into);
}
Result<void> read_value(const JsonFields& fields, const Setting& s,
                        std::map<std::string, std::string>& into) {
  return fields.map(s.name, into);
}
template <class Enum>
requires std::is_enum_v<Enum> Result<void> read_value(const JsonFields& fields, const Setting& s,
                                                      Enum& into) {
  std::string word = s.words[static_cast<std::size_t>(into)];
  NEXUS_CHECK(fields.one_of(s.name, {s.words.begin(), s.words.end()}, word));
  const auto found = std::find(s.words.begin(), s.words.end(), word);
  into = static_cast<Enum>(found - s.words.begin());
  return {};
}
template <class Enum>
requires std::is_enum_v<Enum> Result<void> read_value(const JsonFields& fields, const Setting& s,
                                                      std::optional<Enum>& into) {
  std::string word;
  NEXUS_CHECK(fields.text(s.name, word));
  if (word.empty()) return {};
  into.emplace();
  return read_value(fields, s, *into);
}

template <class Value>
Json json_of(const Setting& s, const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return s.words[static_cast<std::size_t>(value)];
  } else if constexpr (std::is_same_v<Value, std::string>) {
    return s.kind == Kind::object && !value.empty() ? Json::parse(value) : Json(value);
  } else {
    return value;
  }
}

template <auto member>
Result<void> read(const JsonFields& fields, const Setting& setting, ProviderSettings& into) {
  return read_value(fields, setting, in<member>(into));
}

template <auto member>
void write(const ProviderSettings& from, const Setting& setting, Json& params) {
  static const ProviderSettings defaults;
  const auto& value = in<member>(from);
  if (value == in<member>(defaults) && !from.given.contains(setting.name)) return;
  if constexpr (requires { value.has_value(); }) {
    if (value) params[setting.name] = json_of(setting, *value);
  } else {
    params[setting.name] = json_of(setting, value);
  }
}

/// The members of a strategy's config: the map has those that were given.
Result<void> read_strategy_member(const JsonFields& fields, const Setting& setting,
                                  ProviderSettings& into) {
  std::string value;
  NEXUS_CHECK(fields.text(setting.name, value));
  if (fields.has(setting.name)) into.strategy_config[setting.name] = value;
  return {};
}
void write_strategy_member(const ProviderSettings& from, const Setting& setting, Json& params) {
  const auto found = from.strategy_config.find(setting.name);
  if (found != from.strategy_config.end()) params[setting.name] = found->second;
}

template <auto member>
Row row(const char* name, Kind kind, For whom, Goes goes, std::vector<const char*> words = {}) {
  return {{name, kind, whom, goes, std::move(words)}, read<member>, write<member>};
}
Row strategy_row(const char* name) {
  return {{name, Kind::text, For::static_credentials, Goes::api_request, {}},
          read_strategy_member,
          write_strategy_member};
}

const std::vector<Row>& table() {
  using D = Dialect;
  using S = ProviderSettings;
  static const std::vector<Row> rows{
      row<&D::pkce>("pkce", Kind::words, For::oauth2, Goes::authorization_request,
                    {"S256", "none"}),
      row<&D::scope_separator>("scope_separator", Kind::text, For::oauth2,
                               Goes::authorization_request),
      row<&D::skip_scope_on_auth>("skip_scope_on_auth", Kind::flag, For::oauth2,
                                  Goes::authorization_request),
      row<&D::skip_scope_on_exchange>("skip_scope_on_exchange", Kind::flag, For::oauth2,
                                      Goes::nowhere),
      row<&D::offline_access_scope>("offline_access_scope", Kind::flag, For::oauth2,
                                    Goes::authorization_request),
      row<&D::authorization_names>("authorization_names", Kind::map, For::oauth2,
                                   Goes::authorization_request),
      row<&D::token_params>("token_params", Kind::map, For::oauth2, Goes::token_request),
      row<&D::refresh_params>("refresh_params", Kind::map, For::oauth2, Goes::token_request),
      row<&D::refresh_url>("refresh_url", Kind::text, For::oauth2, Goes::nowhere),
      row<&D::token_request_format>("token_request_format", Kind::words, For::oauth2, Goes::nowhere,
                                    {"form", "json"}),
      row<&D::token_response_format>("token_response_format", Kind::words, For::oauth2,
                                     Goes::nowhere, {"form", "json"}),
      row<&D::token_response_path>("token_response_path", Kind::text, For::oauth2, Goes::nowhere),
      row<&D::token_fields>("token_fields", Kind::texts, For::oauth2, Goes::nowhere),
      row<&D::token_scope_format>("token_scope_format", Kind::words, For::oauth2, Goes::nowhere,
                                  {"text", "comma", "list"}),
      row<&D::invalid_grant_errors>("invalid_grant_errors", Kind::texts, For::oauth2,
                                    Goes::nowhere),
      row<&D::token_type_optional>("token_type_optional", Kind::flag, For::oauth2, Goes::nowhere),
      row<&D::default_expires_in>("default_expires_in", Kind::number, For::oauth2, Goes::nowhere),
      row<&D::tokens_never_expire>("tokens_never_expire", Kind::flag, For::oauth2, Goes::nowhere),
      row<&D::untold_expiry_is_never>("untold_expiry_is_never", Kind::flag, For::oauth2,
                                      Goes::nowhere),
      row<&D::audience_parameter>("audience_parameter", Kind::words, For::oauth2,
                                  Goes::token_request, {"resource", "audience"}),
      row<&D::key_id>("key_id", Kind::text, For::oauth2, Goes::assertion),
      row<&D::assertion_audience>("assertion_audience", Kind::text, For::oauth2, Goes::assertion),
      row<&D::assertion_subject>("assertion_subject", Kind::text, For::oauth2, Goes::assertion),
      row<&D::assertion_algorithm>("assertion_algorithm", Kind::words, For::oauth2, Goes::assertion,
                                   {"RS256", "PS256"}),
      row<&S::revocation_endpoint>("revocation_endpoint", Kind::text, For::oauth2, Goes::nowhere),
      row<&S::device_authorization_endpoint>("device_authorization_endpoint", Kind::text,
                                             For::oauth2, Goes::nowhere),
      row<&S::https_redirect>("https_redirect", Kind::flag, For::oauth2, Goes::nowhere),
      row<&S::any_loopback_port>("any_loopback_port", Kind::flag, For::oauth2, Goes::nowhere),
      row<&S::sends_iss>("sends_iss", Kind::flag, For::oauth2, Goes::nowhere),
      row<&S::request_headers>("request_headers", Kind::map, For::all, Goes::api_request),
      row<&S::api_hosts>("api_hosts", Kind::texts, For::all, Goes::nowhere),
      row<&S::websocket>("websocket", Kind::flag, For::all, Goes::nowhere),
      row<&S::auth_strategy>("auth_strategy", Kind::object, For::all, Goes::api_request),
      row<&S::credential_schema>("credential_schema", Kind::object, For::all, Goes::nowhere),
      row<&S::validation>("validation", Kind::object, For::all, Goes::nowhere),
      row<&S::catalog_entry>("catalog_entry", Kind::text, For::all, Goes::nowhere),
      row<&S::console_url>("console_url", Kind::text, For::all, Goes::nowhere),
      strategy_row("header_name"),
      strategy_row("param_name"),
      strategy_row("value_prefix"),
      strategy_row("credential_field"),
      strategy_row("username_field"),
      strategy_row("password_field"),
      strategy_row("secret_field"),
      strategy_row("algo"),
      strategy_row("encoding"),
      strategy_row("service"),
      strategy_row("region"),
  };
  return rows;
}

/// What only the flow or the request itself may set.
Result<void> check_parameters(const JsonFields& fields, const char* name,
                              const Dialect::Parameters& parameters) {
  for (const char* ours : {"grant_type", "code", "code_verifier", "redirect_uri", "refresh_token",
                           "client_id", "client_secret"})
    if (parameters.contains(ours)) return fields.bad(name, std::string("cannot set ") + ours);
  return {};
}

Result<void> check(const JsonFields& fields, const Dialect& dialect) {
  if (dialect.scope_separator != " " && dialect.scope_separator != "," &&
      dialect.scope_separator != "+")
    return fields.bad("scope_separator", "has to be a blank, ',' or '+'");
  for (const auto& [ours, theirs] : dialect.authorization_names) {
    const bool known = ours == "client_id" || ours == "redirect_uri" || ours == "response_type";
    if (!known) return fields.bad("authorization_names", "cannot rename " + ours);
    if (theirs == "state" || theirs == "scope" || theirs.starts_with("code_"))
      return fields.bad("authorization_names", "cannot use the name " + theirs);
  }
  NEXUS_CHECK(check_parameters(fields, "token_params", dialect.token_params));
  NEXUS_CHECK(check_parameters(fields, "refresh_params", dialect.refresh_params));
  if (const auto fault = fault_of_token_fields(dialect.token_fields); !fault.empty())
    return fields.bad("token_fields", fault);
  if (dialect.default_expires_in.value_or(0) > kLongestLife)
    return fields.bad("default_expires_in", "is more than a year");
  return {};
}

/// A page of ours links there.
Result<void> check_console_url(const JsonFields& fields, const std::string& console_url) {
  if (console_url.empty()) return {};
  const auto url = parse_url(console_url, "params.console_url");
  if (url && url->scheme == "https" && !url->has_userinfo) return {};
  return fields.bad("console_url", "has to be an https URL");
}

}  // namespace

std::span<const Setting> provider_settings() {
  static const auto settings = [] {
    std::vector<Setting> all;
    for (const auto& row : table()) all.push_back(row.setting);
    return all;
  }();
  return settings;
}

Result<void> read_texts_as_json(Json& params) {
  for (const auto& setting : provider_settings()) {
    const bool structured =
        setting.kind == Kind::object || setting.kind == Kind::map || setting.kind == Kind::texts;
    const auto found = params.find(setting.name);
    if (!structured || found == params.end() || !found->is_string()) continue;
    auto json = parse_json_structure(found->get_ref<const std::string&>());
    if (!json)
      return JsonFields(params, "params.").bad(setting.name, "has to be JSON, an object or a list");
    *found = std::move(**json);
  }
  return {};
}

Result<ProviderSettings> read_settings(const Json& params, bool oauth2) {
  const JsonFields fields(params, "params.");
  ProviderSettings settings;
  std::vector<std::string_view> known;
  for (const auto& [setting, read, write] : table()) {
    if (oauth2 && setting.whom == For::static_credentials) continue;
    NEXUS_CHECK(read(fields, setting, settings));
    known.push_back(setting.name);
    if (fields.has(setting.name)) settings.given.insert(setting.name);
  }
  NEXUS_CHECK(check(fields, settings.dialect));
  NEXUS_CHECK(check_console_url(fields, settings.console_url));
  for (const auto& [name, value] : params.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (oauth2 && value.is_string()) {
      settings.authorization_parameters[name] = value.get<std::string>();
    } else {
      settings.others[name] = to_text(value);
    }
  }
  return settings;
}

std::string misspelt_setting(const ProviderSettings& settings) {
  std::vector<std::string> known;
  for (const auto& row : table()) known.emplace_back(row.setting.name);
  std::vector<std::string> names;
  for (const auto& [name, value] : settings.authorization_parameters) names.push_back(name);
  for (const auto& [name, value] : settings.others) names.push_back(name);
  for (const auto& name : names)
    if (const auto meant = suggestion(name, known))
      return "there is no setting " + printable(name, 80) + "; did you mean " + *meant + "?";
  return {};
}

Json to_json(const ProviderSettings& settings) {
  Json params = Json::object();
  for (const auto& [setting, read, write] : table()) write(settings, setting, params);
  for (const auto& [name, value] : settings.authorization_parameters) params[name] = value;
  for (const auto& [name, value] : settings.others) params[name] = Json::parse(value);
  return params;
}

}  // namespace nexus
