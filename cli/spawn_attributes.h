#pragma once

#include <signal.h>
#include <spawn.h>

namespace nexus::cli {

/// Of a program that nexus starts. SIGPIPE, which nexus ignores, ends it as it ends others.
class SpawnAttributes {
 public:
  /// `flags`: POSIX_SPAWN_SETPGROUP for a process group of its own, POSIX_SPAWN_SETSID for a
  /// session: Ctrl-C is not for it then. Who pressed it meant nexus, which may still have something
  /// to ask of that program, or to take back. 0 for one that has the terminal beside nexus.
  explicit SpawnAttributes(short flags) {
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags | POSIX_SPAWN_SETSIGDEF));
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace nexus::cli
