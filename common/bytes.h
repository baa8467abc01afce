#pragma once

#include <string>
#include <string_view>

#include "common/secret.h"

namespace nexus {

/// Text as the bytes that libsodium and OpenSSL take.
inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
/// Where they may write, as far as the text is long.
inline unsigned char* room_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
inline unsigned char* room_of(SecretText& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace nexus
