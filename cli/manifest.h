#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/api/provider.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// What a manifest wants the providers to be.
struct Manifest {
  std::string file;
  /// Registrations as POST /v1/providers/plan takes them (JSON), catalogue entries filled in and
  /// `${ENV}` expanded: there may be secrets in them.
  std::vector<SecretText> providers;
  std::vector<std::string> warnings;

  /// "FILE:LINE" of a field ("params.pkce") of the registration at `index`, or of where that
  /// begins.
  std::string place(std::size_t index, const std::string& field) const;

  struct Place {
    std::string pointer;
    std::map<std::string, int> lines;
  };
  std::vector<Place> places;  ///< one for each of the providers
};

/// Reads a manifest: TOML (`[providers.NAME]` tables, or `[[providers]]` with `name`), or YAML for
/// a name that ends in .yaml or .yml (`providers:`, a list with `name`). A provider may start from
/// the catalogue: by `catalog = "ENTRY"` (and `vars = {…}`), or by its own name where it gives
/// neither endpoints nor auth_type; a setting given as "" is one of the entry's that it has not.
/// `$${` stands for a literal `${`. Error: usage, with the line; missing environment variables are
/// listed all at once.
Result<Manifest> read_manifest(const std::string& path);

/// The registered providers as a TOML manifest, secrets as `${NAME_CLIENT_SECRET}`: what was made
/// from the catalogue by its entry's name and what differs from that.
std::string manifest_of(const std::vector<api::Provider>& providers);

}  // namespace nexus::cli
