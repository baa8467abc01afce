// docker-credential-helpers' protocol, also that of podman, buildah and skopeo: what is wrong is
// said on standard output, and "none" in these very words.
#include "cli/credential/helper.h"
#include "common/json.h"
#include "common/text.h"
#include "common/version.h"

namespace nexus::cli {
namespace {

constexpr std::string_view kNone = "credentials not found in native keychain";

Result<SecretText> get(Context& context, const CredentialMapping& mapping,
                       std::string_view server) {
  NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping.connection));
  NEXUS_TRY(const auto login, login_of(credentials, mapping));
  return SecretJsonWriter()
      .begin()
      .member("ServerURL", server)
      .member("Username", *login.username)
      .member("Secret", login.password)
      .end()
      .take();
}

/// The registries that nexus.toml maps, with the user names.
std::string list(const Config& config) {
  JsonWriter json;
  json.begin();
  for (const auto& each : config.credential)
    json.member("https://" + each.site.host + each.site.path,
                each.username.empty() ? kTokenUser : each.username);
  return json.end().take();
}

int say(const Context& context, std::string_view text) {
  print_line(context, text);
  return 1;
}

int refuse(const Context& context, const Error& error) {
  return say(context, "nexus: " + in_one_line(error));
}

}  // namespace

Result<int> run_docker_helper(Context& context, const HelperArgs& args) {
  const auto& verb = args.words.front();
  if (verb == "version") {
    print_line(context, std::string("docker-credential-nexus (nexus) ") + kVersion);
    return 0;
  }
  if (verb == "list") {
    print_line(context, list(context.config));
    return 0;
  }
  if (verb != "get") {
    ignore_request();
    return refuse(context, {ErrorCode::usage, "nexus keeps what it has by itself",
                            "use: nexus connect, nexus disconnect"});
  }
  const auto request = read_request();
  if (!request) return refuse(context, request.error());
  const auto server = trim(*request);
  const auto mapping = answering(context, args, parse_site(server));
  if (!mapping) return say(context, kNone);
  const auto answer = get(context, *mapping, server);
  if (!answer) return refuse(context, answer.error());
  print_line(context, *answer);
  return 0;
}

}  // namespace nexus::cli
