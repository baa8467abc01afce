#include "cli/exec/conventional_variables.h"

#include "cli/catalogue.h"
#include "cli/credential.h"
#include "cli/exec/variable_name.h"
#include "common/api/provider.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// That of the registered provider or, where this caller may not see that one, its own name.
Result<std::string> entry_of(Context& context, const std::string& provider) {
  const auto registered =
      context.client.get<api::Provider>("/v1/providers/by-name/" + percent_encode(provider));
  if (registered)
    return registered->catalogue_entry().empty() ? provider : registered->catalogue_entry();
  const auto code = registered.error().code;
  if (code == ErrorCode::provider_not_found || code == ErrorCode::access_denied) return provider;
  return registered.error();
}

/// "my-api" → "MY_API_TOKEN"
std::string token_variable(const std::string& provider) {
  std::string name;
  for (const char c : provider) {
    const bool is_lower = c >= 'a' && c <= 'z';
    name += is_lower ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  }
  return name + "_TOKEN";
}

}  // namespace

Result<std::map<std::string, std::string>> conventional_variables(Context& context,
                                                                  const std::string& connection,
                                                                  const SecretText& payload) {
  const std::string provider(api::TokenPayload(payload).member("provider").value_or(SecretText()));
  NEXUS_TRY(const auto name, entry_of(context, provider));
  NEXUS_TRY(const auto entry, Catalogue().find(name));
  if (entry && !entry->env.empty()) return entry->env;
  if (const auto secret = credential_in(payload, ""); !secret)
    return Error{secret.error().code, secret.error().message,
                 "name a variable for each: nexus exec --env VAR=" + connection + ":FIELD ..."};
  auto variable = token_variable(provider);
  if (!check_variable_name(variable))
    return Error{ErrorCode::usage, "no variable can be called after " + printable(provider, 80),
                 "name one: nexus exec --env VAR=" + connection};
  return std::map<std::string, std::string>{{std::move(variable), ""}};
}

}  // namespace nexus::cli
