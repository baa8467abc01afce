#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"

namespace nexus {

/// The program that a process runs, as the kernel tells it.
struct CallingProgram {
  std::string path;          ///< of its file
  Descriptor file{-1};       ///< that very file, opened for reading where it may be
  pid_t pid = 0;             ///< of the process
  std::int64_t session = 0;  ///< of the caller itself: what was started from one terminal
};

/// The process at the other end of a Unix socket. Thread-safe.
class PeerProcess {
 public:
  /// One that was accepted just now. `groups`: as the kernel tells them of the socket.
  PeerProcess(pid_t pid, std::vector<gid_t> groups);

  bool is_in(gid_t group) const;

  /// Which program asks. Where the caller is a nexus, that is the nearest process above it that is
  /// none, and no shell that was started for one command (`sh -c`). Reads /proc; what has taken a
  /// dead process's number is not taken for it. Error: use_refused where the kernel does not say
  /// (another user's process, one that has ended).
  Result<CallingProgram> program();
  /// The path of the last answer of `program`, "" before one.
  std::string known_program() const;

 private:
  const pid_t pid_;
  const std::vector<gid_t> groups_;
  const std::int64_t accepted_at_;  ///< in ticks since the machine's start, as /proc tells starts
  mutable std::mutex mutex_;
  std::string known_;
};

}  // namespace nexus
