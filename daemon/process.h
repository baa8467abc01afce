#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// Executes the program anew, once, unless the dynamic loader was told to look everything up at its
/// beginning (LD_BIND_NOW): what it looks up later, at the first call of each function, it does
/// with all registers saved on the stack, and pieces of secrets that were copied are in them. Some
/// libraries leave it to that (libstdc++). First of all; no child of ours inherits the variable.
void look_all_up_at_once(char** argv);
/// What whoever executes nexusd says for it.
inline constexpr const char* kLookAllUp = "LD_BIND_NOW=1";

/// No core dumps, no ptrace and no /proc/PID/mem for others of the same user, files 0600 by
/// default.
void harden_process();

/// That this user's limits let a daemon do its work: one that starts and then accepts nobody is
/// worse than none. After harden_process, which raises what may be raised. Error: failure.
Result<void> check_limits();
/// How many clients may be connected at once, so that the store, the providers and everything else
/// that opens files has its share.
std::size_t most_clients();
/// How many of their requests may have become WebSockets. Each takes four descriptors, the client's
/// among them; half of all are for others.
std::size_t most_websockets();

/// Closes what the program was started with but the standard streams and these: files and sockets
/// of a shell or a program that live as long as a daemon does help nobody, and what they lead to is
/// not ours.
void close_descriptors_but(std::vector<int> kept);

/// Has the kernel take back the memory that was freed, which the allocators would keep between what
/// is still in use. It takes milliseconds.
void give_back_memory();

/// The program that this process runs, or the one that has been installed in its place.
std::string own_program();

/// A program of ours that is nexusd's alone: installed in `libexec/nexus` of where nexusd is, built
/// beside it.
std::string own_helper(const std::string& name);

/// HOME from the password database, where the environment has none (service managers, `env -i`).
void settle_home();

/// A variable of the environment, taken out of there: it is wiped where /proc/PID/environ shows it,
/// too. Nothing where it is not set.
std::optional<Secret> take_variable(const char* name);

/// The data directory: made 0700 when missing, refused when it is not this user's alone.
Result<void> prepare_data_dir(const std::string& path);

/// What `prepare_data_dir` would say, without making one.
Result<void> check_data_dir(const std::string& path);

/// Whether another nexusd holds it.
Result<bool> is_data_dir_served(const std::string& path);

/// Holds the data directory for one daemon (F5); released when the process ends. `before`: what
/// another nexusd in this process has held it with, or none.
/// Error: daemon_running when another nexusd has it.
Result<Descriptor> lock_data_dir(const std::string& path, Descriptor before = Descriptor(-1));

/// Goes on in the background, in a session of its own, with its log in `log_file`, or where stderr
/// led to ("").  The process that was started waits for the word that `report` sends: exit 0 when
/// the daemon is ready, else the error on stderr and its exit code; or how the daemon ended, where
/// it could not say a word. Call it before any thread exists. Without `enter` it is the foreground.
class Background {
 public:
  /// Error: failure when the system refuses. Returns in the daemon only. Where that ends without a
  /// word, `told` goes to stdout.
  static Result<Background> enter(const std::string& log_file, std::string_view told = {});
  Background() = default;
  /// `told` goes to the stdout that the program was started with. Error: failure where it could
  /// not: whoever waits for it would wait for ever.
  Result<void> ready(std::string_view told = {});
  void failed(const Error& error, std::string_view told = {});

 private:
  int report_ = -1;
  int output_ = STDOUT_FILENO;
  int error_output_ = STDERR_FILENO;
};

/// `nexusd: what` and `  hint` on a stream, as every program of ours reports an error.
void print_error(int fd, const Error& error);

/// Tells a service manager that waits for it (NOTIFY_SOCKET) how things stand, "READY=1", and gives
/// it these descriptors (sd_notify(3), FDSTORE=1).
void notify_service_manager(std::string_view state, const std::vector<int>& descriptors = {});

}  // namespace nexus
