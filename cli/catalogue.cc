#include "cli/catalogue.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/catalogue_names.h"
#include "cli/data_file.h"
#include "cli/exec/variable_name.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/paths.h"
#include "common/regular_file.h"
#include "common/suggestion.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// What the command line itself goes by has to be of its type; nexusd checks the rest.
Result<void> read_profile(const JsonFields& fields, Json& profile, CatalogueEntry& entry) {
  std::string text;
  for (const char* name :
       {"auth_header", "issuer", "auth_url", "token_url", "api_base_url", "user_info_endpoint"})
    NEXUS_CHECK(fields.text(name, text));
  std::string type = word(AuthType::oauth2);
  NEXUS_CHECK(fields.one_of("auth_type", word_list<AuthType>(), type));
  entry.auth_type = from_word<AuthType>(type).value_or(AuthType::oauth2);
  NEXUS_CHECK(fields.text("grant_type", entry.grant_type));
  NEXUS_CHECK(fields.text("redirect_host", entry.redirect_host));
  NEXUS_CHECK(fields.texts("scopes", entry.scopes));
  auto& params = profile["params"];
  const JsonFields settings(params, "params.");
  NEXUS_CHECK(settings.flag("skip_scope_on_auth", entry.without_scope));
  NEXUS_CHECK(settings.flag("sends_iss", entry.sends_iss));
  NEXUS_CHECK(settings.flag("https_redirect", entry.https_redirect));
  return {};
}

/// Members of an entry that are fields of the registration.
const std::set<std::string> kProfileFields{"auth_type",
                                           "auth_header",
                                           "grant_type",
                                           "issuer",
                                           "auth_url",
                                           "token_url",
                                           "scopes",
                                           "api_base_url",
                                           "redirect_host",
                                           "redirect_path",
                                           "enable_discovery",
                                           "description",
                                           "user_info_endpoint",
                                           "category",
                                           "params",
                                           "allow_insecure_http",
                                           "allow_private_network"};

Result<CatalogueVariable> read_variable(const std::string& name, const Json& table) {
  const JsonFields fields(table, "variables." + name + ".");
  CatalogueVariable variable;
  variable.name = name;
  NEXUS_CHECK(fields.text("title", variable.title));
  if (variable.title.empty()) variable.title = name;
  NEXUS_CHECK(fields.text("description", variable.description));
  NEXUS_CHECK(fields.text("suffix", variable.suffix));
  NEXUS_CHECK(fields.text("default", variable.fallback));
  NEXUS_CHECK(fields.texts("choices", variable.choices));
  NEXUS_CHECK(fields.flag("optional", variable.optional));
  NEXUS_TRY(const auto* replaces, fields.object("replaces"));
  if (!replaces) return variable;
  variable.replaces = std::make_shared<const Json>(*replaces);
  const JsonFields replaced(*replaces, "variables." + name + ".replaces.");
  NEXUS_CHECK(replaced.object("params"));
  for (const auto& [field, value] : replaces->items())
    if (!kProfileFields.contains(field))
      return fields.bad("replaces", "names " + field + ", which is no field of a provider");
  return variable;
}

Result<std::map<std::string, std::string>> read_env(const JsonFields& fields, const char* name) {
  std::map<std::string, std::string> env;
  NEXUS_CHECK(fields.map(name, env));
  for (const auto& [variable, value] : env)
    if (auto checked = check_variable_name(variable); !checked)
      return fields.bad(name, "is wrong: " + checked.error().message);
  return env;
}

Result<void> read_envs(const JsonFields& fields, CatalogueEntry& entry) {
  NEXUS_TRY(entry.env, read_env(fields, "env"));
  for (const auto& [variable, field] : entry.env)
    if (field.empty()) return fields.bad("env", "names no field for " + variable);
  NEXUS_TRY(entry.proxy_env, read_env(fields, "proxy_env"));
  for (const auto& [variable, path] : entry.proxy_env)
    if (!path.empty() && !is_plain_path(path))
      return fields.bad("proxy_env", "has no path for " + variable);
  return {};
}

Result<CatalogueEntry> read_entry(const Json& document, const std::string& name) {
  const JsonFields fields(document);
  CatalogueEntry entry;
  entry.name = name;
  entry.display_name = name;
  NEXUS_CHECK(fields.text("display_name", entry.display_name));
  NEXUS_CHECK(fields.text("category", entry.category));
  NEXUS_CHECK(fields.text("docs_url", entry.docs_url));
  NEXUS_CHECK(fields.texts("quirks", entry.quirks));
  NEXUS_CHECK(fields.texts("unverified", entry.unverified));
  NEXUS_TRY(const auto* client, fields.object("client"));
  if (client) {
    const JsonFields about(*client, "client.");
    NEXUS_CHECK(about.text("console_url", entry.console_url));
    NEXUS_CHECK(about.text("kind", entry.client_kind));
    NEXUS_CHECK(about.texts("steps", entry.steps));
    NEXUS_CHECK(about.flag("public", entry.public_client));
  }
  NEXUS_TRY(const auto* variables, fields.object("variables"));
  if (variables)
    for (const auto& [variable, table] : variables->items()) {
      if (!table.is_object()) return fields.bad("variables", "has to be a table of tables");
      NEXUS_TRY(auto read, read_variable(variable, table));
      entry.variables.push_back(std::move(read));
    }
  NEXUS_CHECK(read_envs(fields, entry));
  auto profile = Json::object();
  const std::set<std::string> ours{"display_name", "docs_url",  "quirks", "unverified",
                                   "client",       "variables", "env",    "proxy_env"};
  for (const auto& [member, value] : document.items()) {
    if (kProfileFields.contains(member))
      profile[member] = value;
    else if (!ours.contains(member))
      return fields.bad(member.c_str(), "is no member of an entry");
  }
  if (!profile.contains("description")) profile["description"] = entry.display_name;
  NEXUS_CHECK(fields.object("params"));
  NEXUS_CHECK(read_profile(fields, profile, entry));
  profile["params"]["catalog_entry"] = name;
  if (!entry.is_oauth() && !entry.console_url.empty())
    profile["params"]["console_url"] = entry.console_url;
  entry.profile = std::make_shared<const Json>(std::move(profile));
  return entry;
}

using Values = std::map<std::string, std::string>;

void fill(Json& value, const Values& values) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    for (const auto& [name, with] : values)
      for (auto at = text.find("{" + name + "}"); at != std::string::npos;
           at = text.find("{" + name + "}", at + with.size()))
        text.replace(at, name.size() + 2, with);
  } else if (value.is_structured()) {
    for (auto& inner : value) fill(inner, values);
  }
}

/// A pipe or a device among the entries would keep every command waiting.
Result<std::string> text_of_entry(const std::string& file) {
  const auto opened = open_regular_file(file);
  SecretText text;
  const bool is_read = opened.get() >= 0 && read_all(opened.get(), text);
  if (is_read && !text.empty()) return std::string(text);
  return Error{ErrorCode::usage,
               "cannot read " + file + ": " + (is_read ? "it is empty" : why_not_opened()),
               "correct the entry, or take it away"};
}

/// Those first of which the most is known: who wrote it down has used them.
std::vector<CatalogueEntry> by_renown(std::vector<CatalogueEntry> entries) {
  const auto known_of = [](const CatalogueEntry& entry) {
    return entry.quirks.size() + entry.steps.size() + (entry.docs_url.empty() ? 0 : 1) +
           (entry.console_url.empty() ? 0 : 1);
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const auto& a, const auto& b) { return known_of(a) > known_of(b); });
  return entries;
}

template <class Wanted>
std::vector<std::string> names_of(const std::vector<CatalogueEntry>& entries,
                                  const Wanted& wanted) {
  std::vector<std::string> names;
  for (const auto& entry : entries)
    if (wanted(entry)) names.push_back(entry.name);
  return names;
}

std::vector<std::string> nearest_of(const std::string& name,
                                    const std::vector<CatalogueEntry>& entries) {
  constexpr std::size_t kMost = 3;
  auto nearest = suggestions(lower(name), names_of(entries, [](const auto&) { return true; }));
  if (nearest.size() > kMost) nearest.resize(kMost);
  return nearest;
}

}  // namespace

Result<std::string> CatalogueVariable::check(std::string value) const {
  // People copy addresses: "https://acme.example.com/" stands for "acme".
  for (const char* scheme : {"https://", "http://"})
    if (value.starts_with(scheme)) value.erase(0, std::string_view(scheme).size());
  while (value.ends_with('/')) value.pop_back();
  if (!suffix.empty() && value.size() > suffix.size() && value.ends_with(suffix))
    value.erase(value.size() - suffix.size());
  const Error bad{ErrorCode::usage,
                  "'" + printable(value, 80) + "' cannot be the " + lower(title) +
                      (choices.empty() ? "" : ": it is one of " + join(choices, ", ")),
                  description.empty() ? "for example --var " + name + "=acme" : description};
  if (!choices.empty()) {
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) return bad;
    return value;
  }
  // Nothing that could end the host or climb out of the path that it stands in.
  const bool plain = value.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789._-") == std::string::npos;
  if (value.empty() || value.size() > 253 || !plain || value.front() == '.' ||
      value.front() == '-' || value.find("..") != std::string::npos)
    return bad;
  return value;
}

Result<Json> CatalogueEntry::filled_in(const Values& given) const {
  Values values;
  auto filled = *profile;
  std::vector<std::string> names;
  for (const auto& variable : variables) names.push_back(variable.name);
  for (const auto& [word, value] : given) {
    if (std::find(names.begin(), names.end(), word) != names.end()) continue;
    const auto meant = suggestion(word, names);
    return Error{
        ErrorCode::usage, display_name + " has no variable '" + printable(word, 60) + "'",
        meant ? "did you mean: --var " + *meant + "=…" : "see: nexus provider show " + name};
  }
  for (const auto& variable : variables) {
    const auto found = given.find(variable.name);
    const bool is_given = found != given.end() && !found->second.empty();
    if (is_given) {
      NEXUS_TRY(values[variable.name], variable.check(found->second));
      // Its settings beside the entry's, which say among others what entry it is.
      constexpr bool merging = true;
      if (variable.replaces) filled.update(*variable.replaces, merging);
    } else if (!variable.fallback.empty()) {
      values[variable.name] = variable.fallback;
    } else if (!variable.optional) {
      return Error{
          ErrorCode::usage, display_name + " needs to know the " + lower(variable.title),
          "give it with --var " + variable.name + "=…" +
              (variable.suffix.empty() ? "" : " (what stands before " + variable.suffix + ")")};
    }
  }
  fill(filled, values);
  return filled;
}

Result<CatalogueEntry> read_catalogue_entry(const std::string& text, const std::string& name,
                                            const std::string& file) {
  NEXUS_TRY(const auto parsed, parse_toml(text, file));
  auto entry = read_entry(parsed.document, name);
  if (!entry) {
    auto pointer = "/" + entry.error().field;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    return Error{
        ErrorCode::usage,
        file + ":" + std::to_string(parsed.line_of(pointer)) + ": " + entry.error().message,
        "correct the file and try again"};
  }
  return entry;
}

Catalogue::Catalogue() : directories_(catalogue_directories()) {}

Result<std::optional<CatalogueEntry>> Catalogue::find(const std::string& name) const {
  if (!has_entry(directories_, name)) return std::optional<CatalogueEntry>();
  for (const auto& directory : directories_) {
    const auto file = directory + "/" + name + ".toml";
    if (access(file.c_str(), F_OK) != 0) continue;
    NEXUS_TRY(const auto text, text_of_entry(file));
    NEXUS_TRY(auto entry, read_catalogue_entry(text, name, file));
    return std::optional(std::move(entry));
  }
  return std::optional<CatalogueEntry>();
}

Result<void> Catalogue::check_alias(const std::string& alias) const {
  const auto name = lower(alias);
  if (!has_entry(directories_, name)) return {};
  return Error{ErrorCode::alias_taken,
               alias + " is the name of a provider (nexus provider catalog)",
               "choose another alias, for example my-" + name};
}

std::vector<std::string> Catalogue::names() const {
  std::set<std::string> names;
  for (const auto& directory : directories_) {
    std::error_code error;
    for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end;
         file.increment(error))
      if (file->path().extension() == ".toml") names.insert(file->path().stem().string());
  }
  return {names.begin(), names.end()};
}

std::vector<CatalogueEntry> Catalogue::all(std::vector<Error>& problems) const {
  std::vector<CatalogueEntry> entries;
  for (const auto& name : names()) {
    auto entry = find(name);
    if (!entry)
      problems.push_back(std::move(entry).error());
    else if (*entry)
      entries.push_back(**std::move(entry));
  }
  return entries;
}

std::vector<std::string> Catalogue::similar(const std::string& name) const {
  std::vector<Error> ignored;
  const auto entries = by_renown(all(ignored));
  auto names = names_of(entries, [&](const auto& entry) { return matches(entry, {name}); });
  constexpr std::size_t kMost = 8;
  if (names.size() > kMost) names.resize(kMost);
  return names.empty() ? nearest_of(name, entries) : names;
}

std::vector<std::string> Catalogue::nearest(const std::string& name) const {
  std::vector<Error> ignored;
  return nearest_of(name, by_renown(all(ignored)));
}

bool matches(const CatalogueEntry& entry, const std::vector<std::string>& words) {
  const auto text = lower(entry.name + " " + entry.display_name + " " + entry.category + " " +
                          word(entry.auth_type) + " " + entry.grant_type);
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return text.find(lower(word)) != std::string::npos;
  });
}

}  // namespace nexus::cli
