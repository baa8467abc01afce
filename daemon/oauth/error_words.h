#pragma once

#include <string>

namespace nexus::oauth {

/// For people, what an error means that a provider sent without a word of description: those of
/// RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6 and RFC 8628 3.5. The error itself, cleaned for
/// display by the caller, stands behind in parentheses.
std::string in_plain_words(const std::string& error);

}  // namespace nexus::oauth
