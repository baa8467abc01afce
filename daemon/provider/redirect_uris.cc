#include "daemon/provider/redirect_uris.h"

#include "daemon/net/url.h"

namespace nexus {

std::string RedirectUris::of(const Provider& provider) const {
  auto base = base_url_;
  if (!provider.redirect_host.empty())
    if (const auto url = parse_url(base, "callback.base_url"))
      base = url->scheme + "://" + provider.redirect_host + ":" + std::to_string(url->port);
  // Where only https is taken and nobody answers at an https address, the person brings the answer.
  if (provider.settings.https_redirect && base.starts_with("http://"))
    if (const auto url = parse_url(base, "callback.base_url"))
      base = "https://localhost:" + std::to_string(url->port);
  return base + provider.redirect_path;
}

}  // namespace nexus
