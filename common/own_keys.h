#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nexus {

// Keys of ours where somebody may have put them: API keys (`nxk_`) and those of programs behind the
// proxy (`nxr_`). Each reads PREFIX, ten characters that name it, `_`, then 43 of base 62 (256
// random bits) and six of checksum.

constexpr std::string_view kApiKeyPrefix = "nxk_";
constexpr std::string_view kProgramKeyPrefix = "nxr_";
constexpr std::size_t kKeyPrefixSize = 4;
constexpr std::size_t kKeyIdSize = 10;
constexpr std::size_t kKeySecretSize = 43;
constexpr std::size_t kKeyChecksumSize = 6;
constexpr std::size_t kKeySize =
    kKeyPrefixSize + kKeyIdSize + 1 + kKeySecretSize + kKeyChecksumSize;
constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The first one in a text, good or not; "" where there is none.
std::string_view find_key(std::string_view text);
/// `printable` for what is logged and recorded: it tells whose key it was, and no more,
/// `nxk_ID_***`.
std::string printable_without_keys(std::string_view text, std::size_t most);

}  // namespace nexus
