// cargo's credential providers (RFC 2730): a conversation of JSON lines, in which we speak first.
#include <unistd.h>

#include <cerrno>

#include "cli/credential/helpers.h"
#include "common/json.h"
#include "common/json_fields.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

/// The next line of standard input; nothing at its end, or where it is too long to be a request.
std::optional<SecretText> next_line() {
  SecretText line;
  char c = 0;
  for (ssize_t got = 0; line.size() <= kLongestLine;) {
    got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
  return std::nullopt;
}

struct RegistryRequest {
  std::string kind;
  std::string index;               ///< the registry's, as its configuration has it
  std::vector<std::string> words;  ///< of the configuration
};

Result<RegistryRequest> parse_line(std::string_view line) {
  RegistryRequest request;
  NEXUS_TRY(auto fields, JsonFields::parse(line));
  static_cast<void>(fields.take("token"));  // of a login, which is not for us to keep
  std::optional<std::int64_t> version;
  NEXUS_CHECK(fields.number("v", version));
  if (version != 1) return fields.bad("v", "has to be 1");
  NEXUS_CHECK(fields.text("kind", request.kind));
  NEXUS_CHECK(fields.texts("args", request.words));
  NEXUS_TRY(const auto* registry, fields.object("registry"));
  if (registry) {
    NEXUS_CHECK(JsonFields(*registry).text("index-url", request.index));
  }
  return request;
}

std::string refusal(std::string_view kind, const std::string& message = "") {
  JsonWriter json;
  json.begin().begin("Err").member("kind", kind);
  if (!message.empty()) json.member("message", message).begin_list("caused-by").end_list();
  return json.end().end().take();
}

std::string refusal(const Error& error) {
  return refusal("other", "nexus: " + in_one_line(error));
}

Result<SecretText> token_for(Context& context, const CredentialMapping& mapping) {
  NEXUS_TRY(const auto credentials, fetch_credentials(context, mapping.connection));
  NEXUS_TRY(const auto header, header_in(credentials, ""));
  const auto end = expiry_of(credentials);
  SecretJsonWriter json;
  json.begin().begin("Ok").member("kind", "get");
  json.member("token", header.value);
  json.member("cache", end ? "expires" : "session");
  if (end) json.member("expiration", *end);
  return json.flag("operation_independent", true).end().end().take();
}

SecretText answer_to(Context& context, const HelperArgs& args, std::string_view line) {
  const auto own = [](const std::string& text) { return SecretText(std::string_view(text)); };
  const auto request = parse_line(line);
  if (!request) return own(refusal(request.error()));
  if (request->kind != "get") return own(refusal("operation-not-supported"));
  auto given = args;
  for (std::size_t i = 0; i + 1 < request->words.size(); i += 2)
    if (request->words[i] == "--connection") given.connection = request->words[i + 1];
  std::string_view index(request->index);
  for (const std::string_view kind : {"sparse+", "registry+"})
    if (index.starts_with(kind)) index.remove_prefix(kind.size());
  const auto mapping = answering(context, given, parse_site(index));
  if (!mapping) return own(refusal("url-not-supported"));
  auto token = token_for(context, *mapping);
  return token ? *std::move(token) : own(refusal(token.error()));
}

}  // namespace

Result<int> run_cargo_helper(Context& context, const HelperArgs& args) {
  print_line(context, "{\"v\":[1]}");
  while (const auto line = next_line()) print_line(context, answer_to(context, args, *line));
  return 0;
}

}  // namespace nexus::cli
