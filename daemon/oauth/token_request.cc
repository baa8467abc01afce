#include "daemon/oauth/token_request.h"

#include <curl/curl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "daemon/oauth/client.h"
#include "daemon/oauth/lone_refresh_token.h"
#include "daemon/oauth/token_response.h"

namespace nexus::oauth {
namespace {

constexpr UnixTime kLongestRetryAfter = 3600;

std::string media_type(const std::string& content_type) {
  return lower(trim(std::string_view(content_type).substr(0, content_type.find(';'))));
}
bool is_form(const std::string& content_type) {
  return media_type(content_type) == "application/x-www-form-urlencoded";
}
bool is_text(const std::string& content_type) {
  return media_type(content_type) == "text/plain";
}
bool is_json(const std::string& content_type) {
  const auto type = media_type(content_type);
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

Error unusable(const OAuthAnswer& answer) {
  return {ErrorCode::provider_protocol,
          "the provider's answer is not usable: status " + std::to_string(answer.status) +
              ", type '" + printable(answer.content_type, 60) + "'" +
              (answer.error.text.empty() ? "" : ": " + answer.error.text),
          "check the provider's token endpoint"};
}

enum class Form { json, form, other };

/// The form of an answer, as far as this provider may answer in it (C4).
Form form_of(const std::string& type, const Dialect& dialect) {
  if (is_json(type)) return Form::json;
  const bool takes_forms = dialect.token_response_format == Dialect::BodyFormat::form;
  return takes_forms && (is_form(type) || is_text(type)) ? Form::form : Form::other;
}

/// Whether a member "error" tells of one. Some servers have it in good answers, too, where it is
/// null or says nothing.
bool tells_of_error(const Json& error) {
  if (error.is_string()) return !error.get_ref<const std::string&>().empty();
  if (error.is_boolean()) return error.get<bool>();
  if (error.is_number()) return error != 0;
  return !error.empty();
}

/// What an answer says for people, by RFC 6749's name for it or by those that others have.
std::string words_in(const Json& object) {
  for (const auto* name : {"error_description", "message", "error_message", "detail", "title"})
    if (auto words = text_member(object, name).value_or(""); !words.empty()) return words;
  return {};
}

OAuthError read_error(const Json& document, const std::vector<std::string_view>& secrets) {
  const auto found = document.find("error");
  if (found == document.end() || !tells_of_error(*found)) return {};
  const auto clean = [&](const std::string& text) { return printable_without(text, secrets); };
  const auto words = clean(words_in(found->is_object() ? *found : document));
  // An error that is no word has its words in it, or beside it.
  if (!found->is_string()) return {"error", words.empty() ? "error" : words};
  OAuthError error;
  error.code = error.text = clean(found->get<std::string>());
  // Microsoft's finer word for the same.
  if (const auto finer = clean(text_member(document, "suberror").value_or("")); !finer.empty())
    error.text += ", " + finer;
  if (!words.empty()) error.text += ": " + words;
  return error;
}

/// The error that an answer tells of, or at least what a refusal without one says.
OAuthError error_of(const IncomingResponse& response, const std::string& type, Form form,
                    const JsonDocument& document, const std::vector<std::string_view>& secrets) {
  if (form != Form::other && document)
    if (auto error = read_error(*document, secrets); !error.code.empty()) return error;
  if (response.status < 400) return {};
  if (is_text(type)) return {"", printable_without(trim(response.body), secrets)};
  if (form == Form::other || !document) return {};
  return {"", printable_without(words_in(*document), secrets)};
}

}  // namespace

bool is_configuration_error(const std::string& code) {
  return code == "invalid_client" || code == "unauthorized_client" ||
         code == "unsupported_grant_type" || code == "invalid_scope" || code == "invalid_target";
}

RequestBody::RequestBody(Dialect::BodyFormat format) : json_(format == Dialect::BodyFormat::json) {
  form_.reserve(1024);
  if (json_) object_.begin();
}

RequestBody& RequestBody::add(std::string_view name, std::string_view value) {
  if (json_) {
    object_.member(name, value);
    return *this;
  }
  if (!form_.empty()) form_ += '&';
  auto encoded = form_encode(value);
  form_.append(form_encode(name)).append("=").append(encoded);
  wipe(encoded);
  return *this;
}

RequestBody& RequestBody::add(const std::map<std::string, std::string>& parameters) {
  for (const auto& [name, value] : parameters) add(name, value);
  return *this;
}

void RequestBody::put_into(OutgoingRequest& request) && {
  if (json_) {
    request.body = object_.end().take();
    request.content_type = "application/json";
  } else {
    request.body = std::move(form_);
  }
}

int parse_retry_after(std::string_view header, UnixTime now) {
  const auto text = trim(header);
  if (text.empty()) return 0;
  if (text.find_first_not_of("0123456789") == std::string_view::npos)
    return static_cast<int>(
        std::min(parse_number(text).value_or(kLongestRetryAfter), kLongestRetryAfter));
  const auto date = curl_getdate(std::string(text).c_str(), nullptr);
  return date <= now ? 0 : static_cast<int>(std::min<UnixTime>(date - now, kLongestRetryAfter));
}

Result<OAuthAnswer> Client::ask(const OutgoingRequest& request,
                                const std::vector<std::string_view>& sent) const {
  NEXUS_TRY(const auto response, http_.send(request));
  const auto type = response.header("content-type");
  const auto form = form_of(type, dialect_);
  JsonDocument document;
  Secret refresh_token;
  if (auto parsed = parse_token_answer(response.body, form == Form::form))
    document = *std::move(parsed);
  else
    refresh_token = lone_refresh_token(response.body, form == Form::form);
  auto error = error_of(response, type, form, document, sent);
  const bool told_when = response.status == 429 || response.status == 503;
  return OAuthAnswer{
      response.status,
      type,
      told_when ? parse_retry_after(response.header("retry-after"), wall_clock_()) : 0,
      std::move(document),
      std::move(refresh_token),
      form == Form::other,
      std::move(error)};
}

Result<JsonDocument> document_of(OAuthAnswer answer) {
  if (answer.status == 429 || answer.status == 408 || answer.status >= 500) {
    Error unavailable{ErrorCode::upstream_error,
                      "the provider answered " + std::to_string(answer.status), "try again later"};
    unavailable.retry_after_s = answer.retry_after_s;
    return unavailable;
  }
  if (is_configuration_error(answer.error.code))
    return Error{ErrorCode::provider_misconfigured,
                 "the provider refuses this client (" + answer.error.text + ")",
                 "correct its client id, secret or scopes: nexus provider edit PROVIDER"};
  if (!answer.error.code.empty())
    return Error{ErrorCode::provider_rejected, "the provider refused (" + answer.error.text + ")",
                 "start again: nexus connect PROVIDER"};
  if (answer.status != 200 || answer.of_other_type) return unusable(answer);
  if (!answer.document)
    return Error{ErrorCode::provider_protocol,
                 "the provider's answer is not usable: it is not an object",
                 "check the provider's token endpoint"};
  return std::move(answer.document);
}

}  // namespace nexus::oauth
