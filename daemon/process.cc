#include "daemon/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/descriptor.h"
#include "common/directories.h"
#include "common/paths.h"
#include "common/secret.h"
#include "common/secret_pages.h"
#include "common/socket_record.h"
#include "common/text.h"
#include "daemon/descriptor_message.h"

namespace nexus {
namespace {

/// A daemon at rest has some 20 open; each client, request and stored page beside them is one more.
constexpr rlim_t kFewestFiles = 64;

/// What became of a daemon that did not come as far as to say why.
Error ended_while_starting(pid_t daemon, const std::string& log_file) {
  int status = 0;
  while (waitpid(daemon, &status, 0) < 0 && errno == EINTR) {
  }
  const auto how = WIFSIGNALED(status) ? std::string(strsignal(WTERMSIG(status))) + ", signal " +
                                             std::to_string(WTERMSIG(status))
                                       : "exit code " + std::to_string(WEXITSTATUS(status));
  return {ErrorCode::failure, "the daemon ended while it was starting (" + how + ")",
          (log_file.empty() ? "see" : "see " + log_file + ", and") +
              std::string(" the limits of this shell: ulimit -a")};
}

bool is_same_file(int a, int b) {
  struct stat about_a {};
  struct stat about_b {};
  return fstat(a, &about_a) == 0 && fstat(b, &about_b) == 0 && about_a.st_dev == about_b.st_dev &&
         about_a.st_ino == about_b.st_ino;
}

constexpr auto kOtherDataDir = "choose another data directory with --data-dir or NEXUS_DATA_DIR";

Result<void> check_data_dir_is_known(const std::string& path) {
  if (!path.empty()) return {};
  return Error{ErrorCode::usage,
               fault_of_home() + ", and the password database has no home of user " +
                   std::to_string(geteuid()),
               "set HOME, NEXUS_DATA_DIR or --data-dir"};
}

Result<void> check_made_data_dir(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != geteuid())
    return Error{ErrorCode::failure, path + " is not a directory of this user", kOtherDataDir};
  if ((about.st_mode & 077) != 0)
    return Error{ErrorCode::failure, "other users can enter the data directory " + path,
                 "run: chmod 700 " + shell_quote(path)};
  if (faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return Error{ErrorCode::failure,
                 "the data directory " + path + " cannot be written: " + std::strerror(errno),
                 errno == EROFS
                     ? "mount its file system for writing, or " + std::string(kOtherDataDir)
                     : "run: chmod 700 " + shell_quote(path)};
  return {};
}

std::string lock_file_in(const std::string& data_dir) {
  return data_dir + "/nexusd.lock";
}

Error not_locked(const std::string& file) {
  return {ErrorCode::failure, "cannot lock " + file + ": " + std::strerror(errno),
          "check the directory and the free space"};
}

}  // namespace

void look_all_up_at_once(char** argv) {
  const std::string variable(kLookAllUp, std::strchr(kLookAllUp, '='));
  if (std::getenv(variable.c_str())) {
    unsetenv(variable.c_str());
    return;
  }
  setenv(variable.c_str(), "1", 1);
  execv(own_program().c_str(), argv);
  unsetenv(variable.c_str());  // and works all the same
}

void harden_process() {
  umask(077);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGPIPE, SIG_IGN);  // a client that went away is an error to handle, also for libraries
  signal(SIGXFSZ, SIG_IGN);  // a limit on files is like a full disk: an error, not the end
  // Every client is a descriptor; the usual soft limit of 1024 is made for select(2).
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  lock_secret_memory();
}

Result<void> check_limits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kFewestFiles) return {};
  return Error{ErrorCode::failure,
               "only " + std::to_string(files.rlim_cur) + " files may be open at a time, and " +
                   std::to_string(kFewestFiles) + " are needed",
               "raise the limit (ulimit -n, or LimitNOFILE= of the unit) and start again"};
}

std::size_t most_clients() {
  constexpr rlim_t kMost = 4096;
  constexpr rlim_t kForTheRest = 256;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return kMost;
  return std::min(kMost, files.rlim_cur - std::min(kForTheRest, files.rlim_cur / 2));
}

std::size_t most_websockets() {
  constexpr rlim_t kMost = 500;
  constexpr rlim_t kDescriptors = 4;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return kMost;
  return std::min(kMost, files.rlim_cur / 2 / kDescriptors);
}

void close_descriptors_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  auto first = static_cast<unsigned>(STDERR_FILENO + 1);
  for (const int fd : kept) {
    const auto at = static_cast<unsigned>(fd);
    if (fd <= STDERR_FILENO || at < first) continue;
    if (at > first) syscall(SYS_close_range, first, at - 1, 0U);
    first = at + 1;
  }
  syscall(SYS_close_range, first, ~0U, 0U);
}

std::optional<Secret> take_variable(const char* name) {
  char* value = std::getenv(name);
  if (!value) return std::nullopt;
  Secret taken{std::string_view(value)};
  explicit_bzero(value, std::strlen(value));
  unsetenv(name);
  return taken;
}

void give_back_memory() {
  give_back_secret_memory();
  malloc_trim(0);
}

std::string own_program() {
  constexpr std::string_view replaced = " (deleted)";
  std::error_code unknown;
  auto path = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  if (path.ends_with(replaced)) path.resize(path.size() - replaced.size());
  return access(path.c_str(), X_OK) == 0 ? path : "/proc/self/exe";
}

std::string own_helper(const std::string& name) {
  const auto own = own_program();
  const auto directory = own.substr(0, own.rfind('/') + 1);
  const auto beside = directory + name;
  return access(beside.c_str(), X_OK) == 0 ? beside : directory + "../libexec/nexus/" + name;
}

void settle_home() {
  if (environment("HOME").starts_with('/')) return;
  const auto* user = getpwuid(geteuid());
  if (user && user->pw_dir && *user->pw_dir == '/') setenv("HOME", user->pw_dir, 1);
}

Result<void> prepare_data_dir(const std::string& path) {
  NEXUS_CHECK(check_data_dir_is_known(path));
  NEXUS_CHECK(make_directories(path, kOtherDataDir));
  return check_made_data_dir(path);
}

Result<void> check_data_dir(const std::string& path) {
  NEXUS_CHECK(check_data_dir_is_known(path));
  NEXUS_CHECK(check_directories_can_be_made(path, kOtherDataDir));
  if (access(path.c_str(), F_OK) != 0) return {};
  return check_made_data_dir(path);
}

Result<bool> is_data_dir_served(const std::string& path) {
  const auto file = lock_file_in(path);
  const Descriptor lock(open(file.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (lock.get() < 0 && errno == ENOENT) return false;
  // Shared, and let go of at once: it is not to keep one from starting.
  if (lock.get() >= 0 && flock(lock.get(), LOCK_SH | LOCK_NB) == 0) return false;
  if (errno == EWOULDBLOCK) return true;
  return not_locked(file);
}
Result<Descriptor> lock_data_dir(const std::string& path, Descriptor before) {
  const auto file = lock_file_in(path);
  Descriptor lock(open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (is_same_file(lock.get(), before.get())) lock = std::move(before);
  if (lock.get() >= 0 && flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    const auto where = recorded_socket(path);
    return Error{ErrorCode::daemon_running,
                 "another nexusd serves " + path + (where ? ", at " + *where : ""),
                 "use it, or stop it with: nexus daemon stop" +
                     (where ? " --socket " + shell_quote(*where) : "")};
  }
  return not_locked(file);
}

void print_error(int fd, const Error& error) {
  auto text = "nexusd: " + error.message + "\n";
  if (!error.hint.empty()) text += "  " + error.hint + "\n";
  [[maybe_unused]] const auto written = write(fd, text.data(), text.size());
}

Result<Background> Background::enter(const std::string& log_file, std::string_view told) {
  const Error refused{ErrorCode::failure, "cannot go to the background",
                      "try: nexusd --foreground"};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return refused;
  const auto child = fork();
  if (child < 0) return refused;
  if (child > 0) {
    close(ends[1]);
    unsigned char code = 1;
    // End of file without a byte: the daemon died before it could say why.
    if (read(ends[0], &code, 1) != 1)
      Background().failed(ended_while_starting(child, log_file), told);
    _exit(code);
  }
  close(ends[0]);
  setsid();
  if (chdir("/") != 0) return refused;
  Background background;
  background.report_ = ends[1];
  background.output_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  background.error_output_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  if (log_file.empty()) {
    close(null);
    return background;
  }
  const int log = open(log_file.c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  dup2(log >= 0 ? log : null, STDERR_FILENO);
  if (log >= 0) close(log);
  close(null);
  return background;
}

Result<void> Background::ready(std::string_view told) {
  if (!write_all(output_, told))
    return Error{ErrorCode::failure,
                 std::string("standard output cannot be written: ") + std::strerror(errno),
                 "have it read, as in: eval \"$(nexusd --ephemeral)\""};
  if (report_ < 0) return {};
  const unsigned char ok = 0;
  [[maybe_unused]] const auto written = write(report_, &ok, 1);
  for (const int fd : {report_, output_, error_output_}) close(fd);
  *this = {};
  return {};
}

void Background::failed(const Error& error, std::string_view told) {
  print_error(error_output_, error);
  write_all(output_, told);
  if (report_ < 0) return;
  const auto code = static_cast<unsigned char>(error.exit_code());
  [[maybe_unused]] const auto written = write(report_, &code, 1);
}

void notify_service_manager(std::string_view state, const std::vector<int>& descriptors) {
  const auto path = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const Descriptor to(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  send_message(to.get(), state, descriptors, {reinterpret_cast<const sockaddr*>(&address), size});
}

}  // namespace nexus
