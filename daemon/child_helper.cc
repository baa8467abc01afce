#include "daemon/child_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "common/paths.h"
#include "common/port_holder.h"
#include "common/text.h"
#include "daemon/descriptor_message.h"
#include "daemon/executable.h"
#include "daemon/keyring_program.h"
#include "daemon/process.h"
#include "daemon/suspend_program.h"

namespace nexus {
namespace {

// What is asked of the helper is known by the descriptors that come with it. None: to read the
// settings again. One: to write there who holds the port that the text names or, for "exe PID", to
// send the file there that the process runs. Four, the streams'
// and the report's: to run a program. Then the text is words with a NUL behind each: patience,
// number of words of the command, these, names of variables.
constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::size_t kDescriptors = 4;
constexpr int kRestMs = 20;
constexpr std::string_view kExecutable = "exe ";

/// What a nexusd is given in its environment and no program of the person's is to have.
constexpr const char* kSecretVariables[] = {
    "NEXUS_ENCRYPTION_KEY", "ENCRYPTION_KEY",          "NEXUS_API_KEY", "API_KEY", "API_KEYS",
    "NEXUS_BUNDLE_KEY",     "NEXUS_BUNDLE_PASSPHRASE", "NEXUS_BUNDLE"};

/// All that the settings have nexusd run.
struct Commands {
  std::set<std::vector<std::string>> as_they_stand{};
  std::vector<std::string> prompt{};  ///< its last argument is what is asked

  static Commands of(const Config& config) {
    return {{config.on_attention, config.vault.key_command}, config.access.prompt};
  }

  bool allow(const std::vector<std::string>& command) const {
    if (as_they_stand.contains(command) || is_keyring_command(command) ||
        is_suspend_command(command))
      return true;
    return !prompt.empty() && command.size() == prompt.size() + 1 &&
           std::equal(prompt.begin(), prompt.end(), command.begin());
  }
};

struct Request {
  ChildProgram program;
  std::vector<Descriptor> descriptors;
};

std::string text_of(const ChildProgram& program) {
  std::string text =
      std::to_string(program.patience_ms) + '\0' + std::to_string(program.command.size()) + '\0';
  for (const auto& word : program.command) text += word + '\0';
  for (const auto& variable : program.environment)
    text += variable.substr(0, variable.find('=')) + '\0';
  return text;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  for (auto end = text.find('\0'); end != std::string_view::npos; end = text.find('\0')) {
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return words;
}

std::optional<ChildProgram> program_in(std::string_view text) {
  const auto words = words_in(text);
  if (words.size() < 3) return std::nullopt;
  const auto patience = parse_number(words[0]);
  const auto count = parse_number(words[1]);
  if (!patience || !count || *count < 1 || static_cast<std::size_t>(*count) > words.size() - 2)
    return std::nullopt;
  const auto names = words.begin() + 2 + *count;
  ChildProgram program{.command = {words.begin() + 2, names},
                       .environment = {},
                       .directory = "",
                       .patience_ms = static_cast<int>(std::min<std::int64_t>(*patience, 1 << 30))};
  for (auto name = names; name != words.end(); ++name)
    if (const auto value = environment(name->c_str()); !value.empty())
      program.environment.push_back(*name + "=" + value);
  return program;
}

void send_executable(std::string_view pid, int to) {
  const auto number = parse_number(pid);
  if (!number || *number <= 0) return;
  const Descriptor file = executable_of_process(static_cast<pid_t>(*number));
  if (file.get() >= 0) send_message(to, "x", {file.get()});
}

/// On its own process: waits for the program and reports its end.
void run(const Request& request) {
  const auto& streams = request.descriptors;
  ChildOutcome outcome;
  pid_t child = 0;
  outcome.error =
      start_child(request.program, {streams[0].get(), streams[1].get(), streams[2].get()}, child);
  if (outcome.error == 0) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(request.program.patience_ms);
    while (waitpid(child, &outcome.status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() >= deadline) kill(child, SIGKILL);
      poll(nullptr, 0, kRestMs);
    }
  }
  write_all(streams[3].get(), {reinterpret_cast<const char*>(&outcome), sizeof outcome});
}

class Helper {
 public:
  Helper(int end, const Config& config, std::string file)
      : end_(end), file_(std::move(file)), commands_(Commands::of(config)) {}

  /// Until nobody has the other end.
  void serve() {
    while (auto message = receive_message(end_, kMostBytes, kDescriptors)) {
      Request request{{}, std::move(message->descriptors)};
      if (message->is_whole) answer(message->text, request);
    }
  }

 private:
  void answer(std::string_view text, Request& request) {
    const auto& given = request.descriptors;
    if (given.empty()) return read_settings();
    if (given.size() == kDescriptors) return begin(text, request);
    if (text.starts_with(kExecutable))
      return send_executable(text.substr(kExecutable.size()), given.front().get());
    if (const auto port = parse_number(text))
      write_all(given.front().get(), nexus::port_holder(static_cast<int>(*port)));
  }

  void read_settings() {
    const auto config = load_config({.file = file_});
    commands_ = config ? Commands::of(*config) : Commands();
  }

  void begin(std::string_view text, Request& request) {
    auto program = program_in(text);
    if (!program || !commands_.allow(program->command)) return;
    request.program = *std::move(program);
    if (fork() != 0) return;
    signal(SIGCHLD, SIG_DFL);
    run(request);
    _exit(0);
  }

  const int end_;
  const std::string file_;
  Commands commands_;
};

[[noreturn]] void be_helper(int end, const Config& config, const std::string& file) {
  prctl(PR_SET_NAME, "nexusd-children");
  signal(SIGCHLD, SIG_IGN);  // who waits for a program is not waited for
  close_descriptors_but({end});
  const int null = open("/dev/null", O_RDWR);
  for (int stream = 0; stream <= 2; ++stream) dup2(null, stream);
  close(null);
  for (const char* name : kSecretVariables) take_variable(name);
  Helper(end, config, file).serve();
  _exit(0);
}

}  // namespace

Result<ChildHelper> ChildHelper::fork_off(const Config& config, const std::string& directory) {
  int ends[2];
  const Error refused{ErrorCode::failure, "no process could be made that runs hooks",
                      "raise the limits of this user: ulimit -a"};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return refused;
  Descriptor ours(ends[0]);
  const Descriptor its(ends[1]);
  const auto child = fork();
  if (child == 0) {
    be_helper(its.get(), config, (std::filesystem::path(directory) / config.file).string());
  }
  if (child < 0) return refused;
  return ChildHelper(std::move(ours));
}

void ChildHelper::renew() const {
  send_message(end_.get(), "x", {});
}

Result<Descriptor> ChildHelper::start(const ChildProgram& program,
                                      const ChildStreams& streams) const {
  return ask(text_of(program), {streams.input, streams.output, streams.said});
}

std::string ChildHelper::port_holder(int port) const {
  const auto answer = ask(std::to_string(port), {});
  SecretText text;
  return answer && read_all(answer->get(), text) ? std::string(text) : std::string();
}

Result<Descriptor> ChildHelper::ask(std::string_view text, std::vector<int> descriptors) const {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Error{ErrorCode::failure, "no pipe could be made", "close what has many files open"};
  Descriptor from(ends[0]);
  const Descriptor to(ends[1]);
  descriptors.push_back(to.get());
  if (send_message(end_.get(), text, descriptors)) return from;
  return Error{ErrorCode::failure, "the process that runs programs for nexusd is gone",
               "run: nexus daemon stop, then: nexus daemon start"};
}

Descriptor ChildHelper::executable(pid_t pid) const {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return Descriptor(-1);
  const Descriptor ours(ends[0]);
  Descriptor its(ends[1]);
  const auto text = std::string(kExecutable) + std::to_string(pid);
  if (!send_message(end_.get(), text, {its.get()})) return Descriptor(-1);
  its = Descriptor(-1);
  auto answer = receive_message(ours.get(), 1, 1);
  if (!answer || answer->descriptors.empty()) return Descriptor(-1);
  return std::move(answer->descriptors.front());
}

Descriptor ChildHelper::copy() const {
  return Descriptor(fcntl(end_.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

}  // namespace nexus
