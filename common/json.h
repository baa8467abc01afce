#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

using Json = nlohmann::json;

struct DeleteJson {
  void operator()(Json* json) const;
};
/// A document that who only hands it on need not know the library for. Never null.
using JsonDocument = std::unique_ptr<Json, DeleteJson>;

/// Parses JSON from outside (RFC 8259, RFC 7493): the top must be an object, every text valid
/// UTF-8, member names unique, at most 64 levels deep, nothing after the value. Error:
/// invalid_json.
Result<JsonDocument> parse_json_object(std::string_view text);

/// The same of a text whose top may be a list as well.
Result<JsonDocument> parse_json_structure(std::string_view text);

/// Whether it would be an object; nothing of the text is kept.
bool is_json_object(std::string_view text);

/// Compact JSON; never throws on texts that are not UTF-8.
std::string to_text(const Json& json);

/// JSON as people read it: a text without its quotes, everything else as it stands.
std::string plain_text(const std::string& json);

/// The member as a text; nothing when it is absent or not a text.
std::optional<std::string> text_member(const Json& object, const char* name);
/// Those of its items that are texts; none when it is no list.
std::vector<std::string> texts_member(const Json& object, const char* name);
/// Whether it is true.
bool flag_member(const Json& object, const char* name);
/// The member as an object or a list, also to take from; null when it is none.
Json* object_member(Json& object, const char* name);
Json* list_member(Json& object, const char* name);

/// Writes JSON member by member, without building it first. Every answer is written so: what
/// carries credentials into wiped memory, the others because a document in between helps nobody.
/// Broken UTF-8 becomes U+FFFD.
template <class Text>
class BasicJsonWriter {
 public:
  BasicJsonWriter() { out_.reserve(512); }
  /// Opens the object itself, one of a list or, with a name, a member that is an object.
  BasicJsonWriter& begin(std::string_view name = {});
  BasicJsonWriter& end();
  BasicJsonWriter& begin_list(std::string_view name = {});
  BasicJsonWriter& end_list();
  BasicJsonWriter& member(std::string_view name, std::string_view value);
  BasicJsonWriter& member(std::string_view name, std::int64_t value);
  BasicJsonWriter& member(std::string_view name, const std::vector<std::string>& values);
  BasicJsonWriter& flag(std::string_view name, bool value);
  /// null for "" or nothing.
  BasicJsonWriter& member_or_null(std::string_view name, std::string_view value);
  BasicJsonWriter& member_or_null(std::string_view name, const std::optional<std::int64_t>& value);
  /// A value that is JSON already.
  BasicJsonWriter& member_json(std::string_view name, std::string_view json);
  /// One value of a list.
  BasicJsonWriter& item(std::string_view value);
  BasicJsonWriter& item_json(std::string_view json);
  Text take() { return std::move(out_); }

 private:
  void comma();
  void name(std::string_view name);
  void text(std::string_view value);
  Text out_;
  bool first_ = true;
};

using JsonWriter = BasicJsonWriter<std::string>;
using SecretJsonWriter = BasicJsonWriter<SecretText>;

}  // namespace nexus
