#pragma once

#include <unistd.h>

#include <string_view>
#include <utility>

#include "common/secret.h"

namespace nexus {

/// Owns a file descriptor; -1 stands for none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// However many calls that takes. False where it cannot be, and errno says why.
bool write_all(int fd, std::string_view text);
/// To the end. False where that did not come, and errno says why; `into` has what did.
bool read_all(int fd, SecretText& into);

}  // namespace nexus
