// AWS's credential_process: one JSON document, or a message on standard error.
#include "cli/credential/helper.h"
#include "common/api/token_payload.h"
#include "common/json.h"

namespace nexus::cli {

Result<int> run_aws_helper(Context& context, const HelperArgs& args) {
  const auto& connection = args.words.front();
  NEXUS_TRY(const auto credentials, fetch_credentials(context, connection));
  const api::TokenPayload payload(credentials);
  const auto key = payload.credential("access_key");
  const auto secret = payload.credential("secret_key");
  if (payload.strategy() != "aws_sigv4" || !key || !secret)
    return Error{ErrorCode::usage, "connection " + connection + " holds no AWS keys",
                 "name one of type aws_sigv4; run: nexus connect aws"};
  SecretJsonWriter json;
  json.begin().member("Version", 1).member("AccessKeyId", *key).member("SecretAccessKey", *secret);
  if (const auto token = payload.credential("session_token"); token && !token->empty())
    json.member("SessionToken", *token);
  print_line(context, json.end().take());
  return 0;
}

}  // namespace nexus::cli
