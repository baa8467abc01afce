#include "cli/way_out.h"

#include "cli/catalogue_names.h"
#include "common/text.h"

namespace nexus::cli {

bool is_connectable(Context& context, const std::string& provider) {
  // An API key is not told of every provider that there is.
  if (!context.config.url.empty() || has_entry(catalogue_directories(), provider)) return true;
  const auto found =
      context.client.call_raw("GET", "/v1/providers/by-name/" + percent_encode(provider), "");
  return found || found.error().code != ErrorCode::provider_not_found;
}

std::string after_registering(const std::string& provider, const std::string& connect) {
  return "nexus provider add " + provider + " …, then: " + connect;
}

Error with_way_out(Context& context, const std::string& reference, Error error) {
  constexpr std::string_view list = "see: nexus list";
  constexpr std::string_view run = "run: ";
  const auto name = lower(reference);
  const auto at = error.hint.find(list);
  if (error.code == ErrorCode::connection_not_found && at != std::string::npos &&
      has_entry(catalogue_directories(), name))
    error.hint.replace(at, list.size(), "run: nexus connect " + name);
  if (error.code == ErrorCode::attention_required && error.hint.starts_with(run) &&
      !error.provider.empty() && !is_connectable(context, error.provider))
    error.hint =
        std::string(run) + after_registering(error.provider, error.hint.substr(run.size()));
  return error;
}

}  // namespace nexus::cli
