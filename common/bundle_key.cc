#include "common/bundle_key.h"

#include <cstdint>
#include <optional>

#include "common/crc32.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kChecksumBytes = 4;

struct Kind {
  std::string_view prefix;
  const char* name;
};

constexpr Kind kind_of(BundleKey key) {
  return key == BundleKey::public_key ? Kind{"nexus-pub-", "public key"}
                                      : Kind{"nexus-key-", "private key"};
}

constexpr BundleKey other(BundleKey key) {
  return key == BundleKey::public_key ? BundleKey::private_key : BundleKey::public_key;
}

/// Of the prefix, too: a key of one kind cannot be made one of the other by its first letters.
SecretText with_checksum(BundleKey kind, std::string_view bytes) {
  SecretText all(kind_of(kind).prefix);
  all += bytes;
  const auto sum = crc32(all);
  all.erase(0, kind_of(kind).prefix.size());
  for (int shift = 24; shift >= 0; shift -= 8) all += static_cast<char>(sum >> shift & 0xff);
  return all;
}

std::optional<int> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

std::optional<SecretText> from_hex(std::string_view text) {
  SecretText bytes;
  if (text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = digit(text[i]);
    const auto low = digit(text[i + 1]);
    if (!high || !low) return std::nullopt;
    bytes += static_cast<char>(*high * 16 + *low);
  }
  return bytes;
}

Error no_key(const std::string& what, const std::string& hint) {
  return {ErrorCode::invalid_field, what, hint};
}

}  // namespace

SecretText bundle_key_text(BundleKey kind, std::string_view bytes) {
  constexpr auto digits = "0123456789abcdef";
  SecretText text(kind_of(kind).prefix);
  for (const unsigned char byte : with_checksum(kind, bytes)) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

Result<Secret> read_bundle_key(BundleKey kind, std::string_view text) {
  const auto [prefix, name] = kind_of(kind);
  text = trim(text);
  const auto wanted = kind_of(other(kind));
  if (text.starts_with(wanted.prefix))
    return no_key(
        std::string("what was given is a ") + wanted.name + ", where a " + name + " is wanted",
        kind == BundleKey::public_key
            ? "give the nexus-pub-… that nexus key pair told with it; keep the private "
              "key to yourself"
            : "give the nexus-key-… that was made with it");
  if (!text.starts_with(prefix))
    return no_key(std::string("what was given is no ") + name + " of nexus",
                  "it begins with " + std::string(prefix) + "; make a pair with: nexus key pair");
  const auto bytes = from_hex(text.substr(prefix.size()));
  if (!bytes || bytes->size() != kBundleKeyBytes + kChecksumBytes ||
      with_checksum(kind, std::string_view(*bytes).substr(0, kBundleKeyBytes)) != *bytes)
    return no_key(std::string("the ") + name + " was cut or mistyped: its checksum does not fit",
                  "copy all of it once more, from " + std::string(prefix) + " to its end");
  return Secret(std::string_view(*bytes).substr(0, kBundleKeyBytes));
}

}  // namespace nexus
