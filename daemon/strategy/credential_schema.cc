#include "daemon/strategy/credential_schema.h"

#include <re2/re2.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/json_fields.h"
#include "common/secret_fault.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::int64_t kLongestField = 16 * 1024;
constexpr std::size_t kMostFields = 30;

using Type = CredentialField::Type;

bool is_among(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_field_name(const std::string& name) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(allowed) == std::string::npos;
}

/// A path's template (or an application) may use a field that no strategy reads: its name tells.
bool sounds_secret(const std::string& name) {
  const auto word = lower(name);
  return word.find("token") != std::string::npos || word.find("secret") != std::string::npos ||
         word.find("password") != std::string::npos || word.ends_with("key");
}

/// "client_secret" → "Client secret".
std::string title_of(const std::string& name) {
  std::string title = name;
  std::replace(title.begin(), title.end(), '_', ' ');
  title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Patterns come from outside: RE2 takes time in proportion to the text, whatever they are.
RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

Result<CredentialField> read_field(const std::string& name, const Json& property,
                                   const std::string& where) {
  const JsonFields given(property, where + ".");
  CredentialField field;
  field.name = name;
  std::string type = "string";
  NEXUS_CHECK(given.one_of("type", {"string", "integer", "boolean"}, type));
  field.type = type == "integer" ? Type::integer : type == "boolean" ? Type::boolean : Type::text;
  NEXUS_CHECK(given.text("title", field.title));
  if (field.title.empty()) field.title = title_of(name);
  NEXUS_CHECK(given.text("description", field.description));
  NEXUS_CHECK(given.text("format", field.format));
  bool write_only = false;
  NEXUS_CHECK(given.flag("writeOnly", write_only));
  field.secret = field.format == "password" || write_only;
  NEXUS_CHECK(given.texts("enum", field.choices));
  NEXUS_CHECK(given.text("default", field.fallback));
  if (property.contains("const")) NEXUS_CHECK(given.text("const", field.constant.emplace()));
  NEXUS_CHECK(given.text("pattern", field.pattern));
  if (!field.pattern.empty())
    if (const RE2 pattern(field.pattern, quiet()); !pattern.ok())
      return given.bad("pattern", "is not a pattern that nexusd understands: " +
                                      printable(pattern.error(), 120));
  std::optional<std::int64_t> shortest;
  std::optional<std::int64_t> longest;
  NEXUS_CHECK(given.number("minLength", shortest));
  NEXUS_CHECK(given.number("maxLength", longest));
  if (longest.value_or(0) > kLongestField) return given.bad("maxLength", "is more than 16384");
  if (longest) field.max_length = static_cast<std::size_t>(*longest);
  if (shortest) field.min_length = static_cast<std::size_t>(*shortest);
  if (field.min_length > field.max_length) return given.bad("minLength", "is more than maxLength");
  return field;
}

/// What is asked for where a provider says nothing else.
Json implied_schema(const Strategy& strategy) {
  const auto secret = [](const char* title) -> Json {
    return {{"type", "string"}, {"title", title}, {"format", "password"}};
  };
  if (strategy.type == "aws_sigv4")
    return {{"required", {"access_key", "secret_key"}},
            {"properties",
             {{"access_key", {{"title", "Access key ID"}}},
              {"secret_key", secret("Secret access key")},
              {"session_token",
               {{"title", "Session token"},
                {"format", "password"},
                {"description", "Only for temporary credentials."}}}}}};
  Json schema{{"required", Json::array()}, {"properties", Json::object()}};
  for (const auto& name : strategy.fields()) {
    schema["required"].push_back(name);
    schema["properties"][name] =
        name == strategy.get("username_field")
            ? Json{{"title", "User name"}}
            : secret(name == "api_key" ? "API key" : title_of(name).c_str());
  }
  return schema;
}

/// A value as it came, made a text; the fault where it cannot be one.
std::string fault_of_type(const CredentialField& field, const Json& value) {
  if (field.type == Type::boolean && !value.is_boolean() && value != "true" && value != "false")
    return "has to be true or false";
  if (field.type == Type::integer) {
    const bool digits =
        value.is_number_integer() ||
        (value.is_string() && parse_number(value.get_ref<const std::string&>()).has_value());
    return digits ? "" : "has to be a whole number";
  }
  if (field.type == Type::text && !value.is_string()) return "has to be a text";
  return {};
}

std::string fault_of_text(const CredentialField& field, std::string_view text) {
  if (auto fault = fault_of_secret(text, SecretForm::line); !fault.empty()) return fault;
  const auto length = length_of(text);
  if (length > field.max_length)
    return "is longer than " + std::to_string(field.max_length) + " characters";
  if (length < field.min_length)
    return "is shorter than " + std::to_string(field.min_length) + " characters";
  if (!field.choices.empty() && !is_among(field.choices, std::string(text)))
    return "has to be one of: " + join(field.choices, ", ");
  if (!field.pattern.empty() &&
      !RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), RE2(field.pattern, quiet())))
    return "does not look like it should";
  return {};
}

}  // namespace

Result<CredentialSchema> CredentialSchema::read(const Json& params, const Strategy& strategy) {
  const JsonFields settings(params, "params.");
  NEXUS_TRY(const auto* given, settings.object("credential_schema"));
  const Json implied = given ? Json() : implied_schema(strategy);
  const Json& schema = given ? *given : implied;
  const JsonFields fields(schema, "params.credential_schema.");
  std::string type = "object";
  NEXUS_CHECK(fields.one_of("type", {"object"}, type));
  NEXUS_TRY(const auto* properties, fields.object("properties"));
  if (!properties || properties->empty() || properties->size() > kMostFields)
    return fields.bad("properties", "has to have 1 to 30 members");
  std::vector<std::string> order;
  NEXUS_CHECK(fields.texts("required", order));
  const auto required = order;
  for (const auto& name : required)
    if (!properties->contains(name))
      return fields.bad("required", "names '" + printable(name, 60) + "', which is no property");
  for (const auto& [name, property] : properties->items())
    if (!is_among(order, name)) order.push_back(name);

  const auto read_by_strategy = strategy.fields();
  CredentialSchema read;
  for (const auto& name : order) {
    const auto where = "params.credential_schema.properties." + printable(name, 60);
    if (!is_field_name(name))
      return Error{ErrorCode::invalid_field, where + " has to be of letters, digits, _ and -",
                   "rename the property"};
    const auto& property = properties->at(name);
    if (!property.is_object())
      return Error{ErrorCode::invalid_field, where + " has to be an object",
                   "for example {\"type\":\"string\",\"title\":\"API key\"}"};
    NEXUS_TRY(auto field, read_field(name, property, where));
    field.required = is_among(required, name) || is_among(read_by_strategy, name);
    const bool identifies = name == strategy.get("username_field") || name == "access_key";
    if (!identifies && (is_among(read_by_strategy, name) || sounds_secret(name)))
      field.secret = true;
    if (name == "base_url" && field.format.empty()) field.format = "uri";
    if (std::any_of(read.fields_.begin(), read.fields_.end(),
                    [&](const auto& other) { return other.name == name; }))
      return fields.bad("required", "names '" + printable(name, 60) + "' twice");
    read.fields_.push_back(std::move(field));
  }
  for (const auto& name : read_by_strategy)
    if (!properties->contains(name))
      return fields.bad("properties",
                        "lacks '" + name + "', which strategy " + strategy.type + " reads");
  return read;
}

namespace {

const char* json_type(CredentialField::Type type) {
  switch (type) {
    case CredentialField::Type::integer:
      return "integer";
    case CredentialField::Type::boolean:
      return "boolean";
    case CredentialField::Type::text:
      break;
  }
  return "string";
}

void write(JsonWriter& to, const CredentialField& field) {
  const auto put = [&to](const char* name, const std::string& text) {
    if (!text.empty()) to.member(name, text);
  };
  to.begin(field.name).member("type", json_type(field.type)).member("title", field.title);
  put("description", field.description);
  put("format", field.secret ? "password" : field.format);
  put("pattern", field.pattern);
  put("default", field.fallback);
  if (!field.choices.empty()) to.member("enum", field.choices);
  if (field.min_length > 0) to.member("minLength", static_cast<std::int64_t>(field.min_length));
  to.member("maxLength", static_cast<std::int64_t>(field.max_length)).end();
}

}  // namespace

void CredentialSchema::write(JsonWriter& to) const {
  std::vector<std::string> required;
  for (const auto& field : fields_)
    if (field.required && !field.constant) required.push_back(field.name);
  to.member("type", "object").member("required", required).begin("properties");
  for (const auto& field : fields_)
    if (!field.constant) nexus::write(to, field);
  to.end();
}

CredentialSchema::Checked CredentialSchema::check(Json& given) const {
  Checked checked;
  for (const auto& field : fields_) {
    const auto fault = [&](std::string what) {
      if (!what.empty()) checked.faults.emplace_back(field.name, std::move(what));
      return !checked.faults.empty() && checked.faults.back().first == field.name;
    };
    if (field.constant) {
      checked.values[field.name] = Secret(*field.constant);
      continue;
    }
    const auto found = given.find(field.name);
    const bool absent = found == given.end() || found->is_null() || *found == "";
    if (absent) {
      // An unticked box is not sent by browsers.
      if (field.type == Type::boolean) {
        checked.values[field.name] = Secret("false");
      } else if (field.required) {
        fault("is missing");
      }
      continue;
    }
    if (fault(fault_of_type(field, *found))) continue;
    if (!found->is_string()) {
      checked.values[field.name] = Secret(found->dump());
      continue;
    }
    auto& text = found->get_ref<std::string&>();
    // What is copied often brings a blank or a line break along.
    const auto value = trim(text);
    const bool wrong =
        value.empty() ? field.required && fault("is missing") : fault(fault_of_text(field, value));
    if (!wrong && !value.empty()) checked.values[field.name] = Secret(value);
    wipe(text);
  }
  return checked;
}

SecretText CredentialSchema::to_document(const Credentials& values) const {
  SecretJsonWriter json;
  json.begin();
  for (const auto& field : fields_) {
    const auto found = values.find(field.name);
    if (found == values.end()) continue;
    if (field.type == Type::text) {
      json.member(field.name, found->second.expose());
    } else {
      json.member_json(field.name, found->second.expose());
    }
  }
  return json.end().take();
}

Result<Credentials> credentials_from_document(std::string_view document) {
  auto json = Json::parse(document, nullptr, false);
  if (!json.is_object())
    return Error{ErrorCode::vault_unusable, "the stored credentials cannot be read",
                 "connect once more"};
  Credentials credentials;
  for (auto& [name, value] : json.items()) {
    if (value.is_string()) {
      auto& text = value.get_ref<std::string&>();
      credentials[name] = Secret(text);
      wipe(text);
    } else {
      credentials[name] = Secret(value.dump());
    }
  }
  return credentials;
}

}  // namespace nexus
