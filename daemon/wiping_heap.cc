#include "daemon/wiping_heap.h"

#include <cjose/util.h>
#include <curl/curl.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "daemon/log.h"

namespace nexus {
namespace {

void give_back(void* block) noexcept {
  if (!block) return;
  explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

/// Not realloc: that may leave a copy behind.
void* resize(void* block, std::size_t size) {
  if (block && size == 0) {
    give_back(block);
    return nullptr;
  }
  void* moved = std::malloc(size);
  if (!moved || !block) return moved;
  std::memcpy(moved, block, std::min(size, malloc_usable_size(block)));
  give_back(block);
  return moved;
}

char* copy(const char* text) {
  const auto size = std::strlen(text) + 1;
  auto* copied = static_cast<char*>(std::malloc(size));
  if (copied) std::memcpy(copied, text, size);
  return copied;
}

}  // namespace

void wipe_what_libraries_free() {
  const bool openssl = CRYPTO_set_mem_functions(
      [](std::size_t size, const char*, int) { return std::malloc(size); },
      [](void* block, std::size_t size, const char*, int) { return resize(block, size); },
      [](void* block, const char*, int) { give_back(block); });
  const auto curl = curl_global_init_mem(
      CURL_GLOBAL_DEFAULT, [](std::size_t size) { return std::malloc(size); }, give_back, resize,
      copy, [](std::size_t count, std::size_t size) { return std::calloc(count, size); });
  cjose_set_alloc_funcs(std::malloc, resize, give_back);
  json_set_alloc_funcs(std::malloc, give_back);
  if (!openssl || curl != CURLE_OK) log(LogLevel::warn, "buffers_of_libraries_not_wiped");
}

}  // namespace nexus

#ifndef NEXUS_SANITIZED
// Texts and trees of JSON are taken apart into pieces without number: of all that C++ gives back
// nothing stays readable. What is new comes from the library's own operator, which is malloc.
// NOLINTBEGIN(misc-new-delete-overloads)
void operator delete(void* block) noexcept {
  nexus::give_back(block);
}
void operator delete(void* block, std::size_t) noexcept {
  nexus::give_back(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  nexus::give_back(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  nexus::give_back(block);
}
// NOLINTEND(misc-new-delete-overloads)
#endif
