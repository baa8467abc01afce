#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// An API key as /v1/keys tells it, without the key itself.
struct Key {
  std::string id;
  std::string name;
  bool admin = false;
  std::vector<std::string> use;      ///< "all", "workspace:W", "provider:P" or a connection's id
  std::vector<std::string> forward;  ///< the same, to have requests sent on, never the credentials
  std::vector<std::string> read;     ///< the same, to be looked at only
  std::vector<std::string> rules;    ///< of what is sent on, nexus-api(7), RULES
  std::string variable;  ///< of nexusd's environment that brought it, "" for one made here
  bool damaged = false;  ///< its record was altered or damaged: it opens nothing
  std::optional<UnixTime> created_at;  ///< of one made here
  std::optional<UnixTime> expires_at;
  std::optional<UnixTime> last_used_at;
  std::string key;  ///< in the answer that made it, else ""
};

Result<void> read(const Reader& from, Key& into);
void write(JsonWriter& to, const Key& key);

/// What POST /v1/keys takes.
struct NewKey {
  std::string name;
  bool admin = false;
  std::vector<std::string> use;
  std::vector<std::string> forward;
  std::vector<std::string> read;
  std::vector<std::string> rules;
  std::optional<UnixTime> expires_at;
};

void write(JsonWriter& to, const NewKey& key);

}  // namespace nexus::api
