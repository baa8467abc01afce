#include "common/json_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "common/text_fault.h"

namespace nexus {
namespace {

constexpr std::size_t kMostItems = 200;

}  // namespace

const Json* JsonFields::find(const char* name) const {
  const auto found = object_->find(name);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

Result<JsonFields> JsonFields::parse(std::string_view text) {
  NEXUS_TRY(auto object, parse_json_object(trim(text).empty() ? "{}" : text));
  JsonFields fields(*object);
  fields.parsed_ = std::move(object);
  return fields;
}

Secret JsonFields::take(const char* name) {
  const auto found = parsed_->find(name);
  if (found == parsed_->end() || !found->is_string()) return {};
  auto& text = found->get_ref<std::string&>();
  Secret secret{text};
  wipe(text);
  return secret;
}

Result<void> JsonFields::only(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : object_->items())
    if (std::find(names.begin(), names.end(), name) == names.end())
      return bad(printable(name, 80).c_str(), "is no member that there is");
  return {};
}

Error JsonFields::bad(const char* name, const std::string& what) const {
  Error error{ErrorCode::invalid_field, where_ + name + " " + what,
              "correct the field and try again"};
  error.field = where_ + name;
  return error;
}

Result<void> JsonFields::text(const char* name, std::string& into) const {
  const auto* value = find(name);
  if (!value) return {};
  if (!value->is_string()) return bad(name, "has to be a text");
  const auto& text = value->get_ref<const std::string&>();
  if (const auto what = fault_of_text(text); !what.empty()) return bad(name, what);
  into = text;
  return {};
}

Result<void> JsonFields::flag(const char* name, bool& into) const {
  const auto* value = find(name);
  if (!value) return {};
  if (value->is_boolean()) {
    into = value->get<bool>();
  } else if (*value == "true" || *value == "false") {
    into = *value == "true";
  } else {
    return bad(name, "has to be true or false");
  }
  return {};
}

Result<void> JsonFields::number(const char* name, std::optional<std::int64_t>& into) const {
  const auto* value = find(name);
  if (!value) return {};
  if (value->is_string()) {
    into = parse_number(value->get_ref<const std::string&>());
    if (into) return {};
  } else if (value->is_number_integer() && value->get<std::int64_t>() >= 0) {
    into = value->get<std::int64_t>();  // one beyond its range reads as negative
    return {};
  }
  return bad(name, "has to be a whole number");
}

Result<void> JsonFields::texts(const char* name, std::vector<std::string>& into) const {
  const auto* value = find(name);
  if (!value) return {};
  if (!value->is_array() || value->size() > kMostItems)
    return bad(name, "has to be a list of at most 200 texts");
  std::vector<std::string> texts;
  for (const auto& item : *value) {
    if (!item.is_string()) return bad(name, "has to be a list of texts");
    texts.push_back(item.get<std::string>());
    if (const auto what = fault_of_text(texts.back()); !what.empty()) return bad(name, what);
  }
  into = std::move(texts);
  return {};
}

Result<void> JsonFields::map(const char* name, std::map<std::string, std::string>& into) const {
  const auto* value = find(name);
  if (!value) return {};
  if (!value->is_object() || value->size() > kMostItems)
    return bad(name, "has to be an object of texts");
  std::map<std::string, std::string> map;
  for (const auto& [key, item] : value->items()) {
    if (!item.is_string() || key.empty()) return bad(name, "has to be an object of texts");
    const auto& text = item.get_ref<const std::string&>();
    for (const auto& part : {key, text})
      if (const auto what = fault_of_text(part); !what.empty()) return bad(name, what);
    map[key] = text;
  }
  into = std::move(map);
  return {};
}

Result<void> JsonFields::json(const char* name, std::size_t longest, std::string& into) const {
  const auto* value = find(name);
  if (!value) return {};
  auto text = to_text(*value);
  if (text.size() > longest)
    return bad(name, "is longer than " + std::to_string(longest) + " bytes of JSON");
  into = std::move(text);
  return {};
}

Result<void> JsonFields::one_of(const char* name, const std::vector<std::string>& allowed,
                                std::string& into) const {
  std::string word = into;
  NEXUS_CHECK(text(name, word));
  if (!find(name)) return {};
  if (std::find(allowed.begin(), allowed.end(), word) == allowed.end())
    return bad(name, "has to be one of: " + join(allowed, ", "));
  into = word;
  return {};
}

Result<const Json*> JsonFields::object(const char* name) const {
  const auto* value = find(name);
  if (value && !value->is_object()) return bad(name, "has to be an object");
  return value;
}

}  // namespace nexus
