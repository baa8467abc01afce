#include "daemon/provider/registration.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/json_fields.h"
#include "common/secret_fault.h"
#include "common/text.h"
#include "common/text_fault.h"
#include "daemon/net/url.h"
#include "daemon/provider/api_base.h"

namespace nexus {
namespace {

Error bad(const std::string& field, const std::string& what) {
  Error error{ErrorCode::invalid_field, field + " " + what, "correct the field and try again"};
  error.field = field;
  return error;
}

/// A field that has to be there and is not.
Error missing(const std::string& field, const std::string& message, const std::string& hint) {
  Error error{ErrorCode::missing_fields, message, hint};
  error.field = field;
  return error;
}

Result<void> read_texts(const Json& body, Provider& provider) {
  for (const auto& [name, member] : api::profile_texts()) {
    const auto found = body.find(name);
    if (found == body.end() || found->is_null()) continue;
    if (!found->is_string()) return bad(name, "has to be a text");
    const auto& text = found->get_ref<const std::string&>();
    if (const auto fault = fault_of_text(text); !fault.empty()) return bad(name, fault);
    provider.*member = trim(text);
  }
  for (const auto& [name, member] : api::profile_switches()) {
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
      {"user_info_endpoint", p.user_info_endpoint}};
  for (const auto& [name, value] : endpoints) {
    if (value.empty() || (std::string_view(name) == "user_info_endpoint" && value[0] == '/'))
      continue;
    NEXUS_CHECK(parse_endpoint(value, name, p.allow_insecure_http));
  }
  return check_api_base(p);
}

/// What has to be known where no metadata tells it.
Result<void> check_endpoints_of(const Provider& p) {
  const bool discovers = !p.issuer.empty() && p.enable_discovery;
  if (discovers) return {};
  switch (p.grant) {
    case GrantType::authorization_code:
      if (!p.auth_url.empty() && !p.token_url.empty()) return {};
      return Error{ErrorCode::missing_fields,
                   "an oauth2 provider needs an issuer, or auth_url and token_url",
                   "give --issuer URL, or --auth-url URL --token-url URL"};
    case GrantType::device_code:
      if (!p.settings.device_authorization_endpoint.empty() && !p.token_url.empty()) return {};
      return Error{
          ErrorCode::missing_fields,
          "the device grant needs an issuer, or token_url and the setting "
          "device_authorization_endpoint",
          "give --issuer URL, or --token-url URL --param device_authorization_endpoint=URL"};
    default:
      if (!p.token_url.empty()) return {};
      return Error{ErrorCode::missing_fields, "the grant needs an issuer, or token_url",
                   "give --issuer URL, or --token-url URL"};
  }
}

Result<void> check_oauth(const Provider& p) {
  if (p.settings.sends_iss && p.issuer.empty())
    return bad("params.sends_iss", "needs the issuer that iss is compared with");
  if (p.client_id.empty())
    return missing("client_id", "client_id is missing",
                   "create a client at the provider and give its id");
  if (!is_vschar(p.client_id)) return bad("client_id", "has characters that are not allowed");
  NEXUS_CHECK(check_endpoints_of(p));
  const auto& settings = p.settings;
  const std::pair<const char*, const std::string&> endpoints[] = {
      {"params.revocation_endpoint", settings.revocation_endpoint},
      {"params.device_authorization_endpoint", settings.device_authorization_endpoint},
      {"params.refresh_url", settings.dialect.refresh_url}};
  for (const auto& [name, value] : endpoints)
    if (!value.empty()) NEXUS_CHECK(parse_endpoint(value, name, p.allow_insecure_http));
  return {};
}

Result<void> check(const Provider& p) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (p.name.empty()) return missing("name", "name is missing", "give the provider a name");
  if (p.name.size() > 64 || p.name.find_first_not_of(allowed) != std::string::npos)
    return bad("name", "has to be of a-z, 0-9 and '-', at most 64 of them");
  if (!p.redirect_host.empty() && p.redirect_host != "localhost" &&
      p.redirect_host != "127.0.0.1" && p.redirect_host != "[::1]")
    return bad("redirect_host", "has to be localhost, 127.0.0.1 or [::1]");
  if (!p.redirect_path.empty() && !is_plain_path(p.redirect_path))
    return bad("redirect_path", "has to be a plain path, for example /auth/callback");
  NEXUS_CHECK(check_urls(p));
  return p.is_static() ? Result<void>() : check_oauth(p);
}

Result<void> read_auth_type(const Json& body, Provider& provider) {
  std::string text = word(AuthType::oauth2);
  NEXUS_CHECK(JsonFields(body).text("auth_type", text));
  const auto type = from_word<AuthType>(trim(text));
  if (!type) {
    Error error{ErrorCode::unsupported_auth_type,
                "auth_type '" + printable(text, 40) + "' is not supported",
                "use oauth2, api_key, basic_auth, header, query_param, hmac_payload or aws_sigv4"};
    error.field = "auth_type";
    return error;
  }
  provider.auth_type = *type;
  return {};
}

Result<void> read_grant(const Json& body, Provider& provider) {
  std::string text;
  NEXUS_CHECK(JsonFields(body).text("grant_type", text));
  const auto grant = grant_of(trim(text));
  if (!grant)
    return bad("grant_type",
               "has to be authorization_code, device_code, client_credentials or jwt_bearer");
  provider.grant = *grant;
  return {};
}

Result<void> read_auth_header(Provider& provider, bool has_secret) {
  auto method = lower(provider.auth_header);
  if (method == "basic") method = "client_secret_basic";
  provider.auth_header = method;
  if (!method.empty() && !client_auth_method(method))
    return bad("auth_header",
               "has to be client_secret_basic, client_secret_post, private_key_jwt or none");
  const bool by_secret = method.starts_with("client_secret");
  if (by_secret && provider.grant == GrantType::jwt_bearer)
    return bad("auth_header", "is " + method + ", but the jwt_bearer grant signs with a key");
  if (provider.signs() && !has_secret)
    return Error{ErrorCode::missing_fields, "the private key is missing",
                 "give it with --private-key-file FILE (or - for stdin)"};
  if (has_secret && method == "none" && !provider.signs())
    return bad("auth_header", "is none, but there is a client secret");
  if (!has_secret && by_secret)
    return Error{ErrorCode::missing_fields,
                 "auth_header is " + method + ", but no client secret came",
                 "give it with --client-secret-file FILE (or - for stdin)"};
  // RFC 6749 4.4: only for clients that can prove who they are.
  if (!has_secret && provider.grant == GrantType::client_credentials)
    return Error{ErrorCode::missing_fields, "the client_credentials grant needs a client secret",
                 "give it with --client-secret-file FILE, or a key with --private-key-file FILE"};
  return {};
}

/// Moves a text member out of the body into a Secret; nothing where it is absent or null.
Result<std::optional<Secret>> take_secret(Json& fields, const char* name) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->is_null()) return std::optional<Secret>();
  if (!found->is_string()) return bad(name, "has to be a text");
  auto& text = found->get_ref<std::string&>();
  std::optional<Secret> secret(trim(text));
  wipe(text);
  return secret;
}

/// The file that Google hands out for a service account: it names client, key and token endpoint.
Result<void> expand_service_account(Json& fields) {
  const auto found = fields.find("service_account");
  if (found == fields.end() || found->is_null()) return {};
  Json account;
  if (found->is_string()) {
    auto& text = found->get_ref<std::string&>();
    auto parsed = parse_json_object(text);
    wipe(text);
    if (!parsed) return bad("service_account", "is not a JSON object");
    account = std::move(**parsed);
  } else {
    account = std::move(*found);
  }
  fields.erase("service_account");
  const auto has = [&](const char* name) {
    const auto member = account.find(name);
    return member != account.end() && member->is_string() && *member != "";
  };
  if (!account.is_object() || text_member(account, "type") != "service_account" ||
      !has("client_email") || !has("private_key") || !has("token_uri"))
    return Error{
        ErrorCode::invalid_field,
        "service_account is no service account's key: it needs type, client_email, "
        "private_key and token_uri",
        "give the JSON file as Google's console hands it out: IAM, Service Accounts, Keys"};
  fields["grant_type"] = to_text(GrantType::jwt_bearer);
  fields["client_id"] = account["client_email"];
  fields["token_url"] = account["token_uri"];
  // Moved, so that there is no second copy to be wiped.
  fields["private_key"] = std::move(account["private_key"]);
  auto& params = fields["params"];
  if (!params.is_object()) params = Json::object();
  if (has("private_key_id")) params["key_id"] = account["private_key_id"];
  return {};
}

/// Variables and JSON often hold a PEM key in one line, with a written "\n" where its lines end.
void restore_lines(std::optional<Secret>& key) {
  constexpr std::string_view escaped = "\\n";
  if (!key || !key->expose().starts_with("-----BEGIN ") ||
      key->expose().find('\n') != std::string_view::npos)
    return;
  SecretText pem;
  pem.reserve(key->expose().size());
  for (auto rest = key->expose(); !rest.empty();) {
    const auto end = rest.find(escaped);
    pem.append(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    pem.push_back('\n');
    rest.remove_prefix(end + escaped.size());
  }
  key.emplace(pem);
}

Result<void> read_client_secret(Json& fields, ProviderRegistration& registration) {
  constexpr std::size_t kLongest = 16 * 1024;
  NEXUS_TRY(auto key, take_secret(fields, "private_key"));
  NEXUS_TRY(auto secret, take_secret(fields, "client_secret"));
  restore_lines(key);
  restore_lines(secret);
  auto& provider = registration.provider;
  const char* name = key && !key->empty() ? "private_key" : "client_secret";
  if (key && !key->empty()) {
    if (secret && !secret->empty())
      return bad("private_key", "and client_secret are both given: a client has one of them");
    if (provider.auth_header.empty() && provider.grant != GrantType::jwt_bearer)
      provider.auth_header = to_text(ClientAuthMethod::private_key_jwt);
    secret = std::move(key);
  }
  if (!secret) return {};
  if (secret->expose().size() > kLongest) return bad(name, "is too long");
  const auto form = provider.signs() ? SecretForm::lines : SecretForm::line;
  if (const auto fault = fault_of_secret(secret->expose(), form); !fault.empty())
    return bad(name, fault);
  registration.client_secret = std::move(secret);
  return {};
}

}  // namespace

Result<ProviderRegistration> read_registration(Json& body, bool has_secret) {
  Json* fields = &body;
  if (const auto profile = body.find("profile"); profile != body.end()) fields = &*profile;
  if (!fields->is_object()) return bad("profile", "has to be an object");
  ProviderRegistration registration;
  auto& provider = registration.provider;
  NEXUS_CHECK(expand_service_account(*fields));
  NEXUS_CHECK(read_texts(*fields, provider));
  NEXUS_CHECK(read_auth_type(*fields, provider));
  NEXUS_CHECK(read_grant(*fields, provider));
  NEXUS_CHECK(read_client_secret(*fields, registration));
  NEXUS_CHECK(read_scopes(*fields, provider));
  NEXUS_TRY(const auto* given, JsonFields(*fields).object("params"));
  auto params = given ? *given : Json::object();
  NEXUS_CHECK(read_texts_as_json(params));
  NEXUS_CHECK(settle(provider, params));
  if (const auto replace = fields->find("replace"); replace != fields->end())
    registration.replace = replace->is_boolean() && replace->get<bool>();
  if (registration.client_secret) has_secret = !registration.client_secret->empty();
  if (!provider.is_static()) NEXUS_CHECK(read_auth_header(provider, has_secret));
  NEXUS_CHECK(check(provider));
  return registration;
}

}  // namespace nexus
