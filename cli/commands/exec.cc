#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/credential.h"
#include "cli/exec/assignment.h"
#include "cli/exec/behind_proxy.h"
#include "cli/exec/child.h"
#include "cli/exec/child_variables.h"
#include "cli/exec/conventional_variables.h"
#include "cli/exec/mask.h"
#include "cli/exec/private_files.h"
#include "cli/token.h"
#include "cli/token_formats.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ExecArgs {
  std::vector<std::string> connections;
  std::vector<std::string> variables;
  std::vector<std::string> files;
  std::vector<std::string> netrc;
  std::string min_ttl;
  std::vector<std::string> rules;
  bool mask = false;
  bool proxy = false;
  std::vector<std::string> program;
};

/// The arguments understood.
struct Assignments {
  std::vector<VariableAssignment> variables;
  std::vector<VariableAssignment> files;
  std::vector<NetrcAssignment> netrc;
};

/// What the program gets, before any of it exists outside of this one.
struct Given {
  ChildVariables variables;
  std::vector<std::pair<std::string, SecretText>> files;  ///< by the variable with the path
  SecretText netrc;
  std::vector<SecretText> secrets;  ///< each once more, to be masked
};

/// The payloads of connections, asked for once each.
class Payloads {
 public:
  Payloads(Context& context, const std::string& min_ttl) : context_(context), min_ttl_(min_ttl) {}
  Result<const SecretText*> of(const std::string& connection) {
    if (const auto known = known_.find(connection); known != known_.end()) return &known->second;
    NEXUS_TRY(auto payload, fetch_token(context_, {.connection = connection, .min_ttl = min_ttl_}));
    return &known_.emplace(connection, std::move(payload)).first->second;
  }

 private:
  Context& context_;
  const std::string& min_ttl_;
  std::map<std::string, SecretText> known_;
};

constexpr const char* kExample = "for example: nexus exec github -- gh repo list";

bool has_wishes(const ExecArgs& args) {
  return !args.variables.empty() || !args.files.empty() || !args.netrc.empty();
}

/// For who left it out, or the dashes in front of it.
std::string place_of_program(const ExecArgs& args) {
  if (args.connections.empty()) return kExample;
  const auto word = printable(args.connections[0], 60);
  return has_wishes(args) ? "if " + word + " is the program, put -- in front of it"
                          : "for example: nexus exec " + word + " -- gh repo list";
}

Result<Assignments> understand(const ExecArgs& args) {
  Assignments assignments;
  for (const auto& text : args.variables) {
    NEXUS_TRY(auto variable, parse_variable_assignment("--env", text));
    assignments.variables.push_back(std::move(variable));
  }
  for (const auto& text : args.files) {
    NEXUS_TRY(auto file, parse_variable_assignment("--file", text));
    assignments.files.push_back(std::move(file));
  }
  for (const auto& text : args.netrc) {
    NEXUS_TRY(auto netrc, parse_netrc_assignment(text));
    assignments.netrc.push_back(std::move(netrc));
  }
  if (args.program.empty() || args.program[0].empty())
    return Error{ErrorCode::usage, "no program is named behind --", place_of_program(args)};
  if (args.connections.empty() && !has_wishes(args))
    return Error{ErrorCode::usage, "no connection is named before --", kExample};
  if (!args.rules.empty() && !args.proxy)
    return Error{ErrorCode::usage, "--rule is about what goes through the proxy",
                 "add --proxy: the program then has no credential, and can do nothing else"};
  return assignments;
}

/// The credentials of a connection under the names that programs know.
Result<void> give_conventional(Context& context, Payloads& payloads, const std::string& connection,
                               Given& given) {
  NEXUS_TRY(const auto* payload, payloads.of(connection));
  const std::string provider(api::TokenPayload(*payload).member("provider").value_or(SecretText()));
  NEXUS_TRY(const auto names, conventional_variables(context, connection, provider));
  bool any = false;
  std::vector<std::string> fields;
  for (const auto& [variable, field] : names.fields) {
    const auto value = credential_in(*payload, field);
    if (!value && field.empty())
      return Error{value.error().code, value.error().message,
                   "name a variable for each: nexus exec --env VAR=" + connection + ":FIELD ..."};
    fields.push_back(field);
    if (!value) {
      given.variables.leave_out(variable);  // of an optional field: a session token
      continue;
    }
    any = true;
    NEXUS_CHECK(given.variables.set(variable, *value, connection));
    given.secrets.push_back(*value);
  }
  if (any) return {};
  return Error{
      ErrorCode::usage,
      connection + " has none of the fields that the catalogue names: " + join(fields, ", "),
      "name a variable: nexus exec --env VAR=" + connection + ":FIELD ..."};
}

/// `source` is the argument, without a field.
Result<SecretText> value_of(Payloads& payloads, const VariableAssignment& wish,
                            const std::string& source) {
  NEXUS_TRY(const auto* payload, payloads.of(wish.connection));
  auto value = credential_in(*payload, wish.field);
  if (!value && wish.field.empty()) value.error().hint = "name one: " + source + ":FIELD";
  return value;
}

/// Everything is fetched, or nothing is done.
Result<Given> fetch(Context& context, const ExecArgs& args, const Assignments& assignments) {
  Given given;
  Payloads payloads(context, args.min_ttl);
  for (const auto& connection : args.connections)
    NEXUS_CHECK(give_conventional(context, payloads, connection, given));
  for (const auto& wish : assignments.variables) {
    const auto source = "--env " + wish.variable + "=" + wish.connection;
    NEXUS_TRY(auto value, value_of(payloads, wish, source));
    NEXUS_CHECK(given.variables.set(wish.variable, value, source));
    given.secrets.push_back(std::move(value));
  }
  for (const auto& wish : assignments.files) {
    NEXUS_TRY(auto value,
              value_of(payloads, wish, "--file " + wish.variable + "=" + wish.connection));
    given.secrets.push_back(value);
    given.files.emplace_back(wish.variable, std::move(value));
  }
  for (const auto& [host, connection, user] : assignments.netrc) {
    NEXUS_TRY(const auto* payload, payloads.of(connection));
    NEXUS_TRY(auto login, login_in(*payload, ""));
    if (!user.empty()) login.username = user;
    NEXUS_TRY(const auto line, netrc_line(host, login));
    given.netrc.append(line);
    given.secrets.push_back(std::move(login.password));
  }
  return given;
}

/// The files, and the variables that lead to them.
Result<void> write_files(PrivateFiles& files, Given& given) {
  for (const auto& [variable, content] : given.files) {
    NEXUS_TRY(const auto path, files.path_of(variable));
    NEXUS_CHECK(given.variables.set(variable, path, "--file " + variable));
    NEXUS_CHECK(files.add(path, content));
  }
  if (given.netrc.empty()) return {};
  NEXUS_TRY(const auto path, files.path_of(".netrc"));  // no variable's name
  NEXUS_CHECK(given.variables.set("NETRC", path, "--netrc"));
  return files.add(path, given.netrc);
}

/// No credential at all: addresses, and a key for them.
Result<Given> give_addresses(Context& context, const ExecArgs& args, Assignments assignments) {
  if (!assignments.files.empty() || !assignments.netrc.empty())
    return Error{ErrorCode::usage,
                 "--proxy keeps credentials from the program, and files have them",
                 "leave out --file and --netrc, or --proxy"};
  Given given;
  NEXUS_TRY(auto key,
            give_proxy(context, {args.connections, std::move(assignments.variables), args.rules},
                       given.variables));
  given.secrets.push_back(std::move(key));
  return given;
}

Result<int> run_exec(Context& context, const ExecArgs& args) {
  NEXUS_TRY(const auto assignments, understand(args));
  NEXUS_TRY(auto given, args.proxy ? give_addresses(context, args, assignments)
                                   : fetch(context, args, assignments));
  if (!args.mask && given.files.empty() && given.netrc.empty())
    return become(args.program, given.variables);
  NEXUS_TRY(const auto signals, HeldSignals::hold());
  PrivateFiles files;
  NEXUS_CHECK(write_files(files, given));
  const MaskedTexts masked(args.mask ? given.secrets : std::vector<SecretText>());
  NEXUS_TRY(auto child,
            Child::start(args.program, given.variables, signals, args.mask ? &masked : nullptr));
  const int code = child.wait();
  if (const auto removed = files.remove(); !removed)
    context.output.warn(removed.error().message + ": " + removed.error().hint);
  const auto drained = child.drain();
  if (!drained && code == 0) return drained.error();
  return code;
}

}  // namespace

Command exec_command() {
  auto args = std::make_shared<ExecArgs>();
  return {.name = "exec",
          .summary = "Run a program with credentials in its environment",
          .arguments =
              {{"connections",
                &args->connections,
                "conn_… id, alias or provider, under the names that programs know: GITHUB_TOKEN",
                {.names = Names::connection}},
               {"--env",
                &args->variables,
                "a variable with the token, or another field (repeatable)",
                {.value = "VAR=CONN[:FIELD]", .names = Names::connection_by_variable}},
               {"--file",
                &args->files,
                "a variable with the path of a file that has it, as long as the program runs "
                "(repeatable)",
                {.value = "VAR=CONN[:FIELD]", .names = Names::connection_by_variable}},
               {"--netrc",
                &args->netrc,
                "a netrc file for that host, whose path is in NETRC (repeatable)",
                {.value = "HOST=CONN[:USER]", .names = Names::connection_by_variable}},
               {"--min-ttl",
                &args->min_ttl,
                "refresh when less life than this is left (60s, 5m)",
                {.value = "TIME"}},
               {"--proxy", &args->proxy,
                "give it the address of nexusd's proxy, and a key for that while it runs, in place "
                "of the credentials"},
               {"--rule",
                &args->rules,
                "what it may ask for there: 'allow GET /repos/**', the first that fits "
                "(repeatable)",
                {.value = "RULE"}},
               {"--mask", &args->mask, "show *** for the credentials in the program's output"}},
          .action = [args](Context& context) { return run_exec(context, *args); },
          .footer =
              "The exit code is the program's; 127 where there is none, 126 where it cannot be "
              "run, 128+n where signal n ended it.",
          .examples = {"nexus exec github -- gh repo list", "nexus exec aws openai -- ./train.sh",
                       "nexus exec --env API_TOKEN=work --mask -- make deploy",
                       "nexus exec --netrc git.example.com=work -- go build ./...",
                       "nexus exec --proxy openai --rule 'allow POST /v1/**' -- ./agent"},
          .runs = &args->program};
}

}  // namespace nexus::cli
