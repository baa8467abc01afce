#include "daemon/bundle/bundled.h"

#include <nlohmann/json.hpp>

#include "common/alias.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

Error in_bundle(const std::string& what, Error error) {
  error.code = ErrorCode::invalid_bundle;
  error.message = what + ": " + error.message;
  error.hint = "correct it where the connection is, and export it anew";
  return error;
}

/// That an object has no member but those that nexusd writes there: `known` is one that has all of
/// them. A newer version of the format would say that it is one.
Result<void> check_members(const std::string& where, const Json& given, const Json& known) {
  for (const auto& [name, value] : given.items())
    if (!known.contains(name))
      return Error{ErrorCode::invalid_bundle,
                   where + " has an unknown member, " + printable(name, 80)};
  return {};
}

/// Where tokens go is held to what a registration is held to.
Result<void> check_endpoints(const std::string& pinned, const Provider& provider) {
  NEXUS_TRY(const auto given, parse_json_object(pinned));
  NEXUS_CHECK(check_members("endpoints", *given, Json::parse(to_text(ProviderEndpoints{}))));
  NEXUS_TRY(const auto endpoints, endpoints_from_text(pinned));
  const std::pair<const char*, const std::string&> urls[] = {{"token", endpoints.token},
                                                             {"refresh", endpoints.refresh},
                                                             {"revocation", endpoints.revocation},
                                                             {"userinfo", endpoints.userinfo},
                                                             {"jwks", endpoints.jwks}};
  for (const auto& [name, url] : urls)
    if (!url.empty()) NEXUS_CHECK(parse_endpoint(url, name, provider.allow_insecure_http));
  const auto allowed = provider.addresses();
  if ((endpoints.addresses.loopback && !allowed.loopback) ||
      (endpoints.addresses.private_networks && !allowed.private_networks) ||
      (endpoints.allow_insecure_http && !provider.allow_insecure_http) ||
      endpoints.client_id != provider.client_id)
    return Error{ErrorCode::invalid_bundle, "its endpoints are not those of its provider"};
  return {};
}

Result<void> check(const BundledConnection& connection, const Provider& provider) {
  const auto& row = connection.row;
  if (!row.alias.empty()) NEXUS_CHECK(check_alias(row.alias));
  const bool is_static = row.auth_type != AuthType::oauth2;
  if (is_static != provider.is_static())
    return Error{ErrorCode::invalid_bundle, "its type is not that of its provider"};
  for (const auto& secret : connection.secrets) {
    const auto text = secret.value.expose();
    const bool good =
        secret.field == SecretField::credentials ? is_json_object(text) : is_vschar(text);
    if (!good)
      return Error{ErrorCode::invalid_bundle,
                   std::string("its ") + word(secret.field) + " is none that could be used"};
  }
  return is_static ? Result<void>() : check_endpoints(connection.pinned, provider);
}

}  // namespace

Result<ProviderRegistration> registration_of(const BundledProvider& bundled) {
  const auto name = "the provider " + printable(bundled.name, 80);
  auto profile = parse_json_object(bundled.profile);
  if (!profile) return in_bundle(name, std::move(profile).error());
  auto& fields = **profile;
  if (auto known = check_members("profile", fields, to_json(Provider{})); !known)
    return in_bundle(name, std::move(known).error());
  fields["name"] = bundled.name;
  fields["client_secret"] = bundled.client_secret.expose();
  auto registration = read_registration(fields);
  if (!registration) return in_bundle(name, std::move(registration).error());
  return registration;
}

Result<void> check_bundled(const BundledConnection& connection, const Provider& provider) {
  auto good = check(connection, provider);
  if (!good) return in_bundle("connection " + connection.row.id, std::move(good).error());
  return {};
}

}  // namespace nexus
