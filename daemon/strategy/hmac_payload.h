#pragma once

#include <string>
#include <string_view>

namespace nexus {

enum class HmacAlgorithm { sha256, sha1 };

/// HMAC (RFC 2104) as raw bytes. SHA-1 only because some webhooks still insist on it.
std::string hmac(HmacAlgorithm algorithm, std::string_view key, std::string_view message);

}  // namespace nexus
