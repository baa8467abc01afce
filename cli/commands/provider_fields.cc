#include "cli/commands/provider_fields.h"

#include <nlohmann/json.hpp>
#include <tuple>

#include "cli/output/prompt.h"
#include "cli/output/table.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

// Headings of the help.
constexpr auto kClient = "Client";
constexpr auto kEndpoints = "Endpoints";

}  // namespace

Result<std::map<std::string, std::string>> pairs_of(const std::vector<std::string>& words,
                                                    const std::string& option) {
  std::map<std::string, std::string> pairs;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Error{ErrorCode::usage,
                   option + " wants NAME=VALUE, not '" + printable(word, 60) + "'",
                   "for example " + option +
                       (option == "--var" ? " subdomain=acme" : " access_type=offline")};
    pairs[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return pairs;
}

void add_parameters(Record& lines, const std::map<std::string, std::string>& params) {
  for (const auto& [name, json] : params) {
    const auto value = json.starts_with('{') ? "{…}" : plain_text(json);
    lines.emplace_back(name == params.begin()->first ? "parameters" : "", name + "=" + value);
  }
}

void print_provider(const Output& output, const api::Provider& p) {
  if (output.json) return output.json_line(api::to_json(p));
  Record lines{{"provider", p.name}};
  const auto row = [&](const char* label, const std::string& value) {
    if (!value.empty()) lines.emplace_back(label, value);
  };
  row("id", p.id);
  row("type", word(p.auth_type));
  row("issuer", p.issuer);
  row("authorization endpoint", p.auth_url);
  row("token endpoint", p.token_url);
  row("client id", p.client_id);
  row(p.public_jwk.empty() ? "client secret" : "private key",
      p.client_secret_fingerprint.empty() ? "" : "set, fingerprint " + p.client_secret_fingerprint);
  row("client authentication", p.auth_header);
  row("grant", p.grant_type);
  if (p.has_key_to_register()) lines.emplace_back("public key to register", p.public_jwk);
  row("scopes", join(p.scopes, " "));
  add_parameters(lines, p.params);
  row("API", p.api_base_url);
  row("who am I", p.user_info_endpoint);
  if (p.needs_redirect()) row("redirect URI", p.redirect_uri);
  print_record(output, lines);
  if (!p.warning.empty()) output.warn(p.warning);
}

SecretText with_proof(std::string_view body, const ClientProof& proof) {
  SecretText out(body);
  if (proof.empty()) return out;
  SecretJsonWriter member;
  member.begin().member(proof.member, proof.secret.expose()).end();
  auto object = member.take();
  if (body == "{}") return object;
  out.back() = ',';
  out.append(std::string_view(object).substr(1));
  return out;
}

Result<Json> fields_of(const ProviderArgs& args, Json params) {
  Json body = Json::object();
  const auto put = [&](const char* name, const auto& value) {
    if (value) body[name] = *value;
  };
  put("auth_type", args.auth_type);
  put("issuer", args.issuer);
  put("auth_url", args.auth_url);
  put("token_url", args.token_url);
  put("client_id", args.client_id);
  put("auth_header", args.client_auth);
  put("grant_type", args.grant_type);
  put("api_base_url", args.api_base_url);
  put("user_info_endpoint", args.user_info_endpoint);
  put("redirect_host", args.redirect_host);
  put("redirect_path", args.redirect_path);
  put("allow_insecure_http", args.allow_insecure_http);
  put("allow_private_network", args.allow_private_network);
  if (!args.scopes.empty()) body["scopes"] = args.scopes;
  NEXUS_TRY(const auto given, pairs_of(args.params, "--param"));
  for (const auto& [name, value] : given) {
    if (value.empty()) {
      params.erase(name);  // as it is without the setting
    } else {
      params[name] = value;
    }
  }
  if (!args.params.empty()) body["params"] = std::move(params);
  return body;
}

Result<std::optional<SecretText>> edit_of(const ProviderArgs& args, const api::Provider& before) {
  Json params = Json::object();
  for (const auto& [name, json] : before.params) params[name] = Json::parse(json, nullptr, false);
  NEXUS_TRY(auto body, fields_of(args, std::move(params)));
  NEXUS_TRY(const auto proof, client_proof_of(args));
  if (args.no_client_secret) body["client_secret"] = "";
  if (body.empty() && proof.empty()) return std::optional<SecretText>();
  return std::optional(with_proof(to_text(body), proof));
}

Result<ClientProof> client_proof_of(const ProviderArgs& args) {
  if (!args.client_secret.empty())
    return Error{ErrorCode::usage, "a secret on the command line can be read by every program here",
                 "give it with --client-secret-file FILE, or - for stdin"};
  const std::tuple<const std::string&, const char*, const char*> ways[] = {
      {args.client_secret_file, "client_secret", "client secret"},
      {args.private_key_file, "private_key", "private key"},
      {args.service_account_file, "service_account", "service account"}};
  ClientProof proof;
  for (const auto& [file, member, prompt] : ways) {
    if (file.empty()) continue;
    if (!proof.empty())
      return Error{ErrorCode::usage, "a client has one secret or one key",
                   "give one of --client-secret-file, --private-key-file, --service-account-file"};
    NEXUS_TRY(proof.secret, read_secret(file, prompt));
    proof.member = member;
  }
  return proof;
}

void add_fields(std::vector<Argument>& arguments, ProviderArgs& args) {
  const Argument fields[] = {
      {"--auth-type",
       &args.auth_type,
       "how credentials travel (default: oauth2)",
       {.one_of = word_list<AuthType>()}},
      {"--grant-type",
       &args.grant_type,
       "how tokens are come by (default: authorization_code; the last two need no person)",
       {.one_of = {"authorization_code", "device_code", "client_credentials", "jwt_bearer"}}},
      {"--scope", &args.scopes, "a scope to ask for by default (repeatable)"},
      {"--param",
       &args.params,
       "a parameter of the authorization request or a setting; NAME= takes it away; see "
       "nexus-providers(5) (repeatable)",
       {.value = "NAME=VALUE"}},
      {"--client-id", &args.client_id, "the client's id at the provider", {.group = kClient}},
      {"--client-secret-file",
       &args.client_secret_file,
       "the client's secret; - for stdin (no echo on a terminal)",
       {.group = kClient, .names = Names::file}},
      {"--client-secret", &args.client_secret, "", {.hidden = true}},
      {"--private-key-file",
       &args.private_key_file,
       "the key (PEM) that the client signs with instead of a secret; - for stdin",
       {.group = kClient, .names = Names::file}},
      {"--service-account-file",
       &args.service_account_file,
       "a Google service account's key (JSON): client, endpoint and grant in one",
       {.group = kClient, .names = Names::file}},
      {"--client-auth",
       &args.client_auth,
       "how the client proves itself",
       {.one_of = {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
        .group = kClient}},
      {"--issuer",
       &args.issuer,
       "OpenID Connect or OAuth issuer; endpoints are discovered",
       {.value = "URL", .group = kEndpoints}},
      {"--auth-url",
       &args.auth_url,
       "authorization endpoint, where there is no issuer",
       {.group = kEndpoints}},
      {"--token-url",
       &args.token_url,
       "token endpoint, where there is no issuer",
       {.group = kEndpoints}},
      {"--api-base-url",
       &args.api_base_url,
       "where the provider's API lives",
       {.group = kEndpoints}},
      {"--user-info-endpoint",
       &args.user_info_endpoint,
       "URL that tells whose account it is; for static credentials the path, below the API's "
       "base URL, that checks them",
       {.value = "URL", .group = kEndpoints}},
      {"--redirect-host",
       &args.redirect_host,
       "localhost, where the provider insists",
       {.group = kEndpoints}},
      {"--redirect-path",
       &args.redirect_path,
       "path of the redirect URI, where it is registered already",
       {.group = kEndpoints}},
      {"--allow-insecure-http",
       &args.allow_insecure_http,
       "allow plain http for a provider on this machine",
       {.group = kEndpoints}},
      {"--allow-private-network",
       &args.allow_private_network,
       "allow a provider on a private network",
       {.group = kEndpoints}}};
  arguments.insert(arguments.end(), std::begin(fields), std::end(fields));
}

}  // namespace nexus::cli
