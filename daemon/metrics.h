#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/api/words.h"

namespace prometheus {
class Histogram;
}

/// What nexusd counts, for Prometheus. Labels are providers' names and words of ours: never a
/// connection, an account or a secret (O11). Like the log it is open to every layer;
/// all of it is thread-safe. Durations are in seconds.
namespace nexus::metrics {

class Timer {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
  }

 private:
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

// The names of the published system.
void consent_started(bool openid);
void token_exchanged(bool success, const Timer& timer);
void id_token_returned();
void token_handed_out(const std::string& provider, bool with_id_token);
/// One that was sent on to a connection's API; the route is the provider.
void forwarded(const std::string& provider, int status);
void discovered(bool success, const Timer& timer);
void id_token_verified(bool success, const Timer& timer);
/// The histogram of one store method; keep the reference, looking it up costs.
prometheus::Histogram& store_operation(const char* repo, const char* method);

/// Observes how long its scope takes.
class Observed {
 public:
  explicit Observed(prometheus::Histogram& histogram) : histogram_(histogram) {}
  ~Observed();
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

 private:
  prometheus::Histogram& histogram_;
  Timer timer_;
};

// Ours.
enum class Refreshed { success, rejected, failed };
void token_refreshed(const std::string& provider, Refreshed outcome, const Timer& timer);
void vault_record_refused();
void database_checked(const std::string& file, bool whole);
void answered(const char* listener, int status, double seconds);
void api_key_refused();

/// The text exposition format 0.0.4, with the connections by status as they are now, where they can
/// be counted. `with_providers`: what is counted for each provider names it; else it is told as one
/// sum.
std::string exposition(const std::optional<std::map<ConnectionStatus, std::int64_t>>& connections,
                       bool with_providers);

}  // namespace nexus::metrics
