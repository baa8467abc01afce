#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nexus {

/// A connection's identifier: `conn_` and a ULID (26 characters of Crockford's base 32: 48 bits of
/// milliseconds, 80 random bits). Opaque to clients.
std::string new_connection_id();

bool is_connection_id(std::string_view text);

/// A random UUID (RFC 9562, version 4), the form clients expect of provider ids.
std::string new_uuid();

/// Bytes of the kernel's generator.
void random_bytes(void* out, std::size_t size);

}  // namespace nexus
