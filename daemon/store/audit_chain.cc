#include "daemon/store/audit_chain.h"

#include <sodium.h>

#include <array>
#include <initializer_list>

#include "common/bytes.h"

namespace nexus {
namespace {

constexpr std::size_t kLink = crypto_generichash_BYTES;
constexpr std::size_t kCode = crypto_generichash_BYTES_MIN;

std::string keyed_hash(const Secret& secret, std::size_t size,
                       std::initializer_list<std::string_view> parts) {
  const auto key = secret.expose();
  crypto_generichash_state state;
  crypto_generichash_init(&state, bytes_of(key), key.size(), size);
  for (const auto part : parts) crypto_generichash_update(&state, bytes_of(part), part.size());
  std::string hash(size, '\0');
  crypto_generichash_final(&state, room_of(hash), size);
  return hash;
}

std::array<char, 8> number_bytes(std::int64_t number) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  return bytes;
}

}  // namespace

std::string AuditChain::beginning() {
  return std::string(kLink, '\0');
}

std::string AuditChain::link(std::string_view before, std::int64_t sequence,
                             std::string_view record) const {
  const auto number = number_bytes(sequence);
  return keyed_hash(key_, kLink, {"r", before, {number.data(), number.size()}, record});
}

std::string AuditChain::code(Use use, const AuditPlace& place) const {
  const auto number = number_bytes(place.sequence);
  const char letter = static_cast<char>(use);
  return keyed_hash(key_, kCode, {{&letter, 1}, {number.data(), number.size()}, place.link});
}

}  // namespace nexus
