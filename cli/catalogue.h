#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/api/provider.h"
#include "common/api/words.h"
#include "common/error.h"

namespace nexus::cli {

/// Something that an entry's URLs need and only the person knows: a subdomain, a region.
struct CatalogueVariable {
  std::string name;
  std::string title;
  std::string description;
  std::string suffix;    ///< what stands behind it in the URL; typed along, it is cut off
  std::string fallback;  ///< `default`
  std::vector<std::string> choices;  ///< empty: any host label or path segment
  bool optional = false;
  /// For an optional one: fields of the profile as they are when it is given.
  std::shared_ptr<const nlohmann::json> replaces;

  /// The value as the URLs take it. Error: usage.
  Result<std::string> check(std::string value) const;
};

/// What is known of one provider, before anybody registered a client there.
struct CatalogueEntry {
  std::string name;
  std::string display_name;
  std::string category;
  std::string docs_url;
  std::vector<std::string> quirks;
  std::vector<std::string> unverified;  ///< fields that nobody has checked at the provider
  /// Where the client (or the API key) is made, as what kind, and what to watch for.
  std::string console_url;
  std::string client_kind;
  std::vector<std::string> steps;
  bool public_client = false;  ///< the provider takes clients without a secret
  std::vector<CatalogueVariable> variables;
  /// What `nexus exec` calls the credentials for programs that know the service: variable → field.
  std::map<std::string, std::string> env;
  /// And the address of the API, behind a proxy: variable → what follows api_base_url there.
  std::map<std::string, std::string> proxy_env;
  // Of the profile, what the command line itself goes by.
  AuthType auth_type = AuthType::oauth2;
  std::string grant_type;
  std::string redirect_host;
  std::vector<std::string> scopes;
  bool without_scope = false;   ///< the authorization request names none
  bool sends_iss = false;       ///< so it shares the redirect URI with others that do
  bool https_redirect = false;  ///< it takes no redirect URI with http
  /// The fields of the registration (POST /v1/providers), `{variable}` in them.
  std::shared_ptr<const nlohmann::json> profile;

  bool is_oauth() const { return auth_type == AuthType::oauth2; }
  bool needs_redirect() const { return api::needs_redirect(auth_type, grant_type); }
  /// The registration with the variables filled in. Errors: usage for a value that is missing, bad
  /// or that no variable is for.
  Result<nlohmann::json> filled_in(const std::map<std::string, std::string>& values) const;
};

/// An entry from its file's text. Error: usage, with file and line.
Result<CatalogueEntry> read_catalogue_entry(const std::string& text, const std::string& name,
                                            const std::string& file);

/// The providers that Nexus knows: the files that came with it (share/nexus/providers) and, before
/// those, the person's own in $XDG_CONFIG_HOME/nexus/providers. One TOML file an entry.
class Catalogue {
 public:
  Catalogue();
  explicit Catalogue(std::vector<std::string> directories) : directories_(std::move(directories)) {}

  /// Nothing where there is no such entry. Error: usage, for one that cannot be read.
  Result<std::optional<CatalogueEntry>> find(const std::string& name) const;
  /// That an alias is no entry's name: who types that means the provider. Error: alias_taken.
  Result<void> check_alias(const std::string& alias) const;
  /// Names that may be meant by one that is none: of those that have it in them, or else the
  /// nearest by letters, the best known first; a few.
  std::vector<std::string> similar(const std::string& name) const;
  /// The nearest by letters alone, three at the most.
  std::vector<std::string> nearest(const std::string& name) const;
  /// Of all of them, sorted. Nothing is read.
  std::vector<std::string> names() const;
  /// All of them by name; what cannot be read is told in `problems`.
  std::vector<CatalogueEntry> all(std::vector<Error>& problems) const;

 private:
  std::vector<std::string> directories_;  ///< the first one that has an entry counts
};

/// Whether each of the words is in the entry's name, display name, category or type.
bool matches(const CatalogueEntry& entry, const std::vector<std::string>& words);

}  // namespace nexus::cli
