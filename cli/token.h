#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

struct TokenArgs {
  std::string connection;
  std::string format = "raw";
  std::string field;
  std::string min_ttl;
  std::vector<std::string> scopes;  ///< of the granted ones; empty for all
  std::string audience;
  bool refresh = false;
  bool newline = false;
  bool no_newline = false;
};

/// The arguments of `nexus token CONN [--format F]`, the form that scripts call thousands of times,
/// read without building a command line parser, which would take longer than the request. Nothing
/// for every other form, the misspelt ones among them: those are the parser's.
std::optional<TokenArgs> plain_token_arguments(int argc, char** argv);

/// The connection's token payload. A life shorter than the one that was asked for is warned of.
Result<SecretText> fetch_token(Context& context, const TokenArgs& args);

/// Prints it, in every format but netrc.
Result<int> run_token(Context& context, const TokenArgs& args);

}  // namespace nexus::cli
