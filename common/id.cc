#include "common/id.h"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace nexus {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kPrefix = "conn_";
constexpr std::size_t kUlidLength = 26;

}  // namespace

void random_bytes(void* out, std::size_t size) {
  auto* at = static_cast<unsigned char*>(out);
  while (size > 0) {
    const auto got = getrandom(at, size, 0);
    if (got < 0) std::abort();  // no identifier or key may ever be made without randomness
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::string new_connection_id() {
  using namespace std::chrono;
  auto millis = static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  std::array<unsigned char, 16> random{};
  random_bytes(random.data(), random.size());
  std::string id(kPrefix);
  id.resize(kPrefix.size() + kUlidLength);
  for (std::size_t i = 10; i-- > 0; millis >>= 5) id[kPrefix.size() + i] = kCrockford[millis & 31];
  for (std::size_t i = 0; i < 16; ++i) id[kPrefix.size() + 10 + i] = kCrockford[random[i] & 31];
  return id;
}

bool is_connection_id(std::string_view text) {
  return text.size() == kPrefix.size() + kUlidLength && text.starts_with(kPrefix) &&
         text.find_first_not_of(kCrockford, kPrefix.size()) == std::string_view::npos;
}

std::string new_uuid() {
  std::array<unsigned char, 16> bytes{};
  random_bytes(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  constexpr std::string_view hex = "0123456789abcdef";
  std::string uuid;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += hex[bytes[i] >> 4];
    uuid += hex[bytes[i] & 15];
  }
  return uuid;
}

}  // namespace nexus
