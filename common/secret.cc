#include "common/secret.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <memory_resource>
#include <mutex>
#include <new>

namespace nexus {
namespace {

std::atomic<bool> locking{false};
std::atomic<bool> all_locked{true};

constexpr std::size_t kLargestPooled = 8192;
constexpr std::size_t kRegion = 64 * 1024;

/// Pages kept out of core dumps and, where it was asked for, locked. The pool's chunks are cut from
/// regions and never come back; what is too large for the pool has pages of its own and gives them
/// back.
class SecretPages : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override {
    if (bytes > kLargestPooled * 2) return map(bytes);
    const std::lock_guard lock(mutex_);
    bytes = (bytes + 15) / 16 * 16;
    if (bytes > left_) {
      left_ = kRegion;
      next_ = static_cast<char*>(map(left_));
    }
    void* memory = next_;
    next_ += bytes;
    left_ -= bytes;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t) override {
    if (bytes > kLargestPooled * 2) munmap(memory, bytes);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  static void* map(std::size_t bytes) {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    if (locking && mlock(pages, bytes) != 0) all_locked = false;
    madvise(pages, bytes, MADV_DONTDUMP);
    return pages;
  }

  std::mutex mutex_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

/// Small blocks come from the pool, large ones from pages of their own. (The standard pool would
/// keep a list of the large ones; here the size tells.)
class SecretMemory {
 public:
  void* allocate(std::size_t bytes) {
    return bytes > kLargestPooled ? pages_.allocate(std::max(bytes, kLargestPooled * 2 + 1))
                                  : pool_.allocate(bytes, kAlignment);
  }
  void free(void* memory, std::size_t bytes) {
    bytes > kLargestPooled ? pages_.deallocate(memory, std::max(bytes, kLargestPooled * 2 + 1))
                           : pool_.deallocate(memory, bytes, kAlignment);
  }

 private:
  // Bytes need none. The usual one is what libstdc++'s pool promises the compiler and does not keep
  // (its bug 118681): it has blocks of 24 bytes side by side.
  static constexpr std::size_t kAlignment = 1;
  SecretPages pages_;
  std::pmr::synchronized_pool_resource pool_{
      std::pmr::pool_options{.max_blocks_per_chunk = 16,
                             .largest_required_pool_block = kLargestPooled},
      &pages_};
};

SecretMemory& memory() {
  // Never destroyed: secrets in static objects outlive any order of destruction.
  static auto* memory = new SecretMemory;
  return *memory;
}

}  // namespace

void* secret_allocate(std::size_t bytes) {
  return memory().allocate(bytes);
}

void secret_free(void* block, std::size_t bytes) noexcept {
  explicit_bzero(block, bytes);
  memory().free(block, bytes);
}

void lock_secret_memory() {
  locking = true;
}

bool secret_memory_locked() {
  return all_locked;
}

void wipe(std::string& text) {
  explicit_bzero(text.data(), text.capacity());
  text.clear();
}

}  // namespace nexus
