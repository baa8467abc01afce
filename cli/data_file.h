#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/error.h"

namespace nexus::cli {

/// A TOML or YAML document as JSON, and where each of its members stands.
struct DataFile {
  nlohmann::json document = nlohmann::json::object();
  std::map<std::string, int> lines;  ///< by JSON pointer ("/providers/github/scopes"), from 1

  /// The line of a member or, where it has none, of what it is in.
  int line_of(std::string pointer) const;
};

/// `name` is for messages. Dates are refused: nothing here takes one. Error: usage, with the line.
Result<DataFile> parse_toml(std::string_view text, const std::string& name);
/// The same for YAML 1.2 (its core schema: true, false, null, numbers, texts). Error: usage.
Result<DataFile> parse_yaml(const std::string& text, const std::string& name);

/// An object as a TOML document, members sorted by name.
std::string to_toml(const nlohmann::json& object);

/// The file's text, stdin's for "-". Error: usage.
Result<std::string> read_text_file(const std::string& path);

}  // namespace nexus::cli
