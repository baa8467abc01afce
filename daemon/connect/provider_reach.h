#pragma once

#include <vector>

#include "common/api/provider_reach.h"
#include "common/clock.h"
#include "common/error.h"
#include "daemon/net/http_client.h"
#include "daemon/provider/providers.h"

namespace nexus {

using api::ProviderReach;

/// Asks the servers of all registered providers, each once and some side by side, whether they are
/// there: a HEAD of "/" without credentials, so that name, network, proxy and TLS are tried and
/// nothing else. Whatever they answer will do. Takes some seconds at the most, however many hang.
class ProviderReaches {
 public:
  ProviderReaches(Providers& providers, HttpClient& http, Clock wall_clock)
      : providers_(providers), http_(http), wall_clock_(std::move(wall_clock)) {}

  /// By name. A damaged provider's detail is the damage.
  Result<std::vector<ProviderReach>> run();

 private:
  ProviderReach ask(const std::string& origin, const AddressPolicy& addresses);

  Providers& providers_;
  HttpClient& http_;
  Clock wall_clock_;
};

}  // namespace nexus
