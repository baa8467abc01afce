#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace nexus {

// What a token's answer tells beside the standard members and the setting token_fields names:
// where the API is, whose workspace it is. One text each, a JSON object by the names as they are in
// the setting, "" for nothing.

/// What is wrong with the names, "" for nothing.
std::string fault_of_token_fields(const std::vector<std::string>& names);

/// Those that the answer has: texts, numbers and truth values. A name is a member's, or a path of
/// them with dots between.
std::string token_fields_in(const nlohmann::json& answer, const std::vector<std::string>& names);

/// What is kept after an answer that came later: what it does not tell stays as it was.
std::string later_token_fields(const std::string& before, const std::string& told,
                               const std::vector<std::string>& names);

/// One of them as a text; nothing where it was not told.
std::optional<std::string> token_field(const std::string& fields, const std::string& name);

}  // namespace nexus
