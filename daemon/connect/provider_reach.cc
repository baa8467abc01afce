#include "daemon/connect/provider_reach.h"

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <tuple>

#include "daemon/net/url.h"

namespace nexus {
namespace {

constexpr std::size_t kSideBySide = 16;
constexpr long kOneMs = 2'500;
constexpr auto kLastBegun = std::chrono::milliseconds(1'500);

/// Where its tokens come from or, without such, its API.
std::string origin_of(const Provider& provider) {
  for (const auto& address : {provider.issuer, provider.token_url, provider.api_base_url}) {
    if (address.empty()) continue;
    // A variable of the connection's in it, {subdomain}, makes it nobody's address.
    const auto url = parse_url(address, "the address");
    if (url && url->host.find_first_of("{}%") == std::string::npos) return url->origin();
  }
  return {};
}

/// What is asked once, for all providers that it serves.
using Server = std::tuple<std::string, bool, bool>;  // origin, and which addresses are allowed

Server server_of(const Provider& provider) {
  return {origin_of(provider), provider.allow_insecure_http, provider.allow_private_network};
}

ProviderReach unasked(const Provider& provider) {
  if (provider.damage.empty()) return {.reached = true, .detail = "it has no address to ask"};
  return {.detail = provider.damage,
          .hint = "remove it, then register it again: nexus provider remove " + provider.name};
}

bool is_asked(const Provider& provider) {
  return provider.damage.empty() && !origin_of(provider).empty();
}

using Ask = std::function<ProviderReach(const std::string& origin, const AddressPolicy& addresses)>;

/// Ends within some seconds: those that have not had their turn by then get none.
void ask_all(std::map<Server, ProviderReach>& servers, const Ask& ask) {
  std::vector<std::pair<const Server, ProviderReach>*> asked;
  for (auto& each : servers) asked.push_back(&each);
  std::atomic<std::size_t> next = 0;
  const auto last_begun = std::chrono::steady_clock::now() + kLastBegun;
  const auto work = [&] {
    for (auto i = next++; i < asked.size(); i = next++) {
      auto& [server, reach] = *asked[i];
      const auto& [origin, insecure_http, private_network] = server;
      if (std::chrono::steady_clock::now() < last_begun)
        reach = ask(origin, {insecure_http, private_network});
      else
        reach = {.origin = origin,
                 .detail = "there was no time to ask " + origin,
                 .hint = "the ones before were slow; check the network, then try again"};
    }
  };
  std::vector<std::future<void>> workers;
  for (std::size_t i = 0; i < std::min(kSideBySide, asked.size()); ++i)
    workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.get();
}

}  // namespace

ProviderReach ProviderReaches::ask(const std::string& origin, const AddressPolicy& addresses) {
  OutgoingRequest request{
      .head = {.method = "HEAD", .url = origin + "/"}, .addresses = addresses, .total_ms = kOneMs};
  const auto response = http_.send(request);
  ProviderReach reach{.origin = origin};
  if (!response) {
    reach.detail = response.error().message;
    reach.hint = response.error().hint;
    return reach;
  }
  reach.reached = true;
  reach.detail = origin + " answers";
  const UnixTime date = curl_getdate(response->header("date").c_str(), nullptr);
  if (date > 0) reach.clock_ahead_s = wall_clock_() - date;
  return reach;
}

Result<std::vector<ProviderReach>> ProviderReaches::run() {
  NEXUS_TRY(const auto providers, providers_.all());
  std::map<Server, ProviderReach> servers;
  for (const auto& provider : providers)
    if (is_asked(provider)) servers[server_of(provider)];
  ask_all(servers,
          [this](const auto& origin, const auto& addresses) { return ask(origin, addresses); });
  std::vector<ProviderReach> reaches;
  for (const auto& provider : providers) {
    reaches.push_back(is_asked(provider) ? servers[server_of(provider)] : unasked(provider));
    reaches.back().name = provider.name;
  }
  return reaches;
}

}  // namespace nexus
