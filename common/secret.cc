#include "common/secret.h"

#include <string.h>
#include <sys/mman.h>

#include <atomic>
#include <memory_resource>
#include <new>

namespace nexus {
namespace {

std::atomic<bool> all_locked{true};

/// Whole pages from the kernel, locked and kept out of core dumps.
class LockedPages : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    if (mlock(pages, bytes) != 0) all_locked = false;
    madvise(pages, bytes, MADV_DONTDUMP);
    return pages;
  }
  void do_deallocate(void* pages, std::size_t bytes, std::size_t) override { munmap(pages, bytes); }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

std::pmr::memory_resource& pool() {
  // Never destroyed: secrets in static objects outlive any order of destruction.
  static auto* pages = new LockedPages;
  static auto* pool = new std::pmr::synchronized_pool_resource(
      std::pmr::pool_options{.max_blocks_per_chunk = 64, .largest_required_pool_block = 8192},
      pages);
  return *pool;
}

}  // namespace

void* secret_allocate(std::size_t bytes) {
  return pool().allocate(bytes, 16);
}

void secret_free(void* memory, std::size_t bytes) noexcept {
  explicit_bzero(memory, bytes);
  pool().deallocate(memory, bytes, 16);
}

bool secret_memory_locked() {
  return all_locked;
}

void wipe(std::string& text) {
  explicit_bzero(text.data(), text.capacity());
  text.clear();
}

}  // namespace nexus
