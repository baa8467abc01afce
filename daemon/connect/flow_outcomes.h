#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "daemon/connect/flows.h"

namespace nexus {

/// How flows ended, for browsers that load their page again: the state is spent by then, and
/// nothing is exchanged twice. Who brings the very answer again, with its state that nobody can
/// guess, or the receipt that is made of it is told the same once more, for ten minutes or until a
/// restart; what others name was never there. Thread-safe.
class FlowOutcomes {
 public:
  explicit FlowOutcomes(Clock clock) : clock_(std::move(clock)) {}

  using Query = std::vector<std::pair<std::string, std::string>>;

  /// What stands in an address bar instead of the answer, of the URL and the query that brought it.
  static std::string receipt(const std::string& url, const Query& query);

  /// An answer comes in. False where another request with the same one is at it, or was.
  bool begin(const std::string& receipt);
  bool is_under_way(const std::string& receipt);
  /// What came of it. An outcome gets its receipt and is kept; an answer to no flow leaves nothing.
  void end(const std::string& receipt, Result<FlowOutcome>& outcome);
  std::optional<FlowOutcome> find(const std::string& receipt);

 private:
  struct Kept {
    FlowOutcome outcome;
    UnixTime until = 0;
  };
  Clock clock_;
  std::mutex mutex_;
  std::set<std::string> under_way_;   ///< receipts
  std::map<std::string, Kept> kept_;  ///< by receipt
};

}  // namespace nexus
