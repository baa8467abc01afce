#include "daemon/access/key_text.h"

#include <sodium.h>

#include <algorithm>
#include <cstdint>

#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::size_t kIdSize = 10;
constexpr std::size_t kSecretSize = 43;  // base 62: 256 bits
constexpr std::size_t kChecksumSize = 6;
constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kIdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr std::size_t size_of_key(std::string_view prefix) {
  return prefix.size() + kIdSize + 1 + kSecretSize + kChecksumSize;
}

SecretText random_text(std::string_view alphabet, std::size_t size) {
  SecretText text;
  for (std::size_t i = 0; i < size; ++i)
    text += alphabet[randombytes_uniform(static_cast<std::uint32_t>(alphabet.size()))];
  return text;
}

std::string checksum(std::string_view text) {
  const auto hash = sha256(text);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(hash[i]);
  std::string out;
  for (std::size_t i = 0; i < kChecksumSize; ++i, number /= kBase62.size())
    out += kBase62[number % kBase62.size()];
  return out;
}

}  // namespace

SecretText new_key(std::string_view prefix) {
  SecretText key(prefix);
  key.append(random_text(kIdAlphabet, kIdSize)).append("_");
  key.append(random_text(kBase62, kSecretSize));
  return key.append(checksum(key));
}

std::string id_in_key(std::string_view prefix, std::string_view key) {
  if (key.size() != size_of_key(prefix) || !key.starts_with(prefix)) return {};
  return std::string(key.substr(prefix.size(), kIdSize));
}

std::string_view find_key(std::string_view prefix, std::string_view text) {
  const auto at = text.find(prefix);
  if (at == std::string_view::npos) return {};
  const auto key = text.substr(at, size_of_key(prefix));
  const bool is_whole =
      key.size() == size_of_key(prefix) &&
      key.find_first_not_of(kBase62, prefix.size()) == prefix.size() + kIdSize &&
      key.find_first_not_of(kBase62, prefix.size() + kIdSize + 1) == std::string_view::npos;
  return is_whole ? key : std::string_view();
}

}  // namespace nexus
