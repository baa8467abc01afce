#include "daemon/strategy/strategy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json_fields.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/strategy/aws_sigv4.h"
#include "daemon/strategy/hmac_payload.h"

namespace nexus {
namespace {

/// One member of a strategy's config: its name, its default, and whether there has to be a value.
struct Member {
  const char* name;
  const char* fallback;
  bool required = false;
};

struct Kind {
  const char* type;
  std::vector<Member> config;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"header",
       {{"header_name", "Authorization"}, {"credential_field", "api_key"}, {"value_prefix", ""}}},
      {"query_param", {{"param_name", "", true}, {"credential_field", "api_key"}}},
      {"basic_auth", {{"username_field", "username"}, {"password_field", "password"}}},
      {"hmac_payload",
       {{"header_name", "", true},
        {"secret_field", "api_secret"},
        {"algo", "sha256"},
        {"encoding", "hex"}}},
      {"aws_sigv4", {{"service", "", true}, {"region", "us-east-1"}}},
      {"path", {}}};
  return all;
}

Result<Strategy> check(Strategy strategy) {
  const auto bad = [](const std::string& what) {
    return Error{ErrorCode::invalid_field, what, "correct the field and try again"};
  };
  for (const auto& [name, value] : strategy.config) {
    if (name == "header_name" && !is_header_name(value))
      return bad("header_name '" + printable(value, 60) + "' cannot be the name of a header");
    if (name == "value_prefix" && !is_vschar(value))
      return bad("value_prefix has characters that a header cannot carry");
    if (name == "algo" && value != "sha256" && value != "sha1")
      return bad("algo has to be sha256 or sha1");
    if (name == "encoding" && value != "hex" && value != "base64")
      return bad("encoding has to be hex or base64");
    if ((name == "service" || name == "region") &&
        value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      return bad(name + " has to be of a-z, 0-9 and '-'");
  }
  return strategy;
}

Result<Strategy> fill(const std::string& type, const Json& config, const std::string& where) {
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.type == type; });
  if (kind == kinds().end())
    return Error{ErrorCode::unsupported_auth_type,
                 "'" + printable(type, 40) + "' is no strategy for static credentials",
                 "use api_key, basic_auth, header, query_param, hmac_payload, aws_sigv4 or path"};
  Strategy strategy{type, {}};
  const JsonFields fields(config, where);
  for (const auto& member : kind->config) {
    std::string value = member.fallback;
    NEXUS_CHECK(fields.text(member.name, value));
    if (member.required && value.empty())
      return Error{ErrorCode::missing_fields,
                   where + member.name + " is missing: " + type + " needs it",
                   "give it with --param " + std::string(member.name) + "=…"};
    strategy.config.emplace_back(member.name, value);
  }
  return check(std::move(strategy));
}

/// The placement that a schema's property tells: the first one with `in` or `x-in`.
Json placement_in(const Json& params) {
  const auto schema = params.find("credential_schema");
  if (schema == params.end() || !schema->is_object() || !schema->contains("properties"))
    return nullptr;
  const auto& properties = schema->at("properties");
  if (!properties.is_object()) return nullptr;
  const auto either = [](const Json& property, const char* name) {
    const auto plain = text_member(property, name);
    return plain ? plain : text_member(property, (std::string("x-") + name).c_str());
  };
  for (const auto& [field, property] : properties.items()) {
    if (!property.is_object()) continue;
    const auto in = either(property, "in");
    if (!in) continue;
    const auto name = either(property, "name").value_or(field);
    if (*in == "query") return {{"param_name", name}, {"credential_field", field}};
    return {{"header_name", name},
            {"value_prefix", either(property, "prefix").value_or("")},
            {"credential_field", field}};
  }
  return nullptr;
}

/// The field of a schema with one field alone is the secret, whatever it is called.
std::string only_field(const Json& params) {
  const auto schema = params.find("credential_schema");
  if (schema == params.end() || !schema->is_object()) return "api_key";
  const auto properties = schema->find("properties");
  if (properties == schema->end() || !properties->is_object() || properties->size() != 1)
    return "api_key";
  return properties->begin().key();
}

Result<Strategy> read_api_key(const std::string& auth_header, const Json& params) {
  Json config = params;
  if (!params.contains("header_name") && !params.contains("param_name")) {
    if (const auto placement = placement_in(params); !placement.is_null()) {
      config.update(placement);
    } else {
      config["header_name"] = auth_header.empty() ? "X-API-Key" : auth_header;
    }
  }
  const bool query = config.contains("param_name") && !config.contains("header_name");
  NEXUS_TRY(auto placed, fill(query ? "query_param" : "header", config, "params."));
  placed.type = "api_key";
  placed.config.insert(placed.config.begin(), {"in", query ? "query" : "header"});
  return placed;
}

Error cannot_travel(const std::string& field) {
  return {ErrorCode::invalid_credentials,
          field + " has characters that a header cannot carry (line breaks or accents, say)",
          "copy it once more from the provider"};
}

/// Nothing that could begin another line, wherever it would stand: neither in what is put in nor in
/// what is there, which is signed line by line.
Result<void> check_lines(const RequestHead& request, const Credentials& credentials) {
  constexpr std::string_view ends("\r\n\0", 3);
  for (const auto& [name, value] : credentials)
    if (value.expose().find_first_of(ends) != std::string_view::npos) return cannot_travel(name);
  for (const auto& [name, value] : request.headers)
    if (!is_header_name(name) || value.expose().find_first_of(ends) != std::string_view::npos)
      return Error{ErrorCode::invalid_field,
                   "header '" + printable(name, 60) + "' is not one that can be sent",
                   "names are tokens, and values have no line breaks"};
  return {};
}

}  // namespace

bool is_header_name(const std::string& name) {
  constexpr auto others = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view(others).find(c) != std::string_view::npos;
  });
}

std::string Strategy::get(std::string_view name) const {
  for (const auto& [member, value] : config)
    if (member == name) return value;
  return {};
}

std::string Strategy::credential_field() const {
  return get("credential_field");
}

std::vector<std::string> Strategy::fields() const {
  if (type == "aws_sigv4") return {"access_key", "secret_key"};
  std::vector<std::string> names;
  for (const char* member :
       {"credential_field", "username_field", "password_field", "secret_field"})
    if (auto name = get(member); !name.empty()) names.push_back(std::move(name));
  return names;
}

Strategy Strategy::by_placement() const {
  if (type != "api_key") return *this;
  auto other = *this;
  other.type = get("in") == "query" ? "query_param" : "header";
  std::erase_if(other.config, [](const auto& member) { return member.first == "in"; });
  return other;
}

std::string Strategy::to_json() const {
  JsonWriter to;
  to.begin().member("type", type).begin("config");
  for (const auto& [name, value] : config) to.member(name, value);
  return to.end().end().take();
}

Result<Strategy> read_strategy(const std::string& auth_type, const std::string& auth_header,
                               const Json& params) {
  const JsonFields fields(params, "params.");
  NEXUS_TRY(const auto* explicit_one, fields.object("auth_strategy"));
  if (explicit_one) {
    const auto type = text_member(*explicit_one, "type").value_or(auth_type);
    NEXUS_TRY(const auto* given,
              JsonFields(*explicit_one, "params.auth_strategy.").object("config"));
    Json config = given ? *given : Json::object();
    if (!config.contains("credential_field")) config["credential_field"] = only_field(params);
    if (type == "api_key") return read_api_key(auth_header, config);
    return fill(type, config, "params.auth_strategy.config.");
  }
  Json config = params;
  if (!config.contains("credential_field")) config["credential_field"] = only_field(params);
  if (auth_type == "api_key") return read_api_key(auth_header, config);
  if (auth_type == "header" && !config.contains("header_name") && !auth_header.empty())
    config["header_name"] = auth_header;
  return fill(auth_type, config, "params.");
}

Result<void> authenticate(RequestHead& request, const Strategy& strategy,
                          const Credentials& credentials, const Payload& payload, UnixTime now) {
  NEXUS_CHECK(check_lines(request, credentials));
  const auto field = [&](const std::string& name) { return credential(credentials, name); };
  const auto type = strategy.by_placement().type;
  if (type == "header") {
    const auto name = strategy.credential_field();
    if (!is_vschar(field(name))) return cannot_travel(name);
    SecretText value(strategy.get("value_prefix"));
    value.append(field(name));
    request.set_header(strategy.get("header_name"), Secret(value));
  } else if (type == "query_param") {
    const auto name = strategy.get("param_name");
    request.url = with_parameters(without_parameter(request.url, name),
                                  {{name, std::string(field(strategy.credential_field()))}});
  } else if (type == "basic_auth") {
    // RFC 7617: the user name ends at the first colon.
    const auto username = field(strategy.get("username_field"));
    if (username.find(':') != std::string_view::npos)
      return Error{ErrorCode::invalid_credentials, "the user name has a colon",
                   "Basic authentication cannot carry it"};
    auto pair = std::string(username) + ":";
    pair.append(field(strategy.get("password_field")));
    auto header = "Basic " + base64(pair);
    request.set_header("Authorization", Secret(header));
    wipe(pair);
    wipe(header);
  } else if (type == "hmac_payload") {
    if (payload.is_unsigned)
      return Error{ErrorCode::invalid_field,
                   "the signature is over the whole body, and nobody has read it to its end",
                   "send a body whose length is known"};
    const auto mac =
        hmac(strategy.get("algo") == "sha1" ? HmacAlgorithm::sha1 : HmacAlgorithm::sha256,
             field(strategy.get("secret_field")), payload.body);
    request.set_header(strategy.get("header_name"),
                       Secret(strategy.get("encoding") == "base64" ? base64(mac) : hex(mac)));
  } else if (type == "aws_sigv4") {
    for (const char* name : {"access_key", "secret_key", "session_token"})
      if (!is_vschar(field(name))) return cannot_travel(name);
    return aws::sign(request, {field("access_key"), field("secret_key"), field("session_token")},
                     {strategy.get("service"), strategy.get("region")}, payload, now);
  }
  return {};
}

}  // namespace nexus
