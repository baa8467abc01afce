#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct CreateArgs {
  std::string name;
  std::vector<std::string> use;
  std::vector<std::string> read;
  bool admin = false;
  std::string expires;
};

/// "90d" from now, or a point in time.
Result<UnixTime> expiry_of(const std::string& text) {
  if (const auto time = parse_rfc3339(text)) return *time;
  NEXUS_TRY(const auto seconds, parse_duration(text));
  return system_now() + seconds;
}

/// "use workspace:w, read all"
std::string rights_of(const Json& key) {
  if (key.value("admin", false)) return "admin";
  std::vector<std::string> rights;
  for (const char* right : {"use", "read"})
    for (const auto& what : key.value(right, Json::array()))
      if (what.is_string()) rights.push_back(std::string(right) + " " + what.get<std::string>());
  return join(rights, ", ");
}

std::string expiry_text(const Json& key) {
  const auto found = key.find("expires_at");
  if (found == key.end() || !found->is_number_integer()) return "never";
  const auto left = found->get<UnixTime>() - system_now();
  return left > 0 ? "in " + duration_text(left) : "expired";
}

Result<int> run_create(Context& context, const CreateArgs& args) {
  Json body{{"name", args.name}, {"use", args.use}, {"read", args.read}, {"admin", args.admin}};
  if (!args.expires.empty()) {
    NEXUS_TRY(body["expires_at"], expiry_of(args.expires));
  }
  NEXUS_TRY(const auto key, context.client.post("/v1/keys", to_text(body)));
  if (context.output.json) {
    context.output.json_line(key);
    return 0;
  }
  context.output.note("Key " + args.name + " (" + rights_of(key) + ", expires " + expiry_text(key) +
                      "). It is shown this once:");
  context.output.result(text_member(key, "key").value_or("") + "\n");
  const auto daemon = context.client.get("/v1/daemon");
  if (daemon && !text_member(*daemon, "gateway"))
    context.output.note(
        "The gateway is off, so there is nothing to show it to yet: set listen under [gateway] in "
        "nexus.toml,\nsee nexusd(8), and restart the daemon.");
  return 0;
}

Result<int> run_list(Context& context) {
  NEXUS_TRY(const auto keys, context.client.all_pages("/v1/keys?limit=500"));
  if (context.output.json) {
    context.output.json_line({{"keys", keys}});
    return 0;
  }
  if (keys.empty()) {
    context.output.note("no keys yet; make one with: nexus key create --name NAME --use all");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& key : keys)
    rows.push_back({text_member(key, "name").value_or(""), text_member(key, "id").value_or(""),
                    rights_of(key), expiry_text(key)});
  context.output.table({"KEY", "ID", "MAY", "EXPIRES"}, rows);
  return 0;
}

Result<int> run_revoke(Context& context, const std::string& name) {
  NEXUS_TRY(const auto answer,
            context.client.call("DELETE", "/v1/keys/" + percent_encode(name), ""));
  if (context.output.json) {
    context.output.json_line(answer);
  } else {
    context.output.result("revoked key " + name + "\n");
  }
  return 0;
}

void configure_create(CLI::App& app, Action& action) {
  auto args = std::make_shared<CreateArgs>();
  app.add_option("--name", args->name, "what the key is for, for example ci")->required();
  app.add_option("--use", args->use,
                 "fetch tokens of: all, workspace:W, provider:P or a connection's id (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_option("--read", args->read, "only see the status of those (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_flag("--admin", args->admin, "everything: providers, keys and the audit log as well");
  app.add_option("--expires", args->expires, "90d, 12h, or a time such as 2027-01-31T00:00:00Z");
  app.parse_complete_callback([args, &action] {
    action = [args](Context& context) { return run_create(context, *args); };
  });
}

void configure_key(CLI::App& app, Action& action) {
  app.require_subcommand(1);
  const auto sub = [&](const char* name, const char* summary) -> CLI::App& {
    auto* command = app.add_subcommand(name, summary);
    command->fallthrough();
    return *command;
  };
  configure_create(sub("create", "Make an API key and show it once"), action);
  sub("list", "List the API keys").parse_complete_callback([&action] { action = run_list; });
  auto& revoke = sub("revoke", "Revoke an API key at once");
  auto name = std::make_shared<std::string>();
  revoke.add_option("key", *name, "the key's name or id")->required();
  revoke.parse_complete_callback([name, &action] {
    action = [name](Context& context) { return run_revoke(context, *name); };
  });
}

}  // namespace

const Command key_command{"key", "keys", "API keys for the HTTP gateway", configure_key};

}  // namespace nexus::cli
