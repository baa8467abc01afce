#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/config.h"
#include "common/error.h"
#include "common/local_http.h"
#include "common/secret.h"

namespace nexus::cli {

/// Typed calls to nexusd over its Unix socket. Starts the daemon when none answers and that is
/// allowed. Errors: those that the daemon answers, daemon_unreachable, failure.
class Client {
 public:
  Client() = default;
  Client(Config config, bool autostart) : config_(std::move(config)), autostart_(autostart) {}

  Result<nlohmann::json> get(const std::string& target);
  Result<nlohmann::json> post(const std::string& target, std::string_view body);
  Result<nlohmann::json> call(std::string_view method, const std::string& target,
                              std::string_view body);
  /// The body as it came, for answers that carry credentials.
  Result<SecretText> call_raw(std::string_view method, const std::string& target,
                              std::string_view body);
  /// One page of a list after another, until there is none or `use` says that it is enough.
  /// `target` has a query already.
  Result<void> each_page(const std::string& target,
                         const std::function<Result<bool>(const nlohmann::json& page)>& use);
  /// All pages of a list as one, for those that stay short (providers, keys).
  Result<nlohmann::json> all_pages(const std::string& target);
  /// `path/reference?workspace_id=…`, encoded.
  std::string target(std::string_view path, std::string_view reference) const;

  const Config& config() const { return config_; }

 private:
  Result<LocalResponse> send(std::string_view method, const std::string& target,
                             std::string_view body);
  Config config_;
  bool autostart_ = true;
};

/// Runs `nexusd`, which returns when the daemon is ready. Errors: daemon_unreachable, or what
/// nexusd said on stderr (its exit code is kept).
Result<void> start_daemon(const Config& config);

}  // namespace nexus::cli
