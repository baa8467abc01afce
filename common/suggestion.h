#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nexus {

/// The words that were most likely meant by one that is none of them: the nearest by letters that
/// were swapped, left out, added or mistyped, as long as most of the word is right. Those that are
/// equally near keep their order; nothing where none is near.
std::vector<std::string> suggestions(std::string_view word, const std::vector<std::string>& words);

/// The first of them.
std::optional<std::string> suggestion(std::string_view word, const std::vector<std::string>& words);

}  // namespace nexus
