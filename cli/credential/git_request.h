#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"
#include "common/site.h"

namespace nexus::cli {

/// What git sends to a helper (git-credential(1), INPUT/OUTPUT FORMAT).
struct GitRequest {
  std::optional<Site> site;  ///< nothing for plain http and the like
  std::string username;      ///< "" where git knows none
  SecretText secret;         ///< the password or, of other schemes, the credential
  std::string connection;    ///< that our state of an earlier answer names, "" for none
  bool knows_authtype = false;
  bool knows_state = false;
  bool wants_bearer = false;  ///< the server takes bearer tokens, and no passwords
};

/// Error: usage, for what git does not send: lines that are no attributes, and a host, say, that is
/// given twice (as by a line end in a URL).
Result<GitRequest> parse_git_request(std::string_view text);

}  // namespace nexus::cli
