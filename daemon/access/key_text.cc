#include "daemon/access/key_text.h"

#include <sodium.h>

#include <algorithm>
#include <cstdint>

#include "common/own_keys.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::string_view kIdAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

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
  for (std::size_t i = 0; i < kKeyChecksumSize; ++i, number /= kBase62.size())
    out += kBase62[number % kBase62.size()];
  return out;
}

}  // namespace

SecretText new_key(std::string_view prefix) {
  SecretText key(prefix);
  key.append(random_text(kIdAlphabet, kKeyIdSize)).append("_");
  key.append(random_text(kBase62, kKeySecretSize));
  return key.append(checksum(key));
}

std::string id_in_key(std::string_view prefix, std::string_view key) {
  if (key.size() != kKeySize || !key.starts_with(prefix)) return {};
  return std::string(key.substr(prefix.size(), kKeyIdSize));
}

}  // namespace nexus
