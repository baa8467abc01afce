#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/json.h"
#include "common/secret.h"
#include "daemon/strategy/credentials.h"
#include "daemon/strategy/strategy.h"

namespace nexus {

/// One thing that a person is asked for.
struct CredentialField {
  enum class Type { text, integer, boolean };
  std::string name;
  std::string title;
  std::string description;
  Type type = Type::text;
  std::string format;   ///< password, uri, email or ""
  bool secret = false;  ///< masked where it is typed, never shown again
  bool required = false;
  std::vector<std::string> choices;  ///< `enum`
  std::string pattern;               ///< to be found in the value (RE2's syntax)
  std::size_t min_length = 0;        ///< in code points, as in JSON Schema
  std::size_t max_length = 4096;
  std::string fallback;                 ///< `default`: offered, not imposed
  std::optional<std::string> constant;  ///< `const`: not asked for, always this
};

/// What is wrong with one field, for the person who typed it.
using FieldFault = std::pair<std::string, std::string>;

/// What a static provider asks for: a subset of JSON Schema (an object whose properties are texts,
/// integers or truth values, with title, description, format, enum, const, default, pattern,
/// minLength, maxLength, and `required`). Fields come in the order of `required`, then by name.
class CredentialSchema {
 public:
  /// The schema in `params.credential_schema`, or the one that the strategy implies. Errors:
  /// invalid_field, naming what is wrong; a schema without a field that the strategy needs.
  static Result<CredentialSchema> read(const nlohmann::json& params, const Strategy& strategy);

  const std::vector<CredentialField>& fields() const { return fields_; }
  /// The members of a JSON Schema, for clients.
  void write(JsonWriter& to) const;

  struct Checked {
    Credentials values;
    std::vector<FieldFault> faults;
  };
  /// `given`: the members as they came, text for everything (from a form) or typed (from JSON).
  /// Texts are taken over and wiped there.
  Checked check(nlohmann::json& given) const;

  /// The checked fields as one JSON object, typed as the schema says.
  SecretText to_document(const Credentials& values) const;

 private:
  std::vector<CredentialField> fields_;
};

/// Reads back what `to_document` wrote. Error: vault_unusable.
Result<Credentials> credentials_from_document(std::string_view document);

}  // namespace nexus
