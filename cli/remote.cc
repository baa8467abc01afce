#include "cli/remote.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/piped_program.h"
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

/// Runs nexus-remote with that input; its whole output.
Result<SecretText> run_helper(std::string_view input) {
  NEXUS_TRY(auto helper, start_piped("nexus-remote"));
  {
    const auto sent = std::move(helper.to);
    static_cast<void>(write_all(sent.get(), input));  // it ended early and says why on its output
  }
  SecretText said;
  static_cast<void>(read_all(helper.from.get(), said));
  wait_for(helper.child);
  return said;
}

/// What a request to that nexusd needs, checked.
struct Remote {
  std::string base;  ///< the URL, without a slash at its end
  /// What is for this machine is no business of a proxy, which would read it where it is plain
  /// http.
  std::string_view proxy;
};

Result<Remote> remote_of(const Config& config) {
  Remote remote{config.url, config.proxy};
  if (remote.base.ends_with('/')) remote.base.pop_back();
  NEXUS_CHECK(check_url(remote.base));
  if (!is_vschar(api_key().expose()))
    return Error{ErrorCode::usage, "NEXUS_API_KEY has characters that no key has",
                 "copy the key again"};
  if (is_loopback(authority_of(remote.base))) remote.proxy = "none";
  return remote;
}

/// nexus-remote reads: method, URL, key, CA file and proxy, each ended by NUL, then the body.
SecretText input_for(std::string_view method, std::string_view url, std::string_view key,
                     const Config& config, const Remote& remote) {
  SecretText input;
  for (const auto part : {method, url, key, std::string_view(config.ca_file), remote.proxy})
    input.append(part).push_back('\0');
  return input;
}

/// As nexus-remote tells it.
Error error_of(std::string_view word, std::string_view rest, const Remote& remote) {
  return {error_from_wire(word, "error"), remote.base + ": " + printable(rest),
          "check NEXUS_URL, the network and, for a CA of your own, --ca-file"};
}

}  // namespace

Error of_remote(Error error) {
  if (error.code != ErrorCode::missing_api_key) return error;
  error.message = "the nexusd that NEXUS_URL names wants an API key, and NEXUS_API_KEY is not set";
  error.hint =
      "set it to one made there (nexus key create --name NAME --use all), or unset NEXUS_URL to "
      "ask the nexusd of this machine";
  return error;
}

void take_api_key_from_environment() {
  auto key = environment("NEXUS_API_KEY");
  if (key.empty()) return;
  api_key() = Secret(trim(key));
  wipe(key);
  unsetenv("NEXUS_API_KEY");
}

Result<LocalResponse> remote_request(const Config& config, std::string_view method,
                                     std::string_view target, std::string_view body) {
  NEXUS_TRY(const auto remote, remote_of(config));
  auto input =
      input_for(method, remote.base + std::string(target), api_key().expose(), config, remote);
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
  return error_of(word, rest, remote);
}

Result<RemoteStream> open_remote_stream(const Config& config) {
  NEXUS_TRY(const auto remote, remote_of(config));
  NEXUS_TRY(auto helper, start_piped("nexus-remote"));
  static_cast<void>(
      write_all(helper.to.get(), input_for("STREAM", remote.base, "", config, remote)));
  // A line says that it is connected, or why not; what follows is the server's.
  std::string said;
  for (char c = 0; said.size() < 4096 && !said.ends_with('\n');) {
    const auto got = read(helper.from.get(), &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    said.push_back(c);
  }
  if (said != "connected\n") {
    const auto line = std::string_view(said).substr(0, said.find('\n'));
    SecretText rest;
    static_cast<void>(read_all(helper.from.get(), rest));
    return error_of(line, rest, remote);
  }
  const auto authority = std::string(authority_of(remote.base));
  const auto path = remote.base.find('/', remote.base.find("://") + 3);
  return RemoteStream{std::move(helper.to), std::move(helper.from),
                      path == std::string::npos ? "" : remote.base.substr(path), authority,
                      api_key().copy()};
}

}  // namespace nexus::cli
