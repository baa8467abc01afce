#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nexus {

/// RFC 4648 section 5 without padding, as JOSE and PKCE use it.
std::string base64url(std::string_view bytes);
/// Strict: no padding, no blanks, no characters of the other alphabet.
std::optional<std::string> base64url_decode(std::string_view text);

/// RFC 4648 section 4 with padding.
std::string base64(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

/// Lower-case hexadecimal digits.
std::string hex(std::string_view bytes);

std::string sha256(std::string_view bytes);

/// Compares without telling by its duration where the difference lies.
bool equal_constant_time(std::string_view a, std::string_view b);

/// `size` random bytes as base64url: 32 bytes make the 43 characters of a code verifier.
std::string random_token(std::size_t size);

}  // namespace nexus
