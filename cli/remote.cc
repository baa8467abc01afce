#include "cli/remote.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "cli/child_environment.h"
#include "cli/program_path.h"
#include "cli/spawn_attributes.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Secret& api_key() {
  static Secret key;
  return key;
}

/// Where the base URL leads: "localhost:8090".
std::string_view authority_of(std::string_view url) {
  const auto rest = url.substr(url.find("://") + 3);
  return rest.substr(0, rest.find('/'));
}

bool is_loopback(std::string_view authority) {
  const auto host = lower(authority.substr(
      0, authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':')));
  return host == "localhost" || host == "[::1]" || host == "127.0.0.1";
}

Result<void> check_url(const std::string& url) {
  const auto refuse = [](const char* why) {
    return Error{ErrorCode::usage, std::string("NEXUS_URL ") + why,
                 "for example NEXUS_URL=https://nexus.example.com"};
  };
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return refuse("is not an http or https URL");
  const auto authority = authority_of(url);
  if (authority.empty() || printable(url, 2048) != url ||
      url.find_first_of("?# ") != std::string::npos)
    return refuse("is not a plain URL");
  if (authority.find('@') != std::string_view::npos)
    return refuse("holds a user name; the key belongs into NEXUS_API_KEY");
  if (!https && !is_loopback(authority)) return refuse("would send the key in the clear");
  return {};
}

/// Both ends of a pipe, closed in the end.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t which) {
    if (ends[which] >= 0) close(ends[which]);
    ends[which] = -1;
  }
};

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // it ended early and says why on its output
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

SecretText read_all(int fd) {
  SecretText text;
  std::array<char, 16 * 1024> buffer;
  while (true) {
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  explicit_bzero(buffer.data(), buffer.size());
  return text;
}

/// Runs nexus-remote with that input; its whole output.
Result<SecretText> run_helper(std::string_view input) {
  const auto program = program_path("nexus-remote");
  const Error missing{ErrorCode::failure, "nexus-remote cannot be run",
                      "install it in libexec/nexus, next to the directory of nexus"};
  Pipe in;
  Pipe out;
  if (program.empty() || in.ends[0] < 0 || out.ends[0] < 0) return missing;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  std::string name = "nexus-remote";
  std::array<char*, 2> arguments{name.data(), nullptr};
  pid_t child = 0;
  const SpawnAttributes attributes(POSIX_SPAWN_SETPGROUP);
  auto variables = environment_for(Child::other);
  const int failed = posix_spawn(&child, program.c_str(), &actions, attributes.get(),
                                 arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return missing;
  in.close_end(0);
  out.close_end(1);
  write_all(in.ends[1], input);
  in.close_end(1);
  auto said = read_all(out.ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return said;
}

}  // namespace

void take_api_key_from_environment() {
  auto key = environment("NEXUS_API_KEY");
  if (key.empty()) return;
  api_key() = Secret(trim(key));
  wipe(key);
  unsetenv("NEXUS_API_KEY");
}

Result<LocalResponse> remote_request(const Config& config, std::string_view method,
                                     std::string_view target, std::string_view body) {
  auto base = config.url;
  if (base.ends_with('/')) base.pop_back();
  NEXUS_CHECK(check_url(base));
  const auto key = api_key().expose();
  if (!is_vschar(key))
    return Error{ErrorCode::usage, "NEXUS_API_KEY has characters that no key has",
                 "copy the key again"};
  // nexus-remote reads: method, URL, key, CA file and proxy, each ended by NUL, then the body.
  const auto url = base + std::string(target);
  // What is for this machine is no business of a proxy, which would read it where it is plain http.
  const std::string_view proxy =
      is_loopback(authority_of(base)) ? std::string_view("none") : config.proxy;
  SecretText input;
  for (const auto part :
       {method, std::string_view(url), key, std::string_view(config.ca_file), proxy})
    input.append(part).push_back('\0');
  input.append(body);
  NEXUS_TRY(auto said, run_helper(input));

  // And it writes: a status (with the next cursor of a list) and the answer, or an error's code and
  // message.
  const auto line_end = said.find('\n');
  const auto line = std::string_view(said).substr(0, line_end);
  const auto word = line.substr(0, line.find(' '));
  if (line_end == SecretText::npos)
    return Error{ErrorCode::failure, "nexus-remote ended without an answer", "try again"};
  const auto rest = std::string_view(said).substr(line_end + 1);
  if (const auto status = parse_number(word)) {
    LocalResponse response;
    response.status = static_cast<int>(*status);
    response.next_cursor = line.substr(std::min(word.size() + 1, line.size()));
    response.body = rest;
    return response;
  }
  return Error{error_from_wire(word, "error"), base + ": " + printable(rest),
               "check NEXUS_URL, the network and, for a CA of your own, --ca-file"};
}

}  // namespace nexus::cli
