#include "cli/commands/capture.h"

#include "cli/output/prompt.h"
#include "common/api/capture.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr int kTries = 3;

/// `{"state":…,"credentials":…}`; the credentials are JSON already.
Result<void> send(Context& context, const std::string& state, std::string_view credentials) {
  SecretJsonWriter body;
  body.begin().member("state", state).member_json("credentials", credentials).end();
  NEXUS_CHECK(context.client.call_raw("POST", "/v1/capture-credential", body.take()));
  return {};
}

/// As the page names it.
std::string title_of(const api::CaptureField& field) {
  return field.title.empty() ? field.name : field.title;
}

/// What was refused, told of the field as it was asked for.
std::string refusal(const api::CaptureSchema& schema, const Error& error) {
  for (const auto& field : schema.fields)
    if (!error.field.empty() && field.name == error.field && error.message.starts_with(field.name))
      return title_of(field) + error.message.substr(field.name.size());
  return error.message;
}

std::string question_for(const api::CaptureField& field) {
  auto question = title_of(field);
  auto hint = join(field.choices, ", ");
  if (field.yes_or_no) hint = "true or false";
  if (field.secret) hint = "not shown";
  if (!field.required) hint += hint.empty() ? "optional" : ", optional";
  if (!field.description.empty()) question += " – " + field.description;
  return question + (hint.empty() ? "" : " (" + hint + ")");
}

/// One field's answer joins the object; nothing for an empty one.
Result<void> ask(SecretJsonWriter& credentials, const api::CaptureField& field) {
  const auto question = question_for(field);
  if (field.secret) {
    NEXUS_TRY(const auto secret, ask_secret(question));
    if (!secret.empty()) credentials.member(field.name, secret.expose());
    return {};
  }
  NEXUS_TRY(const auto answer, ask_line(question, field.fallback));
  if (!answer.empty()) credentials.member(field.name, answer);
  return {};
}

Result<SecretText> ask_all(const api::CaptureSchema& schema) {
  SecretJsonWriter credentials;
  credentials.begin();
  for (const auto& field : schema.fields) NEXUS_CHECK(ask(credentials, field));
  return credentials.end().take();
}

}  // namespace

Result<void> capture_by_prompt(Context& context, const std::string& state) {
  NEXUS_TRY(const auto schema, context.client.get<api::CaptureSchema>("/v1/capture-schema?state=" +
                                                                      percent_encode(state)));
  for (int attempt = 1;; ++attempt) {
    NEXUS_TRY(const auto credentials, ask_all(schema));
    context.output.progress("checking …");
    auto sent = send(context, state, credentials);
    context.output.progress("");
    if (sent) return sent;
    if (attempt == kTries) {
      sent.error().message = refusal(schema, sent.error());
      return sent;
    }
    const bool worth_another = sent.error().code == ErrorCode::invalid_credentials ||
                               sent.error().code == ErrorCode::upstream_error ||
                               sent.error().code == ErrorCode::upstream_timeout;
    if (!worth_another) return sent;
    context.output.note(refusal(schema, sent.error()) + "; " + sent.error().hint);
  }
}

Result<void> capture_from_stdin(Context& context, const std::string& state) {
  NEXUS_TRY(const auto text, read_secret("-", "credentials as a JSON object"));
  if (!is_json_object(text.expose()))
    return Error{ErrorCode::usage, "what came on stdin is not a JSON object",
                 "for example {\"api_key\":\"…\"}"};
  return send(context, state, text.expose());
}

}  // namespace nexus::cli
