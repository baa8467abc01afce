// git-credential(1): get, store, capability; git_erase.cc has erase.
#include <string>

#include "cli/credential/git_request.h"
#include "cli/credential/helper.h"
#include "common/api/token_payload.h"

namespace nexus::cli {
namespace {

void add(SecretText& answer, std::string_view name, std::string_view value) {
  answer.append(name).append("=").append(value).append("\n");
}

Result<SecretText> answer_to(Context& context, const GitRequest& request,
                             const CredentialMapping& mapping) {
  NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping.connection));
  SecretText answer;
  if (request.knows_authtype && request.wants_bearer && !api::is_static_payload(credentials)) {
    NEXUS_TRY(const auto token, credential_in(credentials, ""));
    add(answer, "capability[]", "authtype");
    add(answer, "authtype", "Bearer");
    add(answer, "credential", token);
    add(answer, "ephemeral", "1");
  } else {
    NEXUS_TRY(const auto login, login_of(credentials, mapping, request.username));
    add(answer, "username", *login.username);
    add(answer, "password", login.password);
  }
  if (const auto expires_at = expiry_of(credentials))
    add(answer, "password_expiry_utc", std::to_string(*expires_at));
  if (request.knows_state) {
    add(answer, "capability[]", "state");
    add(answer, "state[]", "nexus:" + api::connection_in(credentials));
  }
  return answer;
}

Result<int> get(Context& context, const HelperArgs& args) {
  NEXUS_TRY(const auto text, read_request());
  NEXUS_TRY(const auto request, parse_git_request(text));
  const auto mapping = answering(context, args, request.site);
  if (!mapping) return 0;
  const auto answer = answer_to(context, request, *mapping);
  // Else git would ask other helpers, or a person for a password that does not exist.
  context.output.raw(answer ? std::string_view(*answer) : "quit=1\n");
  if (!answer) return answer.error();
  return 0;
}

}  // namespace

Result<int> run_git_helper(Context& context, const HelperArgs& args) {
  const auto& verb = args.words.front();
  if (verb == "get") return get(context, args);
  if (verb == "capability") {
    context.output.raw("version 0\ncapability authtype\ncapability state\n");
  } else {
    ignore_request();  // also what later versions of git may ask
  }
  return 0;
}

}  // namespace nexus::cli
