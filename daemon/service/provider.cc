#include "daemon/service/provider.h"

#include <algorithm>

#include "common/json.h"
#include "common/json_fields.h"
#include "common/text.h"
#include "daemon/net/url.h"
#include "daemon/service/credential_check.h"

namespace nexus {
namespace {

/// The text members of a profile, by their names on the wire.
constexpr std::pair<const char*, std::string Provider::*> kTexts[] = {
    {"name", &Provider::name},
    {"auth_type", &Provider::auth_type},
    {"auth_header", &Provider::auth_header},
    {"client_id", &Provider::client_id},
    {"auth_url", &Provider::auth_url},
    {"token_url", &Provider::token_url},
    {"issuer", &Provider::issuer},
    {"api_base_url", &Provider::api_base_url},
    {"user_info_endpoint", &Provider::user_info_endpoint},
    {"description", &Provider::description},
    {"category", &Provider::category},
    {"redirect_host", &Provider::redirect_host},
    {"redirect_path", &Provider::redirect_path}};

constexpr std::pair<const char*, bool Provider::*> kSwitches[] = {
    {"enable_discovery", &Provider::enable_discovery},
    {"allow_insecure_http", &Provider::allow_insecure_http},
    {"allow_private_network", &Provider::allow_private_network}};

constexpr const char* kAuthTypes[] = {"oauth2",      "api_key",      "basic_auth", "header",
                                      "query_param", "hmac_payload", "aws_sigv4"};

/// Members of `params` that steer nexusd instead of travelling to the provider, beside those of the
/// dialect.
constexpr const char* kSettings[] = {"revocation_endpoint", "device_authorization_endpoint",
                                     "credential_schema",   "auth_strategy",
                                     "validation",          "request_headers",
                                     "https_redirect",      "any_loopback_port",
                                     "catalog_entry",       "api_hosts"};

/// Those that are true or false. A command line can only give the words.
constexpr const char* kFlags[] = {"https_redirect",      "any_loopback_port",
                                  "skip_scope_on_auth",  "skip_scope_on_exchange",
                                  "token_type_optional", "tokens_never_expire"};

/// From here on a flag is a truth value, whoever reads it.
Result<void> settle_flags(Json& params) {
  for (const char* name : kFlags) {
    if (!params.contains(name)) continue;
    bool flag = false;
    NEXUS_CHECK(JsonFields(params, "params.").flag(name, flag));
    params[name] = flag;
  }
  return {};
}

bool is_setting(const std::string& name) {
  return is_dialect_setting(name) ||
         std::find(std::begin(kSettings), std::end(kSettings), name) != std::end(kSettings);
}

Error bad(const std::string& field, const std::string& what) {
  return {ErrorCode::invalid_field, field + " " + what, "correct the field and try again"};
}

Result<void> read_texts(const Json& body, Provider& provider) {
  for (const auto& [name, member] : kTexts) {
    const auto found = body.find(name);
    if (found == body.end() || found->is_null()) continue;
    if (!found->is_string()) return bad(name, "has to be a text");
    const auto& text = found->get_ref<const std::string&>();
    if (text.size() > 4096) return bad(name, "is longer than 4096 bytes");
    if (printable(text, text.size()) != text) return bad(name, "has control characters");
    provider.*member = trim(text);
  }
  for (const auto& [name, member] : kSwitches) {
    const auto found = body.find(name);
    if (found == body.end() || found->is_null()) continue;
    if (!found->is_boolean()) return bad(name, "has to be true or false");
    provider.*member = found->get<bool>();
  }
  return {};
}

Result<void> read_scopes(const Json& body, Provider& provider) {
  const auto found = body.find("scopes");
  if (found == body.end() || found->is_null()) return {};
  if (!found->is_array()) return bad("scopes", "has to be a list of texts");
  for (const auto& scope : *found) {
    if (!scope.is_string() || !is_vschar(scope.get_ref<const std::string&>()) || scope == "" ||
        scope.get_ref<const std::string&>().find(' ') != std::string::npos)
      return bad("scopes", "has to be a list of texts without blanks");
    provider.scopes.push_back(scope.get<std::string>());
  }
  return {};
}

Result<void> check_urls(const Provider& p) {
  const std::pair<const char*, const std::string&> endpoints[] = {
      {"auth_url", p.auth_url},
      {"token_url", p.token_url},
      {"issuer", p.issuer},
      {"user_info_endpoint", p.user_info_endpoint},
      {"api_base_url", p.api_base_url}};
  for (const auto& [name, value] : endpoints) {
    if (value.empty() || (std::string_view(name) == "user_info_endpoint" && value[0] == '/'))
      continue;
    NEXUS_CHECK(parse_endpoint(value, name, p.allow_insecure_http));
  }
  return {};
}

Result<void> check_oauth(const Provider& p) {
  if (p.client_id.empty())
    return Error{ErrorCode::missing_fields, "client_id is missing",
                 "create a client at the provider and give its id"};
  if (!is_vschar(p.client_id)) return bad("client_id", "has characters that are not allowed");
  const bool discovers = !p.issuer.empty() && p.enable_discovery;
  if (!discovers && (p.auth_url.empty() || p.token_url.empty()))
    return Error{ErrorCode::missing_fields,
                 "an oauth2 provider needs an issuer, or auth_url and token_url",
                 "give --issuer URL, or --auth-url URL --token-url URL"};
  for (const char* name : {"revocation_endpoint", "device_authorization_endpoint", "refresh_url"})
    if (const auto endpoint = text_member(p.params, name))
      NEXUS_CHECK(parse_endpoint(*endpoint, std::string("params.") + name, p.allow_insecure_http));
  NEXUS_CHECK(read_dialect(p.params));
  return {};
}

Result<void> check(const Provider& p) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (p.name.empty())
    return Error{ErrorCode::missing_fields, "name is missing", "give the provider a name"};
  if (p.name.size() > 64 || p.name.find_first_not_of(allowed) != std::string::npos)
    return bad("name", "has to be of a-z, 0-9 and '-', at most 64 of them");
  if (std::find(std::begin(kAuthTypes), std::end(kAuthTypes), p.auth_type) == std::end(kAuthTypes))
    return Error{ErrorCode::unsupported_auth_type,
                 "auth_type '" + printable(p.auth_type, 40) + "' is not supported",
                 "use oauth2, api_key, basic_auth, header, query_param, hmac_payload or aws_sigv4"};
  if (!p.redirect_host.empty() && p.redirect_host != "localhost" &&
      p.redirect_host != "127.0.0.1" && p.redirect_host != "[::1]")
    return bad("redirect_host", "has to be localhost, 127.0.0.1 or [::1]");
  if (!p.redirect_path.empty() &&
      (p.redirect_path[0] != '/' || p.redirect_path.find_first_of("?# %") != std::string::npos))
    return bad("redirect_path", "has to be a plain path");
  NEXUS_CHECK(check_urls(p));
  if (!p.is_static()) return check_oauth(p);
  NEXUS_CHECK(read_static_provider(p));
  return {};
}

Result<void> read_auth_header(Provider& provider, bool has_secret) {
  auto method = lower(provider.auth_header);
  if (method == "basic") method = "client_secret_basic";
  if (!method.empty() && method != "client_secret_basic" && method != "client_secret_post" &&
      method != "none")
    return bad("auth_header", "has to be client_secret_basic, client_secret_post or none");
  if (has_secret && method == "none")
    return bad("auth_header", "is none, but there is a client secret");
  if (!has_secret && method.starts_with("client_secret"))
    return Error{ErrorCode::missing_fields,
                 "auth_header is " + method + ", but no client secret came",
                 "give it with --client-secret-file FILE (or - for stdin)"};
  provider.auth_header = method;
  return {};
}

}  // namespace

Result<ProviderRegistration> read_registration(Json& body, bool has_secret) {
  Json* fields = &body;
  if (const auto profile = body.find("profile"); profile != body.end()) fields = &*profile;
  if (!fields->is_object()) return bad("profile", "has to be an object");
  ProviderRegistration registration;
  auto& provider = registration.provider;
  NEXUS_CHECK(read_texts(*fields, provider));
  NEXUS_CHECK(read_scopes(*fields, provider));
  if (const auto params = fields->find("params"); params != fields->end() && !params->is_null()) {
    if (!params->is_object()) return bad("params", "has to be an object");
    provider.params = *params;
    NEXUS_CHECK(settle_flags(provider.params));
    std::string entry;
    NEXUS_CHECK(JsonFields(provider.params, "params.").text("catalog_entry", entry));
  }
  if (const auto secret = fields->find("client_secret");
      secret != fields->end() && !secret->is_null()) {
    if (!secret->is_string()) return bad("client_secret", "has to be a text");
    auto& text = secret->get_ref<std::string&>();
    const bool allowed = text.size() <= 4096 && is_valid_utf8(text) &&
                         text.find_first_of(std::string("\0\r\n", 3)) == std::string::npos;
    registration.client_secret = Secret(trim(text));
    wipe(text);
    if (!allowed) return bad("client_secret", "has line breaks or is too long");
  }
  if (const auto replace = fields->find("replace"); replace != fields->end())
    registration.replace = replace->is_boolean() && replace->get<bool>();
  if (registration.client_secret) has_secret = !registration.client_secret->empty();
  if (!provider.is_static()) NEXUS_CHECK(read_auth_header(provider, has_secret));
  NEXUS_CHECK(check(provider));
  return registration;
}

Json to_json(const Provider& provider) {
  Json json{{"id", provider.id}, {"scopes", provider.scopes}, {"params", provider.params}};
  for (const auto& [name, member] : kTexts) json[name] = provider.*member;
  for (const auto& [name, member] : kSwitches) json[name] = provider.*member;
  return json;
}

Provider provider_from_json(const Json& json) {
  Provider provider;
  provider.id = json.at("id");
  provider.scopes = json.at("scopes").get<std::vector<std::string>>();
  provider.params = json.at("params");
  for (const auto& [name, member] : kTexts) provider.*member = json.at(name);
  for (const auto& [name, member] : kSwitches) provider.*member = json.at(name);
  return provider;
}

std::vector<std::pair<std::string, std::string>> authorization_parameters(
    const Provider& provider, const std::vector<std::string>& scopes) {
  std::vector<std::pair<std::string, std::string>> parameters;
  const auto is_set = [&](const char* name) { return provider.params.contains(name); };
  for (const auto& [name, value] : provider.params.items())
    if (value.is_string() && !is_setting(name))
      parameters.emplace_back(name, value.get<std::string>());
  if (provider.issuer == "https://accounts.google.com") {
    // Google hands out refresh tokens for these instead of the offline_access scope.
    if (!is_set("access_type")) parameters.emplace_back("access_type", "offline");
    if (!is_set("prompt")) parameters.emplace_back("prompt", "consent");
  } else if (!is_set("prompt") &&
             std::find(scopes.begin(), scopes.end(), "offline_access") != scopes.end()) {
    // OpenID Connect Core 11: offline access is granted after an explicit consent.
    parameters.emplace_back("prompt", "consent");
  }
  return parameters;
}

Result<ProviderEndpoints> resolve_endpoints(const Provider& provider, bool has_secret,
                                            const std::optional<ProviderMetadata>& metadata) {
  ProviderEndpoints endpoints;
  endpoints.issuer = provider.issuer;
  endpoints.client_id = provider.client_id;
  endpoints.reach = provider.reach();
  endpoints.allow_insecure_http = provider.allow_insecure_http;
  std::vector<std::string> methods;
  if (metadata) {
    endpoints.authorization = metadata->authorization_endpoint;
    endpoints.token = metadata->token_endpoint;
    endpoints.jwks = metadata->jwks_uri;
    endpoints.userinfo = metadata->userinfo_endpoint;
    endpoints.revocation = metadata->revocation_endpoint;
    endpoints.id_token_algorithms = metadata->id_token_algorithms;
    endpoints.sends_iss = metadata->sends_iss;
    methods = metadata->token_endpoint_auth_methods;
  }
  if (!provider.auth_url.empty()) endpoints.authorization = provider.auth_url;
  if (!provider.token_url.empty()) endpoints.token = provider.token_url;
  if (provider.user_info_endpoint.starts_with("http"))
    endpoints.userinfo = provider.user_info_endpoint;
  if (provider.user_info_endpoint.starts_with("/") && !provider.api_base_url.empty())
    endpoints.userinfo = provider.api_base_url + provider.user_info_endpoint;
  if (const auto revocation = text_member(provider.params, "revocation_endpoint"))
    endpoints.revocation = *revocation;
  NEXUS_TRY(endpoints.dialect, read_dialect(provider.params));
  endpoints.refresh = endpoints.dialect.refresh_url;
  if (!endpoints.dialect.pkce && !has_secret)
    return Error{ErrorCode::provider_misconfigured,
                 "without PKCE a client needs a secret: else whoever sees a code can use it",
                 "give the client secret, or leave the setting pkce out"};
  if (endpoints.authorization.empty() || endpoints.token.empty())
    return Error{ErrorCode::provider_misconfigured,
                 "provider " + provider.name + " has no authorization or token endpoint",
                 "give --issuer URL, or --auth-url URL --token-url URL"};

  const auto offers = [&](const char* method) {
    return std::find(methods.begin(), methods.end(), method) != methods.end();
  };
  if (!has_secret) {
    endpoints.client_auth = ClientAuthMethod::none;
  } else if (provider.auth_header == "client_secret_post" ||
             (provider.auth_header.empty() && !methods.empty() && !offers("client_secret_basic") &&
              offers("client_secret_post"))) {
    endpoints.client_auth = ClientAuthMethod::client_secret_post;
  } else {
    endpoints.client_auth = ClientAuthMethod::client_secret_basic;
  }
  return endpoints;
}

Result<ProviderEndpoints> pinned_endpoints(const std::string& pinned, const Provider& provider,
                                           bool has_secret) {
  auto endpoints = endpoints_from_json(Json::parse(pinned));
  NEXUS_TRY(endpoints.dialect, read_dialect(provider.params));
  if (!has_secret) {
    endpoints.client_auth = ClientAuthMethod::none;
  } else if (provider.auth_header == "client_secret_post") {
    endpoints.client_auth = ClientAuthMethod::client_secret_post;
  } else if (provider.auth_header == "client_secret_basic") {
    endpoints.client_auth = ClientAuthMethod::client_secret_basic;
  }
  return endpoints;
}

}  // namespace nexus
