// The command of Python's keyring, as pip, uv, twine and poetry run it: get SERVICE [USERNAME].
#include "cli/credential/helpers.h"

namespace nexus::cli {

Result<int> run_keyring_helper(Context& context, const HelperArgs& args) {
  const auto& words = args.words;
  if (words[0] != "get")
    return Error{ErrorCode::failure, "nexus keeps what it has by itself",
                 "use: nexus connect, nexus disconnect"};
  const bool creds = args.mode == "creds";
  if (words.size() < 2 || words.size() > 3 || (words.size() == 2 && !creds))
    return Error{ErrorCode::usage, "keyring's get wants a service and a user name",
                 "or --mode creds, for both"};
  const auto mapping = answering(context, args, parse_site(words[1]));
  if (!mapping) return 1;
  NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping->connection));
  NEXUS_TRY(const auto login,
            login_of(credentials, *mapping, words.size() == 3 ? words[2] : std::string()));
  if (creds) print_line(context, *login.username);
  print_line(context, login.password);
  return 0;
}

}  // namespace nexus::cli
