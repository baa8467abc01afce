#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/credential.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/error.h"
#include "common/secret.h"
#include "common/site.h"

namespace nexus::cli {

/// How a program asked for a credential, whichever program it is.
struct HelperArgs {
  std::string connection;          ///< --connection: whatever nexus.toml says
  std::string username;            ///< --username
  std::vector<std::string> words;  ///< the program's own: "get", a host
  bool access_token = false;       ///< --access-token: where an id_token is the usual one
  std::string mode = "password";   ///< --mode
  bool cargo_plugin = false;       ///< --cargo-plugin, which cargo says by itself
};

using Helper = Result<int> (*)(Context& context, const HelperArgs& args);

// A file each. What they print is what their program expects, failures included.
Result<int> run_aws_helper(Context& context, const HelperArgs& args);
Result<int> run_docker_helper(Context& context, const HelperArgs& args);
Result<int> run_git_helper(Context& context, const HelperArgs& args);

/// Which connection answers for a site, and as whom. Nothing where none is to.
std::optional<CredentialMapping> answering(const Context& context, const HelperArgs& args,
                                           const std::optional<Site>& site);

/// The credentials of a connection, as /v1/token has them. Errors: those of that route.
Result<SecretText> fetch_credentials(Context& context, const std::string& connection);

/// The login that the credentials are, a name always with it: the connection's own (basic_auth), or
/// its token or key under the name that is asked for, else under the mapping's, else under
/// kTokenUser. Error: usage, for credentials that are no password or of several lines, and for
/// those of another name than the one asked for.
Result<Login> login_of(const SecretText& credentials, const CredentialMapping& mapping,
                       const std::string& asked_for = "");

/// When they end; nothing where they do not, or nobody knows.
std::optional<UnixTime> expiry_of(const SecretText& credentials);

/// On standard output, with the end of a line.
void print_line(const Context& context, std::string_view text);
/// What went wrong, for programs whose answers have one text for it.
std::string in_one_line(const Error& error);

/// All that the program sends. Error: usage, where it is more than 64 KiB.
Result<SecretText> read_request();
/// The same, of no interest and of any length.
void ignore_request();

}  // namespace nexus::cli
