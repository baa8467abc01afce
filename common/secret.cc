#include "common/secret.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "common/secret_blocks.h"
#include "common/secret_pages.h"

namespace nexus {
namespace {

constexpr std::size_t kSmallest = 64;
constexpr std::size_t kLargest = 8192;  ///< what is larger has pages of its own

/// Blocks of a power of two each. Made with the first secret and never destroyed: secrets in static
/// objects outlive any order of destruction.
class Pool {
 public:
  SecretBlocks& blocks_for(std::size_t bytes) {
    const auto size = std::bit_ceil(std::max(bytes, kSmallest));
    return blocks_[static_cast<std::size_t>(std::countr_zero(size) - std::countr_zero(kSmallest))];
  }
  void give_back() {
    for (auto& blocks : blocks_) blocks.give_back();
  }

 private:
  std::array<SecretBlocks, 8> blocks_{
      SecretBlocks(kSmallest), SecretBlocks(128),  SecretBlocks(256),  SecretBlocks(512),
      SecretBlocks(1024),      SecretBlocks(2048), SecretBlocks(4096), SecretBlocks(kLargest)};
};

Pool& pool() {
  static auto* pool = new Pool;
  return *pool;
}

}  // namespace

void* secret_allocate(std::size_t bytes) {
  return bytes > kLargest ? map_secret_pages(bytes) : pool().blocks_for(bytes).take();
}

void secret_free(void* memory, std::size_t bytes) noexcept {
  explicit_bzero(memory, bytes);
  if (bytes > kLargest)
    unmap_secret_pages(memory, bytes);
  else
    pool().blocks_for(bytes).put(memory);
}

void give_back_secret_memory() {
  pool().give_back();
}

void remove_front(SecretText& text, std::size_t bytes) {
  const auto left = text.size() - bytes;
  std::memmove(text.data(), text.data() + bytes, left);
  explicit_bzero(text.data() + left, bytes);
  text.resize(left);
}

void wipe(std::string& text) {
  explicit_bzero(text.data(), text.capacity());
  text.clear();
}

}  // namespace nexus
