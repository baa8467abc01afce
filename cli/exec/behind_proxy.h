#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/exec/assignment.h"
#include "cli/exec/child_variables.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// What a program is to reach through nexusd's proxy.
struct BehindProxy {
  std::vector<std::string> connections;         ///< under the names that programs know
  std::vector<VariableAssignment> variables{};  ///< the key, or the field proxy_url
  std::vector<std::string> rules;               ///< nexus-api(7), RULES
};

/// Gives the program addresses and, in the place of credentials, a key that is good for these
/// connections, at these addresses, while this process runs, also as another program. Returns the
/// key. Errors: usage; those of POST /v1/daemon/proxy/programs.
Result<SecretText> give_proxy(Context& context, const BehindProxy& wanted,
                              ChildVariables& variables);

}  // namespace nexus::cli
