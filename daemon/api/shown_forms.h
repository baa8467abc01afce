#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/secret.h"

namespace nexus::api {

/// States on their way from the address that a browser came with to the form. What stands in its
/// address bar and history afterwards has shown the form once, and opens nothing any more; neither
/// a script nor a cookie is needed for that. Thread-safe.
class ShownForms {
 public:
  /// That whoever comes with the receipt at once is shown the form.
  void expect(const std::string& receipt, std::string_view state);
  /// Nothing where it has been shown, or too late.
  std::optional<std::string> take(const std::string& receipt);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Expected {
    Secret state;
    Time until;
  };
  void forget_old(Time now);
  std::mutex mutex_;
  std::map<std::string, Expected> expected_;
};

}  // namespace nexus::api
