#include "common/secret_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>

namespace nexus {
namespace {

std::atomic<bool> locking{false};
std::atomic<bool> all_locked{true};

char* map(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(pages);
}

void* keep_in_memory(void* pages, std::size_t bytes) {
  if (locking && mlock(pages, bytes) != 0) all_locked = false;
  madvise(pages, bytes, MADV_DONTDUMP);
  return pages;
}

}  // namespace

void lock_secret_memory() {
  locking = true;
}

bool secret_memory_locked() {
  return all_locked;
}

std::size_t secret_page_size() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void* map_secret_pages(std::size_t bytes) {
  return keep_in_memory(map(bytes), bytes);
}

void* map_aligned_secret_pages(std::size_t bytes) {
  if (bytes == secret_page_size()) return map_secret_pages(bytes);
  // The kernel aligns to its own pages alone: of twice as many the right ones are kept.
  auto* pages = map(2 * bytes);
  const auto before = (bytes - reinterpret_cast<std::uintptr_t>(pages) % bytes) % bytes;
  if (before > 0) munmap(pages, before);
  munmap(pages + before + bytes, bytes - before);
  return keep_in_memory(pages + before, bytes);
}

bool unmap_secret_pages(void* pages, std::size_t bytes) noexcept {
  return munmap(pages, bytes) == 0;
}

}  // namespace nexus
