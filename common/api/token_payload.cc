#include "common/api/token_payload.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus::api {
namespace {

const Json* object_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_object() ? &*found : nullptr;
}

std::optional<SecretText> value_in(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if (found->is_string()) return SecretText(found->get_ref<const std::string&>());
  if (found->is_number() || found->is_boolean()) return SecretText(to_text(*found));
  return std::nullopt;
}

/// Found without parsing the rest: such texts are visible ASCII, so the only escapes that nexusd
/// writes in them are of '"' and '\\', and no text can hold a member's name with its quotes.
std::optional<SecretText> text_found(std::string_view payload, std::string_view name) {
  auto at = payload.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  SecretText text;
  text.reserve(payload.size());
  for (at += name.size(); at < payload.size() && payload[at] != '"'; ++at) {
    if (payload[at] == '\\') ++at;
    if (at == payload.size()) return std::nullopt;
    text += payload[at];
  }
  return text;
}

}  // namespace

TokenPayload::TokenPayload(std::string_view json)
    : json_(std::make_unique<Json>(Json::parse(json, nullptr, false))) {}

TokenPayload::~TokenPayload() {
  const auto wipe_texts = [](Json& object) {
    for (auto& value : object)
      if (value.is_string()) wipe(value.get_ref<std::string&>());
  };
  if (!json_->is_object()) return;
  wipe_texts(*json_);
  if (const auto found = json_->find("credentials"); found != json_->end() && found->is_object())
    wipe_texts(*found);
}

std::string TokenPayload::strategy() const {
  const auto* strategy = object_in(*json_, "strategy");
  return strategy ? text_member(*strategy, "type").value_or("") : "";
}

std::string TokenPayload::config(const char* name) const {
  const auto* strategy = object_in(*json_, "strategy");
  const auto* config = strategy ? object_in(*strategy, "config") : nullptr;
  return config ? text_member(*config, name).value_or("") : "";
}

std::vector<std::string> TokenPayload::fields() const {
  std::vector<std::string> names;
  if (const auto* credentials = object_in(*json_, "credentials"))
    for (const auto& [name, value] : credentials->items()) names.push_back(name);
  return names;
}

std::optional<SecretText> TokenPayload::credential(const std::string& name) const {
  const auto* credentials = object_in(*json_, "credentials");
  return credentials ? value_in(*credentials, name) : std::nullopt;
}

std::optional<SecretText> TokenPayload::member(const std::string& name) const {
  return json_->is_object() ? value_in(*json_, name) : std::nullopt;
}

std::optional<SecretText> TokenPayload::token_field(const std::string& name) const {
  const auto* fields = object_in(*json_, "token_fields");
  return fields ? value_in(*fields, name) : std::nullopt;
}

bool is_static_payload(std::string_view payload) {
  return !payload.starts_with("{\"strategy\":{\"type\":\"oauth2\"}");
}

std::optional<SecretText> access_token_in(std::string_view payload) {
  return text_found(payload, "\"access_token\":\"");
}

std::string connection_in(std::string_view payload) {
  return std::string(
      std::string_view(text_found(payload, "\"connection_id\":\"").value_or(SecretText())));
}

std::optional<UnixTime> expiry_in(std::string_view payload) {
  constexpr std::string_view name = "\"expires_at\":";
  const auto at = payload.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  const auto rest = payload.substr(at + name.size());
  return parse_number(rest.substr(0, rest.find_first_of(",}")));
}

}  // namespace nexus::api
