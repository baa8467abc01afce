#include "daemon/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace nexus::metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

const Histogram::BucketBoundaries kNetwork{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15};
const Histogram::BucketBoundaries kLocal{0.00005, 0.0001, 0.00025, 0.0005, 0.001,
                                         0.0025,  0.005,  0.01,    0.05,   0.25};
const Histogram::BucketBoundaries kAnswers{0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 15};

prometheus::Registry& registry() {
  static prometheus::Registry all;
  return all;
}

Family<Counter>& counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry());
}

Family<Histogram>& histograms(const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry());
}

/// What differs by the provider alone becomes one. Only counters tell of providers.
void sum_up_providers(prometheus::MetricFamily& family) {
  std::vector<prometheus::ClientMetric> summed;
  for (auto& metric : family.metric) {
    std::erase_if(metric.label, [](const auto& label) { return label.name == "provider"; });
    const auto same = std::find_if(summed.begin(), summed.end(), [&metric](const auto& other) {
      return other.label == metric.label;
    });
    if (same == summed.end()) {
      summed.push_back(std::move(metric));
    } else {
      same->counter.value += metric.counter.value;
    }
  }
  family.metric = std::move(summed);
}

const char* word(bool success) {
  return success ? "success" : "error";
}

}  // namespace

void consent_started(bool openid) {
  static auto& all =
      counters("oauth_consents_created_total", "AuthorizationCodeFlow that were started").Add({});
  static auto& with_openid =
      counters("oauth_consents_with_openid_total", "Those that ask for openid").Add({});
  all.Increment();
  if (openid) with_openid.Increment();
}

void token_exchanged(bool success, const Timer& timer) {
  static auto& exchanges =
      counters("oauth_token_exchanges_total", "Authorization codes exchanged for tokens");
  static auto& duration =
      histograms("oauth_exchange_duration_seconds", "How long the exchanges took")
          .Add({}, kNetwork);
  exchanges.Add({{"status", word(success)}}).Increment();
  duration.Observe(timer.seconds());
}

void id_token_returned() {
  static auto& returned =
      counters("oauth_id_tokens_returned_total", "Exchanges that brought a good id_token").Add({});
  returned.Increment();
}

void token_handed_out(const std::string& provider, bool with_id_token) {
  static auto& family = counters("oauth_token_get_total", "Tokens handed out");
  // The family's own look-up locks and copies labels; this is the hot path.
  thread_local std::unordered_map<std::string, std::array<Counter*, 2>> known;
  auto& counter = known[provider][with_id_token];
  if (!counter)
    counter =
        &family.Add({{"provider", provider}, {"has_id_token", with_id_token ? "true" : "false"}});
  counter->Increment();
}

void forwarded(const std::string& provider, int status) {
  static auto& family =
      counters("nexus_sidecar_proxy_requests_total", "Requests that were sent on to an API");
  thread_local std::unordered_map<std::string, std::unordered_map<int, Counter*>> known;
  auto& counter = known[provider][status];
  if (!counter)
    counter = &family.Add({{"route", provider},
                           {"status", std::to_string(status)},
                           {"outcome", status < 400 ? "success" : "error"}});
  counter->Increment();
}

void discovered(bool success, const Timer& timer) {
  static auto& discoveries = counters("oidc_discovery_total", "Metadata documents fetched");
  static auto& duration =
      histograms("oidc_discovery_duration_seconds", "How long that took").Add({}, kNetwork);
  discoveries.Add({{"status", word(success)}}).Increment();
  duration.Observe(timer.seconds());
}

void id_token_verified(bool success, const Timer& timer) {
  static auto& verifications = counters("oidc_verifications_total", "id_tokens verified");
  static auto& duration =
      histograms("oidc_verification_duration_seconds", "How long that took").Add({}, kNetwork);
  verifications.Add({{"status", word(success)}}).Increment();
  duration.Observe(timer.seconds());
}

prometheus::Histogram& store_operation(const char* repo, const char* method) {
  static auto& family =
      histograms("nexus_db_operation_duration_seconds", "How long the store's methods took");
  return family.Add({{"repo", repo}, {"method", method}}, kLocal);
}

Observed::~Observed() {
  histogram_.Observe(timer_.seconds());
}

void token_refreshed(const std::string& provider, Refreshed outcome, const Timer& timer) {
  constexpr const char* kOutcomes[] = {"success", "rejected", "failed"};
  static auto& refreshes =
      counters("nexus_token_refreshes_total", "Refreshes by what the provider made of them");
  static auto& duration =
      histograms("nexus_token_refresh_duration_seconds", "How long the provider took")
          .Add({}, kNetwork);
  refreshes.Add({{"provider", provider}, {"outcome", kOutcomes[static_cast<std::size_t>(outcome)]}})
      .Increment();
  duration.Observe(timer.seconds());
}

void vault_record_refused() {
  static auto& refused =
      counters("nexus_vault_records_refused_total", "Sealed records that did not open").Add({});
  refused.Increment();
}

void database_checked(const std::string& file, bool whole) {
  static auto& damaged = prometheus::BuildGauge()
                             .Name("nexus_database_damaged")
                             .Help("Whether the check after the start found damage in the file")
                             .Register(registry());
  damaged.Add({{"file", file}}).Set(whole ? 0 : 1);
}

void answered(const char* listener, int status, double seconds) {
  static auto& answers = counters("nexus_http_answers_total", "Answers by listener and status");
  static auto& durations =
      histograms("nexus_http_answer_duration_seconds", "From a request's last byte to its answer");
  struct Listener {
    std::array<Counter*, 600> by_status{};
    Histogram* duration = nullptr;
  };
  thread_local std::unordered_map<const char*, Listener> known;
  auto& found = known[listener];
  if (!found.duration) found.duration = &durations.Add({{"listener", listener}}, kAnswers);
  auto& counter = found.by_status[static_cast<std::size_t>(status) % found.by_status.size()];
  if (!counter)
    counter = &answers.Add({{"listener", listener}, {"status", std::to_string(status)}});
  counter->Increment();
  found.duration->Observe(seconds);
}

void api_key_refused() {
  static auto& refused =
      counters("nexus_api_keys_refused_total", "Requests with a wrong API key").Add({});
  refused.Increment();
}

std::string exposition(const std::optional<std::map<ConnectionStatus, std::int64_t>>& connections,
                       bool with_providers) {
  static auto& gauge = prometheus::BuildGauge()
                           .Name("nexus_connections_total")
                           .Help("Connections by status")
                           .Register(registry());
  for (const char* text : words<ConnectionStatus>()) {
    auto& count = gauge.Add({{"status", text}});
    if (!connections) {
      gauge.Remove(&count);
      continue;
    }
    const auto found = connections->find(*from_word<ConnectionStatus>(text));
    count.Set(found == connections->end() ? 0 : static_cast<double>(found->second));
  }
  auto families = registry().Collect();
  if (!with_providers)
    for (auto& family : families) sum_up_providers(family);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace nexus::metrics
