#include <unistd.h>

#include <memory>

#include "cli/command.h"
#include "cli/output/connections.h"
#include "cli/way_out.h"
#include "common/json.h"
#include "common/regular_file.h"
#include "common/text.h"
#include "common/times.h"

namespace nexus::cli {
namespace {

struct AccessArgs {
  std::string connection;
  std::vector<std::string> programs;
  std::vector<std::string> uids;
  std::vector<std::string> groups;
  std::string confirm;
  bool everybody = false;

  bool is_change() const {
    return everybody || !programs.empty() || !uids.empty() || !groups.empty() || !confirm.empty();
  }
};

Result<std::optional<std::int64_t>> minutes_in(const std::string& text) {
  std::optional<std::int64_t> minutes;
  if (text.empty()) return minutes;
  minutes = 0;
  if (text == "every") return minutes;
  NEXUS_TRY(const auto seconds, parse_duration(text));
  if (seconds < 60)
    return Error{ErrorCode::usage, "a yes counts for a minute at the least, or for one use",
                 "give --confirm every, or a time such as 15m"};
  minutes = seconds / 60;
  return minutes;
}

/// Its interpreter is what runs, so such a rule would let nobody in. nexusd, which is confined,
/// does not see every file.
Result<void> check_no_script(const std::string& program) {
  const auto path = program.substr(0, program.rfind("@sha256:"));
  const auto file = open_regular_file(path);
  char first[2]{};
  if (file.get() < 0 || read(file.get(), first, 2) != 2 || first[0] != '#' || first[1] != '!')
    return {};
  return Error{ErrorCode::usage, path + " is a script, which its interpreter runs",
               "name the interpreter, which stands for all of its scripts"};
}

/// As nexusd reads it, which says what is wrong with it.
Result<std::string> rules_in(const AccessArgs& args) {
  for (const auto& program : args.programs) NEXUS_CHECK(check_no_script(program));
  NEXUS_TRY(const auto minutes, minutes_in(args.confirm));
  JsonWriter to;
  to.begin()
      .member("programs", args.programs)
      .member("uids", args.uids)
      .member("groups", args.groups)
      .member_or_null("confirm_minutes", minutes);
  if (args.everybody) to.flag("everybody", true);
  return to.end().take();
}

std::string access_of(const api::Connection& c) {
  return c.access ? api::in_words(*c.access) : "everybody who reaches nexusd";
}

Result<api::Connection> changed(Context& context, const AccessArgs& args) {
  NEXUS_TRY(const auto rules, rules_in(args));
  const auto target = "/v1/connections/" + percent_encode(args.connection) +
                      "/access?workspace_id=" + percent_encode(context.config.workspace);
  return with_way_out(context, args.connection,
                      context.client.call<api::Connection>("PUT", target, rules));
}

Result<int> run_access(Context& context, const AccessArgs& args) {
  NEXUS_TRY(const auto connection,
            args.is_change() ? changed(context, args) : fetch_connection(context, args.connection));
  if (context.output.json) {
    print_json(context.output, {connection});
    return 0;
  }
  context.output.line(name_of(connection) + " may be used by " + access_of(connection));
  return 0;
}

}  // namespace

Command access_command() {
  auto args = std::make_shared<AccessArgs>();
  return {.name = "access",
          .summary = "Say who may use a connection, or show it",
          .arguments =
              {{"connection",
                &args->connection,
                "conn_… id, alias or provider",
                {.required = true, .names = Names::connection}},
               {"--exe",
                &args->programs,
                "only this program, with this hash where one is given (repeatable)",
                {.value = "PATH[@sha256:HEX]", .names = Names::file}},
               {"--uid", &args->uids, "only this user, by number (repeatable)", {.value = "UID"}},
               {"--group",
                &args->groups,
                "only members of this group (repeatable)",
                {.value = "GROUP"}},
               {"--confirm",
                &args->confirm,
                "a person has to say yes: every, or a time that a yes counts for (15m)",
                {.value = "every|TIME"}},
               {"--everybody", &args->everybody, "whoever reaches nexusd, as it is without this"}},
          .action = [args](Context& context) { return run_access(context, *args); },
          .footer =
              "What is given is all that holds from then on. A program of the same user can "
              "start one that is allowed: nexus-access(1) says what this keeps out.",
          .examples = {"nexus access github --exe /usr/bin/git",
                       "nexus access deploy --group ci --confirm 15m",
                       "nexus access deploy --everybody", "nexus access github"}};
}

}  // namespace nexus::cli
