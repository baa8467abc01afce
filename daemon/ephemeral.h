#pragma once

#include <optional>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

// What a nexusd stands on that keeps nothing (--ephemeral): a process that it lives for, a
// directory for its socket alone, and the bundle in its environment.

/// The process that started this one, and that it ends with. A shell starts what stands in `$(…)`
/// from a copy of itself at times, which ends at once: then it is the shell.
class StartedBy {
 public:
  /// Before this process goes into the background. Error: failure where it is gone already, or the
  /// kernel cannot watch a process (Linux 5.3 can).
  static Result<StartedBy> find();

  /// Can be read once that process has ended (pidfd_open(2)), by whatever end.
  int descriptor() const { return process_.get(); }

 private:
  explicit StartedBy(Descriptor process) : process_(std::move(process)) {}
  Descriptor process_;
};

/// A directory that nobody else can enter, below XDG_RUNTIME_DIR, TMPDIR or /tmp. It goes with its
/// socket.
class SocketDirectory {
 public:
  /// Error: failure.
  static Result<SocketDirectory> make();
  SocketDirectory(SocketDirectory&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  SocketDirectory& operator=(SocketDirectory&&) = delete;
  ~SocketDirectory() { remove(); }

  const std::string& path() const { return path_; }
  std::string socket() const { return path_ + "/nexusd.sock"; }
  void remove();

 private:
  explicit SocketDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;  ///< "" once it is gone
};

/// What a CI system has put into the environment: NEXUS_BUNDLE, and NEXUS_BUNDLE_KEY or
/// NEXUS_BUNDLE_PASSPHRASE to open it with.
struct BundleVariables {
  std::optional<Secret> bundle{};
  Secret private_key{};
  Secret passphrase{};

  /// Takes them out of there: no child has them, nor /proc/PID/environ. Error: usage for a bundle
  /// that is empty, as secrets are where a CI system does not give them out.
  static Result<BundleVariables> take();
};

/// What a shell evaluates to reach the daemon, or to fail as it did.
std::string shell_code_for(const std::string& socket);
std::string shell_code_for(const Error& error);

}  // namespace nexus
