#pragma once

#include <map>
#include <string>

#include "cli/context.h"
#include "common/error.h"

namespace nexus::cli {

/// The variables by which programs that know a provider find its credentials and its API.
struct ConventionalVariables {
  /// With the field that each gets: what the catalogue says or, for the one secret ("" as field),
  /// <PROVIDER>_TOKEN.
  std::map<std::string, std::string> fields;
  /// With what follows the API's base URL.
  std::map<std::string, std::string> addresses;
};

/// `connection` is for hints. Errors: usage, where no variable can be called after the provider;
/// those of reading the catalogue.
Result<ConventionalVariables> conventional_variables(Context& context,
                                                     const std::string& connection,
                                                     const std::string& provider);

}  // namespace nexus::cli
