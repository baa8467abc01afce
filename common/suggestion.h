#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nexus {

/// The word that was most likely meant by one that is none of them: the nearest by letters that
/// were swapped, left out, added or mistyped, as long as most of the word is right. Nothing where
/// none is near.
std::optional<std::string> suggestion(std::string_view word, const std::vector<std::string>& words);

}  // namespace nexus
