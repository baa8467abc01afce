#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nexus {

// Text as a terminal lays it out.

/// How many of a terminal's columns the text takes: none for what combines with the letter before,
/// two for East Asian letters and pictures.
std::size_t columns_of(std::string_view text);

/// The text as far as it fits, ending in … where it does not.
std::string cut_to(std::string_view text, std::size_t columns);

/// The text in lines of at most so many columns: those that fit as they are, others broken between
/// words. A word that is longer stays whole, as it is there to be copied. Empty lines are left out;
/// there is one line at least.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

}  // namespace nexus
