#include "cli/static_credentials.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// RFC 4648 section 4.
SecretText base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  SecretText out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i <= bytes.size() ? digits[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

/// A parsed payload; its texts are wiped when it goes.
class Payload {
 public:
  explicit Payload(const SecretText& text) : json_(Json::parse(text, nullptr, false)) {}
  ~Payload() {
    if (json_.is_object() && json_.contains("credentials"))
      for (auto& value : json_["credentials"])
        if (value.is_string()) wipe(value.get_ref<std::string&>());
  }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;

  std::string type() const { return at("strategy", "type"); }
  std::string config(const char* name) const {
    const auto strategy = json_.find("strategy");
    if (strategy == json_.end() || !strategy->contains("config")) return {};
    return text_member(strategy->at("config"), name).value_or("");
  }
  SecretText credential(const std::string& field) const {
    const auto all = json_.find("credentials");
    if (all == json_.end() || !all->is_object()) return {};
    const auto found = all->find(field);
    if (found == all->end()) return {};
    return SecretText(found->is_string() ? found->get_ref<const std::string&>() : found->dump());
  }
  std::vector<std::string> fields() const {
    std::vector<std::string> names;
    if (json_.is_object() && json_.contains("credentials"))
      for (const auto& [name, value] : json_["credentials"].items()) names.push_back(name);
    return names;
  }

 private:
  std::string at(const char* object, const char* name) const {
    const auto found = json_.find(object);
    return found == json_.end() ? std::string() : text_member(*found, name).value_or("");
  }
  Json json_;
};

}  // namespace

bool is_static_payload(const SecretText& payload) {
  return !std::string_view(payload).starts_with("{\"strategy\":{\"type\":\"oauth2\"}");
}

Result<SecretText> static_secret_in(const SecretText& text) {
  const Payload payload(text);
  for (const char* member : {"credential_field", "secret_field"})
    if (const auto field = payload.config(member); !field.empty()) return payload.credential(field);
  const auto fields = payload.fields();
  if (fields.size() == 1) return payload.credential(fields[0]);
  return Error{ErrorCode::usage,
               "this " + payload.type() + " connection has several fields: " + join(fields, ", "),
               "name one with --field, or print all with --format json"};
}

Result<SecretText> static_header_in(const SecretText& text) {
  const Payload payload(text);
  SecretText line;
  if (const auto header = payload.config("header_name");
      !header.empty() && payload.type() != "hmac_payload") {
    line.append(header).append(": ").append(payload.config("value_prefix"));
    line.append(payload.credential(payload.config("credential_field")));
    return line;
  }
  if (payload.type() == "basic_auth") {
    auto pair = payload.credential(payload.config("username_field"));
    pair.append(":").append(payload.credential(payload.config("password_field")));
    return line.append("Authorization: Basic ").append(base64(pair));
  }
  return Error{ErrorCode::usage,
               "credentials of type " + payload.type() + " cannot be put into one header",
               "print them with --format json"};
}

}  // namespace nexus::cli
