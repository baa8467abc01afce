#include "daemon/file_access.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/descriptor.h"
#include "common/paths.h"

namespace nexus {
namespace {

// Of later kernels than the headers' one.
constexpr std::uint64_t kTruncate = 1ULL << 14;
constexpr std::uint64_t kIoctlDevice = 1ULL << 15;
constexpr std::uint64_t kScopeAbstractSockets = 1ULL << 0;
constexpr std::uint64_t kScopeSignals = 1ULL << 1;

/// struct landlock_ruleset_attr of version 6. The kernel takes one that is longer than its own
/// where the rest is zero.
struct Ruleset {
  std::uint64_t handled_files = 0;
  std::uint64_t handled_ports = 0;
  std::uint64_t scopes = 0;
};

constexpr std::uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_READ_FILE | kTruncate | kIoctlDevice;

std::uint64_t bits_of(FileRight right) {
  constexpr auto read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  switch (right) {
    case FileRight::read:
      return read;
    case FileRight::run:
      return read | LANDLOCK_ACCESS_FS_EXECUTE;
    case FileRight::keep:
      return read | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
             LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
             LANDLOCK_ACCESS_FS_REMOVE_DIR | kTruncate;
    case FileRight::write:
      return LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    case FileRight::unlink:
      return LANDLOCK_ACCESS_FS_REMOVE_FILE;
    case FileRight::rmdir:
      return LANDLOCK_ACCESS_FS_REMOVE_DIR;
  }
  return 0;
}

Ruleset ruleset_of(int version) {
  Ruleset rules;
  rules.handled_files = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1;  // all of the first version
  if (version >= 2) rules.handled_files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rules.handled_files |= kTruncate;
  if (version >= 5) rules.handled_files |= kIoctlDevice;
  if (version >= 6) {
    rules.scopes = kScopeSignals;
    // Some service managers wait for READY=1 at a socket without a path.
    if (!environment("NOTIFY_SOCKET").starts_with('@')) rules.scopes |= kScopeAbstractSockets;
  }
  return rules;
}

Error refused(const char* what) {
  return {ErrorCode::failure, std::string(what) + ": " + std::strerror(errno),
          "set sandbox = \"off\" under [daemon] in nexus.toml, and report this"};
}

Result<void> allow(int ruleset, const AllowedPlace& place, std::uint64_t handled) {
  const Descriptor at(open(place.path.c_str(), O_PATH | O_CLOEXEC));
  struct stat about {};
  if (at.get() < 0 || fstat(at.get(), &about) != 0) return {};
  landlock_path_beneath_attr rule{};
  rule.parent_fd = at.get();
  rule.allowed_access = bits_of(place.right) & handled;
  if (!S_ISDIR(about.st_mode)) rule.allowed_access &= kOfFiles;
  if (rule.allowed_access == 0) return {};
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) == 0)
    return {};
  return refused("Landlock takes no rule");
}

}  // namespace

int landlock_version() {
  const auto version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0U, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<void> confine_to(const std::vector<AllowedPlace>& places) {
  const auto rules = ruleset_of(landlock_version());
  const Descriptor ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0U)));
  if (ruleset.get() < 0) return refused("Landlock takes no rules");
  for (const auto& place : places) NEXUS_CHECK(allow(ruleset.get(), place, rules.handled_files));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
      syscall(SYS_landlock_restrict_self, ruleset.get(), 0U) == 0)
    return {};
  return refused("Landlock cannot be turned on");
}

}  // namespace nexus
