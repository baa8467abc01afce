// The credentials helpers of Terraform and OpenTofu: OPERATION HOST.
#include "cli/credential/helpers.h"
#include "common/json.h"

namespace nexus::cli {

Result<int> run_terraform_helper(Context& context, const HelperArgs& args) {
  const auto& operation = args.words.front();
  if (args.words.size() != 2 ||
      (operation != "get" && operation != "store" && operation != "forget"))
    return Error{ErrorCode::usage, "terraform asks with get, store or forget, and a host",
                 "run: nexus credential terraform --help"};
  if (operation == "store") ignore_request();
  const auto mapping = answering(context, args, parse_site(args.words[1]));
  if (operation == "store" || (operation == "forget" && mapping))
    return Error{ErrorCode::usage, "nexus keeps what it has by itself",
                 "use: nexus connect, nexus disconnect"};
  if (operation == "forget") return 0;
  SecretJsonWriter json;
  json.begin();
  if (mapping) {
    NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping->connection));
    NEXUS_TRY(const auto token, credential_in(credentials, ""));
    json.member("token", token);
  }
  print_line(context, json.end().take());
  return 0;
}

}  // namespace nexus::cli
