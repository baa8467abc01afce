#include "cli/exec/conventional_variables.h"

#include "cli/catalogue.h"
#include "cli/exec/variable_name.h"
#include "common/api/provider.h"
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

Result<ConventionalVariables> conventional_variables(Context& context,
                                                     const std::string& connection,
                                                     const std::string& provider) {
  NEXUS_TRY(const auto name, entry_of(context, provider));
  NEXUS_TRY(const auto entry, Catalogue().find(name));
  ConventionalVariables variables;
  if (entry) variables = {entry->env, entry->proxy_env};
  if (!variables.fields.empty()) return variables;
  auto variable = token_variable(provider);
  if (!check_variable_name(variable))
    return Error{ErrorCode::usage, "no variable can be called after " + printable(provider, 80),
                 "name one: nexus exec --env VAR=" + connection};
  variables.fields.emplace(std::move(variable), "");
  return variables;
}

}  // namespace nexus::cli
