#pragma once

#include <string>
#include <vector>

#include "common/api/provider.h"
#include "common/error.h"
#include "daemon/connect/flows.h"
#include "daemon/net/http_client.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/providers.h"
#include "daemon/provider/redirect_uris.h"

namespace nexus {

using api::ProviderCheck;

/// Tries a registered provider without a person: metadata, each endpoint (DNS, TLS, an answer),
/// whether the authorization endpoint takes our request, whether the token endpoint knows our
/// client, whether our redirect URI can be listened on. Sends no secret but the client's own, to
/// the token endpoint. Blocks on the network.
class ProviderChecks {
 public:
  ProviderChecks(Providers& providers, MetadataCache& metadata, RedirectUris redirect_uris,
                 HttpClient& http, Flows& flows)
      : providers_(providers),
        metadata_(metadata),
        redirect_uris_(std::move(redirect_uris)),
        http_(http),
        flows_(flows) {}

  Result<std::vector<ProviderCheck>> run(const Provider& provider, const Caller& caller);

 private:
  std::vector<ProviderCheck> oauth(const Provider& provider);
  std::vector<ProviderCheck> static_api(const Provider& provider);
  ProviderCheck authorization(const ProviderClient& ours);
  ProviderCheck token(const ProviderClient& ours);
  ProviderCheck device_authorization(const ProviderClient& ours);
  ProviderCheck client_grant(const ProviderClient& ours);
  ProviderCheck redirect_uri(const Provider& provider);

  Providers& providers_;
  MetadataCache& metadata_;
  RedirectUris redirect_uris_;
  HttpClient& http_;
  Flows& flows_;
};

}  // namespace nexus
