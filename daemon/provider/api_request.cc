#include "daemon/provider/api_request.h"

#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus {

Result<std::string> static_api_base(const Provider& provider, const Credentials& credentials) {
  auto base = provider.api_base_url;
  if (const auto own = credential(credentials, "base_url"); !own.empty()) {
    const auto url = parse_endpoint(own, "base_url", provider.allow_insecure_http);
    if (!url) return Error{ErrorCode::invalid_credentials, url.error().message, url.error().hint};
    base = own;
  }
  while (base.ends_with('/')) base.pop_back();
  return base;
}

Result<void> add_request_headers(RequestHead& request, const Provider& provider,
                                 const Credentials& credentials) {
  for (const auto& [name, text] : provider.settings.request_headers) {
    auto value = filled_in(text, [&](const std::string& field) {
      return std::optional(std::string(credential(credentials, field)));
    });
    Secret kept(value.value_or(""));
    if (value) wipe(*value);
    if (!value || !is_vschar(kept.expose()))
      return Error{ErrorCode::invalid_credentials,
                   "what belongs into header " + name + " has characters that it cannot carry",
                   "copy it once more from the provider"};
    request.set_header(name, std::move(kept));
  }
  return {};
}

}  // namespace nexus
