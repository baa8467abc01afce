#include "cli/commands/capture.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output/prompt.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr int kTries = 3;

/// `{"state":…,"credentials":…}`; the credentials are JSON already.
Result<void> send(Context& context, const std::string& state, std::string_view credentials) {
  SecretJsonWriter body;
  body.begin().member("state", state).member_json("credentials", credentials).end();
  NEXUS_TRY([[maybe_unused]] const auto answer,
            context.client.post("/v1/capture-credential", body.take()));
  return {};
}

std::string question_for(const std::string& name, const Json& property, bool required) {
  auto question = text_member(property, "title").value_or(name);
  std::vector<std::string> about;
  for (const auto& choice : property.value("enum", Json::array()))
    if (choice.is_string()) about.push_back(choice.get<std::string>());
  auto hint = join(about, ", ");
  if (property.value("type", "") == "boolean") hint = "true or false";
  if (property.value("format", "") == "password") hint = "not shown";
  if (!required) hint += hint.empty() ? "optional" : ", optional";
  if (const auto description = text_member(property, "description"))
    question += " – " + printable(*description, 200);
  return printable(question, 300) + (hint.empty() ? "" : " (" + printable(hint, 300) + ")");
}

/// One field's answer joins the object; nothing for an empty one.
Result<void> ask(SecretJsonWriter& credentials, const std::string& name, const Json& property,
                 bool required) {
  const auto question = question_for(name, property, required);
  if (property.value("format", "") == "password") {
    NEXUS_TRY(const auto secret, ask_secret(question));
    if (!secret.empty()) credentials.member(name, secret.expose());
    return {};
  }
  NEXUS_TRY(const auto answer, ask_line(question, text_member(property, "default").value_or("")));
  if (!answer.empty()) credentials.member(name, answer);
  return {};
}

Result<SecretText> ask_all(const Json& schema) {
  SecretJsonWriter credentials;
  credentials.begin();
  const auto required = schema.value("required", std::vector<std::string>());
  const auto properties = schema.value("properties", Json::object());
  // Members of a JSON object have no order: what is required comes in the order of that list.
  for (const auto& name : required)
    if (properties.contains(name)) NEXUS_CHECK(ask(credentials, name, properties.at(name), true));
  for (const auto& [name, property] : properties.items())
    if (std::find(required.begin(), required.end(), name) == required.end())
      NEXUS_CHECK(ask(credentials, name, property, false));
  return credentials.end().take();
}

}  // namespace

Result<void> capture_by_prompt(Context& context, const std::string& state) {
  NEXUS_TRY(const auto schema,
            context.client.get("/v1/capture-schema?state=" + percent_encode(state)));
  for (int attempt = 1;; ++attempt) {
    NEXUS_TRY(const auto credentials, ask_all(schema));
    context.output.progress("checking …");
    auto sent = send(context, state, credentials);
    context.output.progress("");
    if (sent || attempt == kTries) return sent;
    const bool worth_another = sent.error().code == ErrorCode::invalid_credentials ||
                               sent.error().code == ErrorCode::upstream_error ||
                               sent.error().code == ErrorCode::upstream_timeout;
    if (!worth_another) return sent;
    context.output.note(sent.error().message + "; " + sent.error().hint);
  }
}

Result<void> capture_from_stdin(Context& context, const std::string& state) {
  NEXUS_TRY(const auto text, read_secret("-", "credentials as a JSON object"));
  auto parsed = parse_json_object(text.expose());
  if (!parsed)
    return Error{ErrorCode::usage, "what came on stdin is not a JSON object",
                 "for example {\"api_key\":\"…\"}"};
  for (auto& value : *parsed)
    if (value.is_string()) wipe(value.get_ref<std::string&>());
  return send(context, state, text.expose());
}

}  // namespace nexus::cli
