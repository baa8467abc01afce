#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nexus {

/// Hands out memory for bytes (it is not aligned for more) that is left out of core dumps and wiped
/// when it is given back.
void* secret_allocate(std::size_t bytes);
void secret_free(void* memory, std::size_t bytes) noexcept;

/// Of what was given back the kernel gets all that is in nobody's way. It is kept until then.
void give_back_secret_memory();

template <class T>
struct SecretAllocator {
  using value_type = T;
  static_assert(alignof(T) == 1);
  SecretAllocator() = default;
  template <class U>
  SecretAllocator(const SecretAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(secret_allocate(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { secret_free(p, n * sizeof(T)); }
  friend bool operator==(SecretAllocator, SecretAllocator) { return true; }
};

/// A growing text that holds a secret for a moment (an answer being written, a form being sent).
/// Every block it leaves behind is wiped.
using SecretText = std::basic_string<char, std::char_traits<char>, SecretAllocator<char>>;

/// A secret at rest in memory. It cannot be printed, compared or copied by accident: `expose()` is
/// the one way to its bytes and marks the places worth a reviewer's look.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) {
    bytes_.reserve(bytes.size() < kBeyondInline ? kBeyondInline : bytes.size());
    bytes_.assign(bytes);
  }

  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) noexcept = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  Secret copy() const { return Secret(expose()); }
  std::string_view expose() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  // Short strings would live inside the object, where no allocator wipes them.
  static constexpr std::size_t kBeyondInline = 32;
  SecretText bytes_;
};

/// Takes so many bytes off its beginning. What moves up leaves nothing behind.
void remove_front(SecretText& text, std::size_t bytes);

/// Overwrites a std::string that could not be avoided (a library's own).
void wipe(std::string& text);

}  // namespace nexus
