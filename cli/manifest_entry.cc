#include "cli/manifest_entry.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/catalogue.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

bool stands_alone(const Json& entry) {
  for (const char* name : {"issuer", "auth_url", "token_url", "auth_type", "service_account"})
    if (entry.contains(name)) return true;
  return false;
}

}  // namespace

bool is_known_field(const std::string& name) {
  static const std::set<std::string> known{"name",
                                           "auth_type",
                                           "auth_header",
                                           "grant_type",
                                           "private_key",
                                           "service_account",
                                           "client_id",
                                           "client_secret",
                                           "auth_url",
                                           "token_url",
                                           "issuer",
                                           "scopes",
                                           "params",
                                           "enable_discovery",
                                           "api_base_url",
                                           "description",
                                           "category",
                                           "user_info_endpoint",
                                           "redirect_host",
                                           "redirect_path",
                                           "catalog",
                                           "vars",
                                           "allow_insecure_http",
                                           "allow_private_network"};
  return known.contains(name);
}

Result<Json> registration_of(Json entry) {
  const auto name = text_member(entry, "name").value_or("");
  const auto from = text_member(entry, "catalog");
  std::map<std::string, std::string> variables;
  if (const auto vars = entry.find("vars"); vars != entry.end()) {
    if (!vars->is_object())
      return Error{ErrorCode::usage, "vars has to be a table of texts",
                   "for example vars = { subdomain = \"acme\" }"};
    for (const auto& [variable, value] : vars->items())
      variables[variable] = value.is_string() ? value.get<std::string>() : to_text(value);
  }
  entry.erase("catalog");
  entry.erase("vars");
  if (!from && stands_alone(entry)) return entry;
  NEXUS_TRY(const auto found, Catalogue().find(lower(from.value_or(name))));
  if (!found && from)
    return Error{ErrorCode::usage,
                 "catalog names '" + printable(*from, 60) + "', which is not in the catalogue",
                 "see: nexus provider catalog"};
  if (!found) return entry;
  NEXUS_TRY(auto registration, found->filled_in(variables));
  if (const auto params = entry.find("params"); params != entry.end() && params->is_object()) {
    auto merged = registration["params"];
    for (const auto& [setting, value] : params->items()) {
      if (value == "") {
        merged.erase(setting);
      } else {
        merged[setting] = value;
      }
    }
    entry["params"] = std::move(merged);
  }
  // A client that signs, or has nothing to prove itself with, does not use the entry's method.
  const auto secret = text_member(entry, "client_secret");
  if (found->is_oauth() && (!secret || secret->empty())) registration.erase("auth_header");
  registration.update(entry);
  return registration;
}

}  // namespace nexus::cli
