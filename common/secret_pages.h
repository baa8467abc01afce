#pragma once

#include <cstddef>

namespace nexus {

/// From now on pages for secrets are also locked against swapping. For programs that hold secrets
/// for long, before the first one; a command that lives for a millisecond would only pay for it.
void lock_secret_memory();

/// False once the kernel has refused to lock memory for secrets (RLIMIT_MEMLOCK).
bool secret_memory_locked();

/// In bytes; what is mapped is rounded up to multiples of it.
std::size_t secret_page_size();
/// Pages that are left out of core dumps. Throws std::bad_alloc.
void* map_secret_pages(std::size_t bytes);
/// The same at an address that is a multiple of their size, a power of two.
void* map_aligned_secret_pages(std::size_t bytes);
/// Whether the kernel has taken them back.
bool unmap_secret_pages(void* pages, std::size_t bytes) noexcept;

}  // namespace nexus
