#include "daemon/oauth/token_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kMostFields = 16;
constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestText = 2048;

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_kept(const Json& value) {
  if (!value.is_string()) return value.is_number() || value.is_boolean();
  // Shown on terminals, and part of addresses.
  const auto& text = value.get_ref<const std::string&>();
  return characters(text) <= kLongestText && printable(text, text.size()) == text;
}

const Json* member_at(const Json& answer, const std::string& path) {
  const auto* value = &answer;
  for (const auto& name : split(path, '.')) {
    const auto inner = value->find(name);
    if (inner == value->end()) return nullptr;
    value = &*inner;
  }
  return value;
}

Json parsed(const std::string& fields) {
  auto json = Json::parse(fields.empty() ? "{}" : fields, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string written(const Json& fields) {
  return fields.empty() ? std::string() : to_text(fields);
}

}  // namespace

std::string fault_of_token_fields(const std::vector<std::string>& names) {
  if (names.size() > kMostFields) return "has more than 16 names";
  for (const auto& name : names) {
    const auto shown = "'" + printable(name, 60) + "'";
    if (name.empty() || name.size() > kLongestName || name.starts_with('.') ||
        name.ends_with('.') || name.find("..") != std::string::npos || !is_vschar(name) ||
        name.find_first_of("{} ") != std::string::npos)
      return shown + " is neither a member's name nor a path with dots";
    for (const char* secret : {"access_token", "refresh_token", "id_token"})
      if (split(name, '.').back() == secret)
        return shown + " is a secret, which is not kept beside the token";
  }
  return {};
}

std::string token_fields_in(const Json& answer, const std::vector<std::string>& names) {
  auto fields = Json::object();
  for (const auto& name : names)
    if (const auto* value = member_at(answer, name); value && is_kept(*value))
      fields[name] = *value;
  return written(fields);
}

std::string later_token_fields(const std::string& before, const std::string& told,
                               const std::vector<std::string>& names) {
  auto fields = Json::object();
  for (const auto& source : {parsed(before), parsed(told)})
    for (const auto& name : names)
      if (const auto found = source.find(name); found != source.end()) fields[name] = *found;
  return written(fields);
}

std::optional<std::string> token_field(const std::string& fields, const std::string& name) {
  const auto all = parsed(fields);
  const auto found = all.find(name);
  if (found == all.end()) return std::nullopt;
  return found->is_string() ? found->get<std::string>() : to_text(*found);
}

}  // namespace nexus
