#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/reader.h"
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
  /// `patience`: how long a daemon may say nothing until it is asked whether it is alive.
  Client(Config config, bool autostart,
         std::chrono::milliseconds patience = std::chrono::seconds(5))
      : config_(std::move(config)), autostart_(autostart), patience_(patience) {}

  /// The answer as the resource of common/api that it is.
  template <class Answer>
  Result<Answer> get(const std::string& target) {
    return call<Answer>("GET", target, "");
  }
  template <class Answer>
  Result<Answer> post(const std::string& target, std::string_view body) {
    return call<Answer>("POST", target, body);
  }
  template <class Answer>
  Result<Answer> call(std::string_view method, const std::string& target, std::string_view body) {
    NEXUS_TRY(const auto text, call_raw(method, target, body));
    return api::parse<Answer>(text);
  }
  /// The body as it came, for answers that carry credentials and those that nobody reads.
  Result<SecretText> call_raw(std::string_view method, const std::string& target,
                              std::string_view body);
  /// One page of a list after another, as text, until there is none or `use` says that it is
  /// enough. `target` has a query already.
  Result<void> each_page(const std::string& target,
                         const std::function<Result<bool>(std::string_view page)>& use);
  /// All pages of a list as one, for those that stay short (providers, keys).
  template <class Answer>
  Result<std::vector<Answer>> all_pages(const std::string& target) {
    std::vector<Answer> all;
    NEXUS_CHECK(each_page(target, [&all](std::string_view page) -> Result<bool> {
      NEXUS_TRY(auto some, api::parse_list<Answer>(page));
      std::move(some.begin(), some.end(), std::back_inserter(all));
      return true;
    }));
    return all;
  }
  /// `path/reference?workspace_id=…`, encoded.
  std::string target(std::string_view path, std::string_view reference) const;

  /// `act` is called once, when a daemon has answered, be it with an error.
  void when_answered(std::function<void()> act) { on_answer_ = std::move(act); }

  const Config& config() const { return config_; }
  bool starts_daemon() const { return autostart_; }

 private:
  /// A use that has to be confirmed is asked about on the terminal, and asked for once more.
  Result<LocalResponse> send(std::string_view method, const std::string& target,
                             std::string_view body, std::string_view confirmation = {});
  Config config_;
  bool autostart_ = true;
  std::chrono::milliseconds patience_{std::chrono::seconds(5)};
  std::function<void()> on_answer_;
};

}  // namespace nexus::cli
