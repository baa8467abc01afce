// Manifests of what is registered: what differs from the catalogue, where that can be told.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/catalogue.h"
#include "cli/data_file.h"
#include "cli/manifest.h"
#include "cli/manifest_entry.h"
#include "common/json.h"

namespace nexus::cli {
namespace {

using Values = std::map<std::string, std::string>;

/// As it is where nobody says anything.
bool is_default(const std::string& field, const Json& value) {
  return value.is_null() || value == "" || value == Json::array() || value == Json::object() ||
         (value.is_boolean() && value == (field == "enable_discovery")) ||
         (field == "grant_type" && value == "authorization_code");
}

/// What a manifest has to say where there is no catalogue.
Json all_of(const api::Provider& provider) {
  Json table = Json::object();
  const auto profile = Json::parse(api::to_json(provider));
  for (const auto& [field, value] : profile.items())
    if (is_known_field(field) && field != "name" && !is_default(field, value)) table[field] = value;
  if (!provider.needs_redirect()) table.erase("redirect_path");
  if (provider.client_secret_fingerprint.empty()) return table;
  const std::string member = provider.public_jwk.empty() ? "client_secret" : "private_key";
  auto variable = provider.name + "_" + member;
  std::transform(variable.begin(), variable.end(), variable.begin(), [](unsigned char c) {
    return std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
  });
  table[member] = "${" + variable + "}";
  return table;
}

/// "https://{subdomain}.example.com" and "https://acme.example.com": subdomain is acme. Adds
/// nothing where the text is not one of the template's.
void match(std::string_view pattern, std::string_view text, Values& values) {
  Values found;
  while (true) {
    const auto open = pattern.find('{');
    const auto close = pattern.find('}', open);
    if (close == std::string_view::npos) break;
    if (!text.starts_with(pattern.substr(0, open))) return;
    text.remove_prefix(open);
    const std::string name(pattern.substr(open + 1, close - open - 1));
    pattern.remove_prefix(close + 1);
    const auto next = pattern.substr(0, pattern.find('{'));
    const auto end = next.empty() ? text.size() : text.find(next);
    if (end == std::string_view::npos || end == 0) return;
    found[name] = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (text == pattern) values.merge(found);
}

void match(const Json& pattern, const Json& value, Values& values) {
  if (pattern.is_string() && value.is_string())
    return match(std::string_view(pattern.get_ref<const std::string&>()),
                 std::string_view(value.get_ref<const std::string&>()), values);
  if (!pattern.is_object() || !value.is_object()) return;
  for (const auto& [member, inner] : pattern.items())
    if (const auto found = value.find(member); found != value.end()) match(inner, *found, values);
}

/// What the entry's variables may have been when the provider was made of it: for each of its
/// forms, those that the addresses show.
std::vector<Values> guesses_of(const CatalogueEntry& entry, const Json& all) {
  std::vector<Values> guesses(1);
  match(*entry.profile, all, guesses[0]);
  for (const auto& variable : entry.variables) {
    if (!variable.replaces) continue;
    auto values = guesses[0];
    match(*variable.replaces, all, values);
    guesses.push_back(std::move(values));
  }
  for (auto& values : guesses)
    std::erase_if(values, [&](const auto& value) {
      return std::none_of(
          entry.variables.begin(), entry.variables.end(), [&](const auto& variable) {
            return variable.name == value.first && variable.fallback != value.second;
          });
    });
  return guesses;
}

Json member_of(const Json& object, const std::string& name) {
  return object.contains(name) ? object[name] : Json();
}

/// What has to be said above the registration that an entry gives by itself.
Json differences(const Json& all, const Json& registration) {
  Json table = Json::object();
  for (const auto& [field, value] : registration.items())
    if (is_known_field(field) && field != "name" && field != "params" && !all.contains(field) &&
        !is_default(field, value))
      table[field] = value.is_boolean() ? Json(!value.get<bool>())
                     : value.is_array() ? Json::array()
                                        : Json("");
  for (const auto& [field, value] : all.items())
    if (field != "params" && value != member_of(registration, field)) table[field] = value;
  const auto params = all.value("params", Json::object());
  const auto given = registration.value("params", Json::object());
  for (const auto& [setting, value] : given.items())
    if (!params.contains(setting)) table["params"][setting] = "";
  for (const auto& [setting, value] : params.items())
    if (value != member_of(given, setting)) table["params"][setting] = value;
  return table;
}

/// The provider as its entry with differences; nothing where that would not be the same provider.
std::optional<Json> by_entry(const CatalogueEntry& entry, const Values& variables,
                             const std::string& name, const Json& all) {
  Json table{{"catalog", entry.name}};
  for (const auto& [variable, value] : variables) table["vars"][variable] = value;
  // What a client proves itself with decides about what the entry gives.
  for (const char* secret : {"client_secret", "private_key"})
    if (all.contains(secret)) table[secret] = all[secret];
  const auto complete = [&](Json entry_table) -> Result<Json> {
    entry_table["name"] = name;
    NEXUS_TRY(auto registration, registration_of(std::move(entry_table)));
    if (!registration.contains("auth_type")) registration["auth_type"] = word(AuthType::oauth2);
    return registration;
  };
  const auto plain = complete(table);
  if (!plain) return std::nullopt;
  table.update(differences(all, *plain));
  const auto made = complete(table);
  if (!made || !differences(all, *made).empty()) return std::nullopt;
  return table;
}

/// "${" as a manifest reads it for what it is; but for the secrets, which are variables.
void escape(Json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3))
      text.insert(at, "$");
  } else if (value.is_structured()) {
    for (const auto& [member, inner] : value.items())
      if (member != "client_secret" && member != "private_key") escape(inner);
  }
}

Json table_of(const api::Provider& provider) {
  auto all = all_of(provider);
  const auto entry = Catalogue().find(provider.catalogue_entry());
  if (!entry || !*entry) return all;
  auto shortest = all;
  for (const auto& variables : guesses_of(**entry, all)) {
    const auto table = by_entry(**entry, variables, provider.name, all);
    if (table && to_text(*table).size() < to_text(shortest).size()) shortest = *table;
  }
  return shortest;
}

}  // namespace

std::string manifest_of(const std::vector<api::Provider>& providers) {
  Json tables = Json::object();
  for (const auto& provider : providers) {
    auto table = table_of(provider);
    escape(table);
    tables[provider.name] = std::move(table);
  }
  if (tables.empty()) return {};
  return to_toml({{"providers", std::move(tables)}});
}

}  // namespace nexus::cli
