#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/json.h"
#include "common/secret.h"

namespace nexus {

/// Typed readers for the members of an object from outside. Absent and null leave the default.
/// Errors: invalid_field, naming the member as `where` + name says.
class JsonFields {
 public:
  explicit JsonFields(const Json& object, std::string where = "")
      : object_(&object), where_(std::move(where)) {}
  /// Those of a text's object (parse_json_object), kept as long as this; of no text, none. Error:
  /// invalid_json.
  static Result<JsonFields> parse(std::string_view text);

  Result<void> text(const char* name, std::string& into) const;
  /// true, false, or the words: settings given on a command line are texts.
  Result<void> flag(const char* name, bool& into) const;
  Result<void> number(const char* name, std::optional<std::int64_t>& into) const;
  Result<void> texts(const char* name, std::vector<std::string>& into) const;
  Result<void> map(const char* name, std::map<std::string, std::string>& into) const;
  /// Any value at all, as JSON.
  Result<void> json(const char* name, std::size_t longest, std::string& into) const;
  Result<void> one_of(const char* name, const std::vector<std::string>& allowed,
                      std::string& into) const;
  /// The member as an object; null where it is absent.
  Result<const Json*> object(const char* name) const;

  /// The text of a parsed object, wiped in there; empty where it is absent or no text.
  Secret take(const char* name);

  /// invalid_field for a member that is none of these: where a misspelt one would do harm.
  Result<void> only(std::initializer_list<std::string_view> names) const;
  bool has(const char* name) const { return find(name) != nullptr; }
  Error bad(const char* name, const std::string& what) const;

 private:
  const Json* find(const char* name) const;
  std::shared_ptr<Json> parsed_;
  const Json* object_;
  std::string where_;
};

}  // namespace nexus
