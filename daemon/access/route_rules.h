#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "daemon/store/store.h"

namespace nexus {

/// What of the APIs of connections may be asked for. Each rule reads
///
///     [CONNECTION] allow|deny METHODS PATH
///
/// CONNECTION: an id, an alias or a provider's name; without one it is about all. METHODS: one or
/// more with commas between them, or *. PATH: below the API's base URL, without a query, or a URL
/// of another host that the connection's requests may go to; * stands for anything within a
/// segment, ** for anything.
///
/// The first rule that fits counts. Where there are rules, what none fits is denied, also for a
/// connection that none is about: a name that is misspelt allows nothing.
class RouteRules {
 public:
  /// Error: invalid_field, which tells the rule and how one reads.
  static Result<RouteRules> parse(const std::vector<std::string>& texts);

  /// Nothing is denied then.
  bool empty() const { return !binds_; }
  const std::vector<std::string>& texts() const { return texts_; }
  /// Those that are about this connection.
  RouteRules about(const ConnectionRow& connection) const;
  /// `path`: as it is sent, without its query. A path that another server could read as a different
  /// one is denied, whatever the rules say. `as_asked`: what the caller is told of it, without
  /// credentials that were put in. Error: route_not_allowed.
  Result<void> check(const std::string& method, std::string_view path,
                     std::string_view as_asked) const;

 private:
  class Rule;
  bool binds_ = false;  ///< also where none of them is about the connection
  std::vector<std::string> texts_;
  std::vector<std::shared_ptr<const Rule>> rules_;
};

}  // namespace nexus
