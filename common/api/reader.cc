#include "common/api/reader.h"

#include <nlohmann/json.hpp>

namespace nexus::api {

Error unknown_answer() {
  return {ErrorCode::failure, "the daemon answered in a way unknown to nexus",
          "a daemon of another version may be running; run: nexus daemon restart"};
}

const Json* Reader::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Reader::text(const char* name) const {
  return text_member(object_, name).value_or("");
}

bool Reader::flag(const char* name) const {
  const auto* value = find(name);
  return value && value->is_boolean() && value->get<bool>();
}

std::optional<std::int64_t> Reader::number(const char* name) const {
  const auto* value = find(name);
  if (!value || !value->is_number_integer()) return std::nullopt;
  return value->get<std::int64_t>();
}

std::vector<std::string> Reader::texts(const char* name) const {
  std::vector<std::string> texts;
  if (const auto* value = find(name); value && value->is_array())
    for (const auto& item : *value)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

std::string Reader::json(const char* name) const {
  const auto* value = find(name);
  return value ? to_text(*value) : std::string();
}

std::string Reader::without(std::initializer_list<const char*> names) const {
  auto rest = object_;
  for (const char* name : names) rest.erase(name);
  return to_text(rest);
}

void Reader::object(const char* name, const std::function<void(const Reader&)>& use) const {
  if (const auto* value = find(name); value && value->is_object()) use(Reader(*value));
}

void Reader::each(const char* name, const std::function<void(const Reader&)>& use) const {
  if (const auto* value = find(name); value && value->is_array())
    for (const auto& item : *value)
      if (item.is_object()) use(Reader(item));
}

void Reader::each_member(
    const char* name,
    const std::function<void(const std::string& name, const Reader&)>& use) const {
  if (const auto* value = find(name); value && value->is_object())
    for (const auto& [member, inner] : value->items())
      if (inner.is_object()) use(member, Reader(inner));
}

void Reader::members(
    const char* name,
    const std::function<void(const std::string& name, std::string json)>& use) const {
  if (const auto* value = find(name); value && value->is_object())
    for (const auto& [member, inner] : value->items()) use(member, to_text(inner));
}

Result<void> read_object(std::string_view text, const ReadObject& read) {
  const auto json = Json::parse(text, nullptr, false);
  return json.is_object() ? read(Reader(json)) : unknown_answer();
}

Result<void> read_list(std::string_view text, const ReadObject& read) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_array()) return unknown_answer();
  for (const auto& item : json) {
    if (!item.is_object()) return unknown_answer();
    NEXUS_CHECK(read(Reader(item)));
  }
  return {};
}

}  // namespace nexus::api
