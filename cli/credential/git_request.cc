#include "cli/credential/git_request.h"

#include <utility>

#include "common/text.h"

namespace nexus::cli {
namespace {

Error malformed(const std::string& what) {
  return {ErrorCode::usage, "git's request " + what,
          "git runs this helper itself; see nexus-credential(1)"};
}

/// What is given once at the most; nothing where it was given before.
bool set_once(std::string& into, std::string_view value) {
  return into.empty() && (into = value, true);
}

}  // namespace

Result<GitRequest> parse_git_request(std::string_view text) {
  GitRequest request;
  std::string protocol;
  std::string host;
  std::string path;
  bool basic = false;
  bool bearer = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) break;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return malformed("has a line without '='");
    const auto name = line.substr(0, equals);
    const auto value = line.substr(equals + 1);
    if (value.find('\0') != std::string_view::npos) return malformed("has a NUL in it");
    std::string* once = name == "protocol"   ? &protocol
                        : name == "host"     ? &host
                        : name == "path"     ? &path
                        : name == "username" ? &request.username
                                             : nullptr;
    if (once && !set_once(*once, value))
      return malformed("gives the " + std::string(name) + " twice");
    if (name == "password" || name == "credential") request.secret = value;
    if (name == "capability[]" && value == "authtype") request.knows_authtype = true;
    if (name == "capability[]" && value == "state") request.knows_state = true;
    if (name == "state[]" && value.starts_with("nexus:")) request.connection = value.substr(6);
    if (name == "wwwauth[]") {
      const auto scheme = lower(value.substr(0, value.find(' ')));
      basic = basic || scheme == "basic";
      bearer = bearer || scheme == "bearer";
    }
  }
  if (host.empty()) return malformed("names no host");
  request.site = make_site(protocol, host, path);
  request.wants_bearer = bearer && !basic;
  return request;
}

}  // namespace nexus::cli
