#include "daemon/handover.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/api/reader.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/printed_error.h"
#include "common/text.h"
#include "daemon/child_program.h"
#include "daemon/crypto/encoding.h"
#include "daemon/process.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

constexpr const char* kVariable = "NEXUSD_HANDOVER";  ///< the descriptor that it is read from
constexpr std::string_view kKeyVariable = "NEXUS_ENCRYPTION_KEY";
constexpr std::string_view kForeground = "--foreground";

std::string text_of(const Handover& handover) {
  JsonWriter to;
  to.begin().begin_list("sockets");
  for (const auto& socket : handover.sockets) to.begin().member("descriptor", socket.get()).end();
  to.end_list()
      .member("lock", handover.lock.get())
      .flag("owns_socket", handover.owns_socket)
      .member("locked", handover.locked ? word(*handover.locked) : "")
      .member("child_helper", handover.child_helper.get())
      .member("landlock", handover.sandbox.landlock)
      .flag("seccomp", handover.sandbox.seccomp)
      .member("proxy", handover.proxy.url)
      .flag("proxy_asked", handover.proxy.asked)
      .begin_list("programs");
  for (const auto& program : handover.proxy.programs)
    to.begin()
        .member("id", program.id)
        .member("hash", base64(program.hash))
        .member_json("access", program.access)
        .member("descriptor", program.process.get())
        .end();
  return to.end_list().end().take();
}

Descriptor descriptor_in(const api::Reader& from, const char* name = "descriptor") {
  return Descriptor(static_cast<int>(from.number(name).value_or(-1)));
}

Result<void> read_handover(const api::Reader& from, Handover& into) {
  from.each("sockets",
            [&](const api::Reader& socket) { into.sockets.push_back(descriptor_in(socket)); });
  into.lock = descriptor_in(from, "lock");
  into.owns_socket = from.flag("owns_socket");
  into.locked = from.word<KeySource>("locked");
  into.child_helper = descriptor_in(from, "child_helper");
  into.sandbox.landlock = static_cast<int>(from.number("landlock").value_or(0));
  into.sandbox.seccomp = from.flag("seccomp");
  into.proxy.url = from.text("proxy");
  into.proxy.asked = from.flag("proxy_asked");
  from.each("programs", [&](const api::Reader& program) {
    into.proxy.programs.push_back({program.text("id"),
                                   base64_decode(program.text("hash")).value_or(""),
                                   program.json("access"), descriptor_in(program)});
  });
  return {};
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const auto& word : words) all.push_back(const_cast<char*>(word.c_str()));
  return all;
}

std::vector<std::string> environment_now() {
  std::vector<std::string> all;
  for (char** variable = environ; *variable; ++variable) all.emplace_back(*variable);
  return all;
}

/// The command that starts it as this one was started.
std::vector<std::string> command_of(const std::string& program, const Launch& launch,
                                    std::string_view more) {
  std::vector<std::string> command{program};
  for (const auto& word : launch.words)
    if (word != kForeground) command.push_back(word);
  command.emplace_back(more);
  return command;
}

Error not_handed_over(const std::string& why) {
  return {ErrorCode::failure, "nexusd could not be started again: " + why,
          "start it with: nexus daemon start"};
}

/// A sandbox lasts as long as the process: what the settings named later is closed to it.
Error explained(Error error) {
  if (error.message.find(std::strerror(EACCES)) != std::string::npos)
    error.hint =
        "where a nexusd that runs may not go, one that is started anew may: nexus daemon "
        "stop, then nexus daemon start";
  return error;
}

}  // namespace

Error hand_over(const std::string& program, const Launch& launch, const Handover& handover) {
  const Descriptor file(memfd_create("nexusd", MFD_CLOEXEC));
  if (!write_all(file.get(), text_of(handover))) return not_handed_over(std::strerror(errno));
  auto inherited = descriptors_of(handover);
  inherited.push_back(file.get());
  for (const int fd : inherited) fcntl(fd, F_SETFD, 0);

  const auto command = command_of(program, launch, kForeground);
  auto arguments = pointers_to(command);
  arguments.push_back(nullptr);
  auto variables = environment_now();
  variables.emplace_back(kLookAllUp);
  variables.push_back(std::string(kVariable) + "=" + std::to_string(file.get()));
  auto all_variables = pointers_to(variables);
  SecretText key;
  if (handover.root_key) {
    key.append(kKeyVariable).append("=").append(key_text(*handover.root_key));
    all_variables.push_back(key.data());
  }
  all_variables.push_back(nullptr);
  // What relative names of the command line were about.
  [[maybe_unused]] const int moved = chdir(launch.directory.c_str());
  execve(program.c_str(), arguments.data(), all_variables.data());
  return not_handed_over(program + ": " + std::strerror(errno));
}

Result<std::optional<Handover>> take_handover() {
  const auto number = environment(kVariable);
  unsetenv(kVariable);
  if (number.empty()) return std::optional<Handover>();
  const Error unknown{ErrorCode::failure, "NEXUSD_HANDOVER is not what a nexusd has left",
                      "it is for nexusd alone: unset it"};
  const auto fd = parse_number(number);
  struct stat about {};
  if (!fd || *fd <= STDERR_FILENO || fstat(static_cast<int>(*fd), &about) != 0 ||
      !S_ISREG(about.st_mode))
    return unknown;
  const Descriptor file(static_cast<int>(*fd));
  SecretText text;
  if (lseek(file.get(), 0, SEEK_SET) != 0 || !read_all(file.get(), text)) return unknown;
  Handover handover;
  const auto read = [&handover](const api::Reader& from) { return read_handover(from, handover); };
  if (!api::read_object(text, read)) return unknown;
  for (const int each : descriptors_of(handover))
    if (each <= STDERR_FILENO || fcntl(each, F_SETFD, FD_CLOEXEC) != 0) return unknown;
  return std::optional(std::move(handover));
}

std::vector<int> descriptors_of(const Handover& handover) {
  std::vector<int> all{handover.lock.get()};
  if (handover.child_helper.get() >= 0) all.push_back(handover.child_helper.get());
  for (const auto& socket : handover.sockets) all.push_back(socket.get());
  for (const auto& program : handover.proxy.programs) all.push_back(program.process.get());
  return all;
}

Result<void> check_successor(const std::string& program, const Launch& launch) {
  // In the sandbox that the successor is going to be in as well.
  const auto end = run_confined_child({.command = command_of(program, launch, "--check"),
                                       .environment = environment_now(),
                                       .directory = launch.directory});
  if (!end) return explained(end.error());
  if (end->status == 0) return {};
  const int code = WIFEXITED(end->status) ? WEXITSTATUS(end->status) : -1;
  if (auto said = printed_error(end->said, code)) return explained(*std::move(said));
  return not_handed_over(program + " --check ended with " + std::to_string(code));
}

}  // namespace nexus
