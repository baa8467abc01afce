#include "common/json.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kMaxDepth = 64;

enum class Top { object, structure };

/// Checks what it is at the top, and what nlohmann/json lets pass: depth and repeated member names.
/// It builds nothing, so a hostile document costs no memory worth naming.
class StrictCheck : public nlohmann::json_sax<Json> {
 public:
  explicit StrictCheck(Top top) : takes_list_(top == Top::structure) {}

  bool null() override { return inside(); }
  bool boolean(bool) override { return inside(); }
  bool number_integer(number_integer_t) override { return inside(); }
  bool number_unsigned(number_unsigned_t) override { return inside(); }
  bool number_float(number_float_t, const string_t&) override { return inside(); }
  bool string(string_t&) override { return inside(); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    names_.emplace_back();
    return names_.size() <= kMaxDepth;
  }
  bool key(string_t& name) override { return names_.back().insert(name).second; }
  bool end_object() override {
    names_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    if (!inside() && !takes_list_) return false;
    names_.emplace_back();
    return names_.size() <= kMaxDepth;
  }
  bool end_array() override {
    names_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool inside() const { return !names_.empty(); }
  const bool takes_list_;
  std::vector<std::set<std::string>> names_;
};

bool is_strict(std::string_view text, Top top) {
  StrictCheck check(top);
  return is_valid_utf8(text) && Json::sax_parse(text, &check);
}

}  // namespace

bool is_json_object(std::string_view text) {
  return is_strict(text, Top::object);
}

void DeleteJson::operator()(Json* json) const {
  delete json;
}

Result<JsonDocument> parse_json_object(std::string_view text) {
  if (!is_json_object(text))
    return Error{ErrorCode::invalid_json, "the body is not a well-formed JSON object"};
  return JsonDocument(new Json(Json::parse(text, nullptr, false)));
}

Result<JsonDocument> parse_json_structure(std::string_view text) {
  if (!is_strict(text, Top::structure))
    return Error{ErrorCode::invalid_json, "the text is no well-formed JSON object or list"};
  return JsonDocument(new Json(Json::parse(text, nullptr, false)));
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string plain_text(const std::string& json) {
  const auto value = Json::parse(json, nullptr, false);
  return value.is_string() ? value.get<std::string>() : json;
}

std::optional<std::string> text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::vector<std::string> texts_member(const Json& object, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = object.find(name); found != object.end() && found->is_array())
    for (const auto& item : *found)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

bool flag_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && *found == true;
}

Json* object_member(Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

Json* list_member(Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

template <class Text>
void BasicJsonWriter<Text>::comma() {
  if (!first_) out_ += ',';
  first_ = false;
}

template <class Text>
void BasicJsonWriter<Text>::name(std::string_view name) {
  comma();
  text(name);
  out_ += ':';
}

template <class Text>
void BasicJsonWriter<Text>::text(std::string_view value) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto is_plain = [](char c) {
    return static_cast<signed char>(c) >= 0x20 && c != '"' && c != '\\';
  };
  std::optional<bool> broken;  // asked when it matters
  out_ += '"';
  for (auto at = value.begin(); at != value.end(); ++at) {
    // Nearly all of a text is plain, and goes on whole.
    const auto special = std::find_if_not(at, value.end(), is_plain);
    out_.append(at, special);
    at = special;
    if (at == value.end()) break;
    const char c = *at;
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && !broken) broken = !is_valid_utf8(value);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20) {
      out_ += "\\u00";
      out_ += hex[byte >> 4];
      out_ += hex[byte & 15];
    } else if (byte >= 0x80 && *broken) {
      out_ += "\\ufffd";
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::begin(std::string_view member_name) {
  member_name.empty() ? comma() : name(member_name);
  out_ += '{';
  first_ = true;
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::end() {
  out_ += '}';
  first_ = false;
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::begin_list(std::string_view member_name) {
  member_name.empty() ? comma() : name(member_name);
  out_ += '[';
  first_ = true;
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::end_list() {
  out_ += ']';
  first_ = false;
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::member(std::string_view member_name,
                                                     std::string_view value) {
  name(member_name);
  text(value);
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::member(std::string_view member_name,
                                                     std::int64_t value) {
  name(member_name);
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  if (error == std::errc()) out_.append(digits, end);
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::member(std::string_view member_name,
                                                     const std::vector<std::string>& values) {
  begin_list(member_name);
  for (const auto& value : values) item(value);
  return end_list();
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::flag(std::string_view member_name, bool value) {
  return member_json(member_name, value ? "true" : "false");
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::member_or_null(std::string_view member_name,
                                                             std::string_view value) {
  return value.empty() ? member_json(member_name, "null") : member(member_name, value);
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::member_or_null(
    std::string_view member_name, const std::optional<std::int64_t>& value) {
  return value ? member(member_name, *value) : member_json(member_name, "null");
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::member_json(std::string_view member_name,
                                                          std::string_view json) {
  name(member_name);
  out_.append(json);
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::item(std::string_view value) {
  comma();
  text(value);
  return *this;
}

template <class Text>
BasicJsonWriter<Text>& BasicJsonWriter<Text>::item_json(std::string_view json) {
  comma();
  out_.append(json);
  return *this;
}

template class BasicJsonWriter<std::string>;
template class BasicJsonWriter<SecretText>;

}  // namespace nexus
