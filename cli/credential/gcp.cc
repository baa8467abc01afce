// Google's executable-sourced credentials (AIP-4117): also a failure is an answer, with exit code
// 0.
#include "cli/credential/helpers.h"
#include "cli/credential/id_token.h"
#include "common/json.h"
#include "common/paths.h"

namespace nexus::cli {
namespace {

constexpr const char* kIdToken = "urn:ietf:params:oauth:token-type:id_token";
constexpr const char* kJwt = "urn:ietf:params:oauth:token-type:jwt";

Result<SecretText> answer_with(Context& context, const std::string& connection) {
  auto type = environment("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE");
  if (type.empty()) type = kIdToken;
  if (type != kIdToken && type != kJwt)
    return Error{ErrorCode::usage, "nexus has id_tokens alone for Google",
                 std::string("set subject_token_type to ") + kIdToken};
  NEXUS_TRY(const auto credentials, fetch_credentials(context, connection));
  NEXUS_TRY(const auto token, good_id_token(context, connection, credentials));
  if (!token)
    return Error{ErrorCode::usage, "connection " + connection + " has no id_token",
                 "connect it with the scope openid"};
  SecretJsonWriter json;
  json.begin().member("version", 1).flag("success", true).member("token_type", type);
  json.member("id_token", token->text);
  if (token->expires_at) json.member("expiration_time", *token->expires_at);
  return json.end().take();
}

std::string failed_answer(const Error& error) {
  return JsonWriter()
      .begin()
      .member("version", 1)
      .flag("success", false)
      .member("code", error.wire())
      .member("message", in_one_line(error))
      .end()
      .take();
}

}  // namespace

Result<int> run_gcp_helper(Context& context, const HelperArgs& args) {
  const auto answer = answer_with(context, args.words.front());
  answer ? print_line(context, *answer) : print_line(context, failed_answer(answer.error()));
  return 0;
}

}  // namespace nexus::cli
