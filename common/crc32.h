#pragma once

#include <cstdint>
#include <string_view>

namespace nexus {

/// CRC-32 as in zlib, PNG and gzip (ISO 3309, RFC 1952 section 8): tells a copy that was cut or
/// mistyped. It proves nothing against who means to change one.
std::uint32_t crc32(std::string_view bytes);

}  // namespace nexus
