#pragma once

#include <string>

#include "common/error.h"

namespace nexus::cli {

/// What `--env VAR=CONN[:FIELD]` says.
struct VariableAssignment {
  std::string variable;
  std::string connection;
  std::string field;  ///< "" for the access token, or the one secret
};

/// `option` is for messages. Error: usage.
Result<VariableAssignment> parse_variable_assignment(const std::string& option,
                                                     const std::string& text);

/// What `--netrc HOST=CONN[:USER]` says.
struct NetrcAssignment {
  std::string host;
  std::string connection;
  std::string user;  ///< "" for the usual one
};

/// Error: usage.
Result<NetrcAssignment> parse_netrc_assignment(const std::string& text);

}  // namespace nexus::cli
