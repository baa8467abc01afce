#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"
#include "common/json_fields.h"

namespace nexus::api {

/// Who may use a connection, of those who reach nexusd at its control socket: one of the programs
/// where some are named, and one of the users or a member of one of the groups where such are.
struct UseRules {
  struct Program {
    std::string path;    ///< absolute; links are followed when it is compared
    std::string sha256;  ///< of its file, 64 hexadecimal digits; "" for whatever is there

    /// "PATH" or "PATH@sha256:HEX". Error: invalid_field.
    static Result<Program> parse(std::string_view text);
    std::string text() const;
  };
  std::vector<Program> programs;
  std::vector<std::int64_t> uids;
  std::vector<std::string> groups;  ///< names, or numbers
  /// That a person is asked, and for how long a yes counts: 0 for one use.
  std::optional<std::int64_t> confirm_minutes;

  bool bind_anybody() const {
    return !programs.empty() || !uids.empty() || !groups.empty() || confirm_minutes;
  }
};

/// `{"programs":["/usr/bin/git@sha256:…"],"uids":["1000"],"groups":["ci"],"confirm_minutes":15}`,
/// of which something has to be there, or `{"everybody":true}`, which is nothing. Errors:
/// missing_fields, invalid_field, also for a member that is misspelt: it would open what is closed.
Result<UseRules> read_use_rules(const JsonFields& from);
/// As it is stored.
Result<UseRules> use_rules_in(std::string_view json);
/// As nexusd answers it.
Result<void> read(const Reader& from, UseRules& into);
void write(JsonWriter& to, const UseRules& rules);

/// "every use", "once in 15 minutes".
std::string confirmation_text(std::int64_t minutes);
/// For a person: "programs: /usr/bin/git; users: 1000; confirmed: every use".
std::string in_words(const UseRules& rules);

}  // namespace nexus::api
