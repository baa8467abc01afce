#include <memory>

#include "cli/commands/credential.h"
#include "cli/credential/file_change.h"
#include "cli/credential/text_edits.h"
#include "cli/credential/tool_files.h"
#include "cli/data_file.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "cli/program_path.h"
#include "common/json.h"
#include "common/site.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct SetupArgs {
  std::string tool;
  std::string place;  ///< a host, or a profile of AWS's
  std::string connection;
  bool undo = false;
  bool yes = false;
};

using Changes = std::vector<FileChange>;

Error wrong(const std::string& what, const std::string& hint) {
  return {ErrorCode::usage, what, hint};
}

/// What is written into other programs' files stands for itself in all of them.
bool is_plain(std::string_view text) {
  return !text.empty() && !text.starts_with('-') &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             "._-+@/:") == std::string_view::npos;
}

Result<FileChange> read(const std::string& file) {
  NEXUS_TRY(auto text, text_if_any(file));
  return FileChange{file, text, text};
}

/// A program of ours by its name where the PATH leads to it, else by its path.
Result<std::string> command_for(const std::string& program, const std::string& name) {
  if (!name.empty() && !on_path(program).empty()) return name;
  const auto path = program_path(program);
  if (is_plain(path)) return path;
  return wrong(program + " is neither on the PATH nor at a plain path",
               "install Nexus, or put it on the PATH");
}

std::optional<CredentialMapping> mapping_of(const Config& config, const Site& site) {
  for (const auto& each : config.credential)
    if (each.site == site) return each;
  return std::nullopt;
}

Result<Changes> plan_git(const Context& context, const SetupArgs& args, const Site& site) {
  const auto url =
      (lower(args.place).starts_with("http://") ? "http://" : "https://") + site.host + site.path;
  NEXUS_TRY(const auto file, git_file());
  NEXUS_TRY(auto change, read(file));
  if (args.undo) {
    change.after = without_git_helper(change.before, url);
    return Changes{change};
  }
  if (args.connection.empty() && !mapping_of(context.config, site))
    return wrong("no connection is named for " + url, "name one with --connection");
  NEXUS_TRY(auto helper, command_for("git-credential-nexus", "nexus"));
  if (!args.connection.empty()) helper += " --connection " + args.connection;
  change.after = with_git_helper(change.before, url, helper);
  return Changes{change};
}

Result<Changes> plan_docker(const Context& context, const SetupArgs& args, const Site& site) {
  if (!site.path.empty())
    return wrong("docker has a helper for a registry, not for a path of it", "name its host");
  NEXUS_TRY(const auto file, docker_file());
  NEXUS_TRY(auto docker, read(file));
  NEXUS_TRY(auto ours, read(context.config.file));
  if (args.undo) {
    NEXUS_TRY(docker.after, without_docker_helper(docker.before, site.host));
    ours.after = without_mapping(ours.before, site.host);
    return Changes{docker, ours};
  }
  const auto mapped = mapping_of(context.config, site);
  if (!mapped && args.connection.empty())
    return wrong("no connection is named for " + site.host, "name one with --connection");
  if (mapped && !args.connection.empty() && mapped->connection != args.connection)
    return wrong(site.host + " is mapped to " + mapped->connection + " in " + context.config.file,
                 "change it there, or leave --connection out");
  NEXUS_TRY(docker.after, with_docker_helper(docker.before, site.host));
  if (mapped) return Changes{docker};
  ours.after = with_mapping(ours.before, site.host, args.connection);
  if (!parse_toml(ours.after, ours.file))
    return wrong("the mapping cannot be added to " + ours.file,
                 "add it there yourself: \"" + site.host + "\" = \"" + args.connection + "\"");
  return Changes{docker, ours};
}

Result<Changes> plan_aws(const SetupArgs& args) {
  NEXUS_TRY(const auto file, aws_file());
  NEXUS_TRY(auto change, read(file));
  if (args.undo) {
    NEXUS_TRY(change.after, without_aws_process(change.before, args.place));
    return Changes{change};
  }
  if (args.connection.empty())
    return wrong("no connection is named for the profile", "name one with --connection");
  NEXUS_TRY(const auto nexus, command_for("nexus", ""));
  NEXUS_TRY(change.after, with_aws_process(change.before, args.place,
                                           nexus + " credential aws " + args.connection));
  return Changes{change};
}

Result<Changes> plan(const Context& context, const SetupArgs& args) {
  if (args.tool == "aws") return plan_aws(args);
  const auto site = parse_site(args.place);
  if (!site)
    return wrong("'" + printable(args.place, 80) + "' is no host that credentials are for",
                 "write HOST[:PORT]; https, or http:// and a loopback host");
  return args.tool == "git" ? plan_git(context, args, *site) : plan_docker(context, args, *site);
}

/// A terminal is shown no tab (Words), but the room that it stands for.
std::string with_indentation(std::string line) {
  for (auto tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', tab))
    line.replace(tab, 1, 4, ' ');
  return line;
}

void show(const Output& output, const Changes& changes) {
  for (const auto& change : changes) {
    output.line(change.file);
    for (const auto& line : difference(change))
      output.line(Output::change_line(with_indentation(line)));
  }
}

std::string as_json(const Changes& changes, bool applied) {
  JsonWriter json;
  json.begin().flag("applied", applied).begin_list("changes");
  for (const auto& change : changes)
    json.item_json(JsonWriter()
                       .begin()
                       .member("file", change.file)
                       .member("lines", difference(change))
                       .end()
                       .take());
  return json.end_list().end().take();
}

/// kubectl's own command: it writes a kubeconfig anew, without its comments, so that nobody could
/// take that back to the byte.
Result<int> show_kubectl(const Context& context, const SetupArgs& args) {
  if (args.connection.empty() && !args.undo)
    return wrong("no connection is named for the user", "name one with --connection");
  NEXUS_TRY(const auto nexus, command_for("nexus", "nexus"));
  const auto command =
      args.undo ? "kubectl config unset users." + args.place
                : "kubectl config set-credentials " + args.place + " --exec-command=" + nexus +
                      " --exec-api-version=client.authentication.k8s.io/v1"
                      " --exec-interactive-mode=Never --exec-arg=credential --exec-arg=kubectl"
                      " --exec-arg=" +
                      args.connection;
  if (context.output.json) {
    context.output.json_line(JsonWriter().begin().member("command", command).end().take());
  } else {
    context.output.note("Run this command of kubectl's:");
    context.output.line(command);
  }
  return 0;
}

Result<int> run_setup(Context& context, const SetupArgs& args) {
  if (!is_plain(args.place) || (!args.connection.empty() && !is_plain(args.connection)))
    return wrong("names with blanks and the like cannot be written into all configurations",
                 "name the connection by its id");
  if (!args.undo && !args.connection.empty()) {
    NEXUS_CHECK(fetch_connection(context, args.connection));
  }
  if (args.tool == "kubectl") return show_kubectl(context, args);
  NEXUS_TRY(auto changes, plan(context, args));
  std::erase_if(changes, [](const FileChange& each) { return each.before == each.after; });
  if (!context.output.json) show(context.output, changes);
  if (changes.empty()) context.output.note("there is nothing to change");
  if (!changes.empty() && !args.yes && !context.output.json) {
    if (!is_interactive())
      return Error{ErrorCode::failure, "nothing was changed", "run it again with --yes"};
    NEXUS_CHECK(confirm("Change that?"));
  }
  // Who reads JSON is not asked: without --yes it is what would be changed.
  const bool applied = args.yes || !context.output.json;
  for (const auto& change : changes)
    if (applied) NEXUS_CHECK(apply(change));
  if (context.output.json) context.output.json_line(as_json(changes, applied));
  return 0;
}

}  // namespace

Command credential_setup_command() {
  auto args = std::make_shared<SetupArgs>();
  return {
      .name = "setup",
      .summary = "Configure git, docker or aws to ask nexus, and take that back",
      .arguments =
          {{"tool",
            &args->tool,
            "whose configuration",
            {.required = true, .one_of = {"git", "docker", "aws", "kubectl"}}},
           {"place",
            &args->place,
            "the host that credentials are for; for aws, the profile; for kubectl, the user",
            {.required = true}},
           {"--connection",
            &args->connection,
            "whose credentials; else the mapping of nexus.toml",
            {.value = "CONN", .names = Names::connection}},
           {"--undo", &args->undo, "take back what setup did, and nothing else"},
           {"--yes", &args->yes, "do it without asking"}},
      .action = [args](Context& context) { return run_setup(context, *args); },
      .footer = "It shows the change first. nexus-credential(1) tells what to write for others.",
      .examples = {"nexus credential setup git github.com --connection github",
                   "nexus credential setup docker ghcr.io --undo"}};
}

}  // namespace nexus::cli
