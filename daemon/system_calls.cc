#include "daemon/system_calls.h"

#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <vector>

namespace nexus {
namespace {

constexpr const char* kAllowed[] = {
    // Files.
    "access", "faccessat", "faccessat2", "chdir", "fchdir", "chmod", "fchmod", "fchmodat", "chown",
    "fchown", "fchownat", "lchown", "close", "close_range", "dup", "dup2", "dup3", "fadvise64",
    "fallocate", "fcntl", "fcntl64", "fdatasync", "flock", "fstat", "fstat64", "fstatat64",
    "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "getcwd", "getdents", "getdents64",
    "link", "linkat", "lseek", "_llseek", "lstat", "lstat64", "memfd_create", "mkdir", "mkdirat",
    "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "pread64", "preadv", "pwrite64",
    "pwritev", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2",
    "rmdir", "stat", "stat64", "statfs", "statfs64", "statx", "truncate", "umask", "unlink",
    "unlinkat", "utimensat", "write", "writev",
    // Memory; what runs as code is below.
    "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mremap", "msync", "munlock",
    "munmap",
    // Threads, the child that a successor is tried in, and the successor.
    "arch_prctl", "execve", "exit", "exit_group", "fork", "futex", "futex_time64", "getegid",
    "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "kill", "pidfd_open",
    "prctl", "prlimit64", "restart_syscall", "rseq", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_yield", "set_robust_list", "set_tid_address", "setrlimit",
    "setsid", "sysinfo", "tgkill", "ugetrlimit", "uname", "vfork", "wait4", "waitid",
    // Signals and time.
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "sigreturn", "signalfd4", "clock_getres", "clock_gettime",
    "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "gettimeofday", "nanosleep",
    "time", "timerfd_create", "timerfd_gettime", "timerfd_settime", "times",
    // Waiting.
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2",
    "_newselect", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "select",
    // The network; which sockets is below.
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recv", "recvfrom", "recvmmsg", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto",
    "setsockopt", "shutdown", "socketpair", "getrandom",
    // What a successor asks of itself.
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "seccomp"};

/// Other processes' memory, the kernel's own matters, namespaces, the machine: nothing that runs in
/// a nexusd tries these by mistake.
constexpr const char* kHostile[] = {"acct",
                                    "add_key",
                                    "bpf",
                                    "chroot",
                                    "delete_module",
                                    "finit_module",
                                    "fsconfig",
                                    "fsmount",
                                    "fsopen",
                                    "init_module",
                                    "ioperm",
                                    "iopl",
                                    "kexec_file_load",
                                    "kexec_load",
                                    "keyctl",
                                    "mount",
                                    "mount_setattr",
                                    "move_mount",
                                    "open_by_handle_at",
                                    "open_tree",
                                    "perf_event_open",
                                    "pidfd_getfd",
                                    "pivot_root",
                                    "process_vm_readv",
                                    "process_vm_writev",
                                    "ptrace",
                                    "reboot",
                                    "request_key",
                                    "setns",
                                    "swapoff",
                                    "swapon",
                                    "umount2",
                                    "unshare",
                                    "userfaultfd"};

constexpr scmp_datum_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr scmp_datum_t kLow = 0xffffffff;  ///< of arguments that the kernel takes for an int
constexpr scmp_datum_t kSocketType = 0xf;  ///< without the flags
#ifdef __s390__
constexpr unsigned kCloneFlags = 1;
#else
constexpr unsigned kCloneFlags = 0;
#endif

scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/// What is to be done with which calls; the first failure is kept.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), &seccomp_release) {
    if (!context_) fault_ = ENOMEM;
    keep(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    keep(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }

  void rule(std::uint32_t action, const char* name, const std::vector<scmp_arg_cmp>& when = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) return;  // another architecture's, or of after libseccomp
    keep(seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(when.size()),
                                when.data()));
  }
  void allow(const char* name, const std::vector<scmp_arg_cmp>& when = {}) {
    rule(SCMP_ACT_ALLOW, name, when);
  }

  Result<void> load() {
    keep(fault_ == 0 ? seccomp_load(context_.get()) : 0);
    if (fault_ == 0) return {};
    return Error{
        ErrorCode::failure,
        std::string("the kernel takes no filter of system calls: ") + std::strerror(fault_),
        "set sandbox = \"off\" under [daemon] in nexus.toml, and report this"};
  }

 private:
  void keep(int result) {
    if (result < 0 && fault_ == 0) fault_ = -result;
  }

  std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, decltype(&seccomp_release)> context_;
  int fault_ = 0;
};

/// Memory is written or run, never both, and what was written is never run.
void add_memory(Filter& to) {
  for (const char* map : {"mmap", "mmap2"}) {
    to.allow(map, {masked(2, PROT_EXEC, 0)});
    to.allow(map, {masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC)});
  }
  to.allow("mprotect", {masked(2, PROT_EXEC, 0)});
}

/// Names and providers are asked over the internet's sockets. As a client of this machine's own
/// services (the session's bus, an agent, a container's daemon) it could have others do what it may
/// not; at most it tells the service manager how it is, in a datagram.
void add_sockets(Filter& to) {
  for (const scmp_datum_t family : {AF_INET, AF_INET6})
    to.allow("socket", {masked(0, kLow, family)});
  to.allow("socket", {masked(0, kLow, AF_UNIX), masked(1, kSocketType, SOCK_DGRAM)});
  for (const scmp_datum_t type : {SOCK_STREAM, SOCK_SEQPACKET})
    to.rule(SCMP_ACT_ERRNO(EACCES), "socket",
            {masked(0, kLow, AF_UNIX), masked(1, kSocketType, type)});
  // Which addresses this machine has, for the resolver.
  to.allow("socket", {masked(0, kLow, AF_NETLINK), masked(2, kLow, NETLINK_ROUTE)});
}

void add_processes(Filter& to) {
  // clone3 has its flags where no filter sees them: without it the C library takes this one.
  to.allow("clone", {masked(kCloneFlags, kNamespaces, 0)});
  // No TIOCSTI, which types into a terminal.
  for (const scmp_datum_t request : {FIONREAD, FIONBIO, FIOCLEX, TCGETS, TIOCGWINSZ})
    to.allow("ioctl", {masked(1, kLow, request)});
}

}  // namespace

Result<void> confine_system_calls() {
#ifdef NEXUS_SANITIZED
  return Error{ErrorCode::failure, "a sanitizer needs system calls that nexusd does not", ""};
#endif
  Filter filter;
  for (const char* name : kAllowed) filter.allow(name);
  for (const char* name : kHostile) filter.rule(SCMP_ACT_KILL_PROCESS, name);
  add_memory(filter);
  add_sockets(filter);
  add_processes(filter);
  return filter.load();
}

}  // namespace nexus
