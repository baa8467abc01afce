#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/words.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// The members of an object that nexusd answered. It is asked leniently: what is absent, null or of
/// another type is the default, so that programs of two versions understand each other.
class Reader {
 public:
  explicit Reader(const nlohmann::json& object) : object_(object) {}

  std::string text(const char* name) const;
  bool flag(const char* name) const;
  std::optional<std::int64_t> number(const char* name) const;
  std::vector<std::string> texts(const char* name) const;
  /// The member as JSON, "" where it is absent or null.
  std::string json(const char* name) const;
  /// The object as JSON but for some of its members.
  std::string without(std::initializer_list<const char*> names) const;
  /// Calls `use` with a member that is an object, or with each object of a list.
  void object(const char* name, const std::function<void(const Reader&)>& use) const;
  void each(const char* name, const std::function<void(const Reader&)>& use) const;
  /// Each member that is an object of a member that is one.
  void each_member(const char* name,
                   const std::function<void(const std::string& name, const Reader&)>& use) const;
  /// Each member of a member that is an object, as JSON.
  void members(const char* name,
               const std::function<void(const std::string& name, std::string json)>& use) const;

  template <class Enum>
  std::optional<Enum> word(const char* name) const {
    return from_word<Enum>(text(name));
  }

 private:
  const nlohmann::json* find(const char* name) const;
  const nlohmann::json& object_;
};

/// failure: what nexusd answered is not what this program knows.
Error unknown_answer();

using ReadObject = std::function<Result<void>(const Reader&)>;
/// Error: unknown_answer for a text that is no object (or no list of objects), and those of `read`.
Result<void> read_object(std::string_view text, const ReadObject& read);
Result<void> read_list(std::string_view text, const ReadObject& read);

// Each resource of /v1 is a struct in a file of its own here, with
//   Result<void> read(const Reader& from, T& into);
//   void write(JsonWriter& to, const T& value);      (its members)

/// An answer as the resource that it is. Error: unknown_answer.
template <class T>
Result<T> parse(std::string_view text) {
  T value;
  NEXUS_CHECK(read_object(text, [&value](const Reader& from) { return read(from, value); }));
  return value;
}

template <class T>
Result<std::vector<T>> parse_list(std::string_view text) {
  std::vector<T> values;
  const auto add = [&values](const Reader& from) { return read(from, values.emplace_back()); };
  NEXUS_CHECK(read_list(text, add));
  return values;
}

template <class T>
std::string to_json(const T& value) {
  JsonWriter to;
  to.begin();
  write(to, value);
  return to.end().take();
}

template <class T>
std::string to_json(const std::vector<T>& values) {
  JsonWriter to;
  to.begin_list();
  for (const auto& value : values) {
    to.begin();
    write(to, value);
    to.end();
  }
  return to.end_list().take();
}

}  // namespace nexus::api
