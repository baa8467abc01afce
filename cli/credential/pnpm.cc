// pnpm's tokenHelper, which is run without a word: the registry is in the name that it is run by.
#include "cli/credential/helpers.h"

namespace nexus::cli {

Result<int> run_pnpm_helper(Context& context, const HelperArgs& args) {
  const auto mapping = answering(context, args, parse_site(args.words.front()));
  if (!mapping)
    return Error{ErrorCode::usage, "nexus.toml maps no connection to this registry",
                 "add it under [credential]; see nexus-credential(1)"};
  NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping->connection));
  NEXUS_TRY(const auto header, header_in(credentials, ""));
  print_line(context, header.value);
  return 0;
}

}  // namespace nexus::cli
