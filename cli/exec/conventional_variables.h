#pragma once

#include <map>
#include <string>

#include "cli/context.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// The variables by which programs that know a connection's provider find its credentials, each
/// with the field that it gets: what the catalogue says or, for what is one secret,
/// <PROVIDER>_TOKEN. Errors: usage, where neither is to be had; those of reading the catalogue.
Result<std::map<std::string, std::string>> conventional_variables(Context& context,
                                                                  const std::string& connection,
                                                                  const SecretText& payload);

}  // namespace nexus::cli
