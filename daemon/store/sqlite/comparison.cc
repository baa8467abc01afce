// Two stores side by side, with no key to either.
#include <map>
#include <set>

#include "daemon/store/sqlite/database.h"
#include "daemon/store/store.h"

namespace nexus {
namespace {

using sqlite::Database;
using sqlite::Failure;

struct Held {
  std::string status;
  std::int64_t refresh_token = 0;  ///< its generation; 0 for none
};
using Connections = std::map<std::string, Held>;

Connections connections_in(Database& database) {
  auto query = database.query(
      "SELECT c.id, c.status, coalesce(r.generation, 0) FROM connections c LEFT JOIN credentials r "
      "ON r.owner = c.id AND r.field = 'refresh_token' WHERE c.status NOT IN ('pending', "
      "'failed')");
  Connections all;
  while (query.next()) all[query.text(0)] = {query.text(1), query.number(2)};
  return all;
}

std::set<std::string> keys_in(Database& database) {
  auto query = database.query("SELECT id FROM api_keys");
  std::set<std::string> all;
  while (query.next()) all.insert(query.text(0));
  return all;
}

bool is_held(const Held& connection) {
  return connection.status != "revoked";
}

}  // namespace

Result<StoreDifference> compare_sqlite_stores(const std::string& data_dir,
                                              const std::string& backup_dir) {
  try {
    const auto here = sqlite::look_into(data_dir + "/nexus.db");
    const auto backup = sqlite::look_into(backup_dir + "/nexus.db");
    const auto there = connections_in(*backup);
    StoreDifference difference;
    auto providers = here->query("SELECT count(*) FROM providers WHERE deleted = 0");
    if (providers.next()) difference.providers = providers.number(0);
    for (const auto& [id, connection] : connections_in(*here)) {
      const auto other = there.find(id);
      const bool is_there = other != there.end() && is_held(other->second);
      if (is_held(connection)) {
        ++difference.connections;
        if (!is_there)
          ++difference.only_here;
        else if (connection.refresh_token > other->second.refresh_token)
          ++difference.newer_here;
      } else if (is_there) {
        ++difference.ended_here;
      }
    }
    const auto keys = keys_in(*here);
    difference.keys = static_cast<std::int64_t>(keys.size());
    for (const auto& key : keys_in(*backup))
      if (!keys.contains(key)) ++difference.keys_ended_here;
    return difference;
  } catch (const Failure& failure) {
    return Error{ErrorCode::vault_unusable,
                 "the vault that is here cannot be read: " + std::string(failure.what()),
                 "nexusd(8), DAMAGE, has the way out"};
  }
}

}  // namespace nexus
