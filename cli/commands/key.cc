#include <memory>

#include "cli/command.h"
#include "cli/commands/key_pair.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"
#include "common/api/daemon_status.h"
#include "common/api/key.h"
#include "common/id.h"
#include "common/text.h"
#include "common/times.h"

namespace nexus::cli {
namespace {

struct CreateArgs {
  std::string name;
  std::vector<std::string> use;
  std::vector<std::string> forward;
  std::vector<std::string> read;
  std::vector<std::string> rules;
  bool admin = false;
  std::string expires;
};

/// "use workspace:w, read all"
std::string rights_of(const api::Key& key) {
  if (key.damaged) return "nothing: its record is damaged";
  if (key.admin) return "admin";
  std::vector<std::string> rights;
  for (const auto& what : key.use) rights.push_back("use " + what);
  for (const auto& what : key.forward) rights.push_back("forward " + what);
  for (const auto& what : key.read) rights.push_back("read " + what);
  if (!key.rules.empty()) rights.push_back("by rules");
  return join(rights, ", ");
}

std::string expiry_text(const api::Key& key) {
  if (!key.expires_at) return "never";
  const auto left = *key.expires_at - system_now();
  return left > 0 ? "in " + duration_text(left) : "expired";
}

/// A key is shown once. One that did not get to stdout is nobody's, and is taken back.
Result<void> withdraw_unseen(Context& context, const api::Key& key) {
  const auto written = context.output.written();
  if (written) return {};
  auto error = written.error();
  const auto revoked = context.client.call_raw("DELETE", "/v1/keys/" + percent_encode(key.id), "");
  error.hint = revoked ? "nobody has seen the key, so it was revoked; make it again"
                       : "nobody has seen the key; run: nexus key revoke " + key.id;
  return error;
}

/// A connection is a key's by its id, whatever it is called here.
Result<std::string> scope_of(Context& context, const std::string& text) {
  const bool is_group =
      text == "all" || text.starts_with("workspace:") || text.starts_with("provider:");
  if (is_group || is_connection_id(text)) return text;
  auto found = fetch_connection(context, text);
  if (found) return found->id;
  if (found.error().code != ErrorCode::connection_not_found) return std::move(found).error();
  return Error{ErrorCode::invalid_field,
               "'" + printable(text, 80) + "' is no connection, and says nothing else for a key",
               "use all, workspace:NAME, provider:NAME or a connection (see: nexus list)"};
}

Result<std::vector<std::string>> scopes_of(Context& context,
                                           const std::vector<std::string>& texts) {
  std::vector<std::string> scopes;
  for (const auto& text : texts) {
    NEXUS_TRY(auto scope, scope_of(context, text));
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

Result<int> run_create(Context& context, const CreateArgs& args) {
  api::NewKey wanted{args.name, args.admin, {}, {}, {}, args.rules, {}};
  NEXUS_TRY(wanted.use, scopes_of(context, args.use));
  NEXUS_TRY(wanted.forward, scopes_of(context, args.forward));
  NEXUS_TRY(wanted.read, scopes_of(context, args.read));
  if (!args.expires.empty()) {
    NEXUS_TRY(wanted.expires_at, parse_time(args.expires, system_now(), Towards::future));
  }
  const CatchInterrupt held;  // a key that was made is shown
  NEXUS_TRY(const auto key, context.client.post<api::Key>("/v1/keys", api::to_json(wanted)));
  if (context.output.json) {
    context.output.json_line(api::to_json(key));
    NEXUS_CHECK(withdraw_unseen(context, key));
    return 0;
  }
  context.output.note("Key " + args.name + " (" + rights_of(key) + ", expires " + expiry_text(key) +
                      "). It is shown this once:");
  context.output.line(key.key);
  NEXUS_CHECK(withdraw_unseen(context, key));
  const auto daemon = context.client.get<api::DaemonStatus>("/v1/daemon");
  if (daemon && daemon->gateway.empty()) {
    context.output.note("The gateway is off: set listen under [gateway] in nexus.toml(5), and");
    context.output.note("restart the daemon.");
    if (!args.forward.empty()) context.output.note("The proxy takes it, too: nexus proxy start");
  }
  return 0;
}

Result<int> list_keys(Context& context) {
  NEXUS_TRY(const auto keys, context.client.all_pages<api::Key>("/v1/keys?limit=500"));
  if (context.output.json) {
    context.output.json_line(
        JsonWriter().begin().member_json("keys", api::to_json(keys)).end().take());
    return 0;
  }
  if (keys.empty()) {
    context.output.note("no keys yet; make one with: nexus key create --name NAME --use all");
    return 0;
  }
  page(context.output);
  std::vector<Cells> rows;
  for (const auto& key : keys)
    rows.push_back({key.name, key.variable.empty() ? key.id : "(environment)", rights_of(key),
                    key.created_at ? ago_text(*key.created_at) : "-",
                    key.last_used_at ? ago_text(*key.last_used_at) : "never", expiry_text(key)});
  Table(context.output, {{"KEY", 8}, {"ID"}, {"MAY", 12}, {"CREATED"}, {"LAST USED"}, {"EXPIRES"}})
      .print(rows);
  return 0;
}

Result<int> run_revoke(Context& context, const std::string& name) {
  NEXUS_TRY(const auto answer,
            context.client.call_raw("DELETE", "/v1/keys/" + percent_encode(name), ""));
  if (context.output.json) {
    context.output.json_line(answer);
  } else {
    context.output.line("revoked key " + name);
  }
  return 0;
}

Command create_command() {
  auto args = std::make_shared<CreateArgs>();
  return {
      .name = "create",
      .summary = "Make an API key and show it once",
      .arguments =
          {{"--name", &args->name, "what the key is for, for example ci", {.required = true}},
           {"--use",
            &args->use,
            "fetch tokens of: all, workspace:W, provider:P or a connection (repeatable)",
            {.value = "SCOPE", .names = Names::key_scope}},
           {"--forward",
            &args->forward,
            "have requests sent on for those, and never see a credential (repeatable)",
            {.value = "SCOPE", .names = Names::key_scope}},
           {"--rule",
            &args->rules,
            "what of that is allowed: 'allow GET /repos/**', the first that fits (repeatable)",
            {.value = "RULE"}},
           {"--read",
            &args->read,
            "only see the status of those (repeatable)",
            {.value = "SCOPE", .names = Names::key_scope}},
           {"--admin", &args->admin, "everything: providers, keys and the audit log as well"},
           {"--expires",
            &args->expires,
            "90d, 12h, tomorrow, 2027-01-31 (where that day begins), or an RFC 3339 time",
            {.value = "TIME"}}},
      .action = [args](Context& context) { return run_create(context, *args); },
      .examples = {"nexus key create --name ci --use provider:github --expires 90d",
                   "nexus key create --name agent --forward provider:github --rule 'allow GET /**'",
                   "nexus key create --name dashboard --read all"}};
}

Command revoke_command() {
  auto name = std::make_shared<std::string>();
  return {.name = "revoke",
          .summary = "Revoke an API key at once",
          .arguments = {{"key",
                         name.get(),
                         "the key's name or id",
                         {.required = true, .names = Names::key}}},
          .action = [name](Context& context) { return run_revoke(context, *name); },
          .examples = {"nexus key revoke ci"}};
}

}  // namespace

Command key_command() {
  return {.name = "key",
          .summary = "API keys for the HTTP gateway, and key pairs for bundles",
          .alias = "keys",
          .examples = {"nexus key create --name ci --use all", "nexus key list",
                       "nexus key pair -o ci.key"},
          .commands = {create_command(),
                       {.name = "list",
                        .summary = "List the API keys",
                        .action = list_keys,
                        .examples = {"nexus key list", "nexus key list --json"}},
                       revoke_command(),
                       key_pair_command()}};
}

}  // namespace nexus::cli
