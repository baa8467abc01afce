#include "cli/completion/names.h"

#include <chrono>
#include <map>
#include <set>

#include "cli/at_daemon.h"
#include "cli/catalogue.h"
#include "common/api/key.h"
#include "common/api/provider.h"
#include "common/local_http.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Nobody notices so long a time, and a daemon that can answer has.
constexpr std::chrono::milliseconds kPatience{30};
/// As many as nexusd tells at a time: nobody reads more.
constexpr const char* kAtOnce = "limit=1000";

/// A list of the daemon's; empty where it does not answer. Nobody is told why: there is no place
/// for that while a command is being written.
template <class Each>
std::vector<Each> ask(const Config& config, const std::string& target) {
  if (!config.url.empty()) return {};
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const auto answer = at_daemon(config, [&](const LocalSocket& socket) {
    return local_request(socket, "GET", target, "", kPatience, until);
  });
  if (!answer || answer->status != 200) return {};
  auto list = api::parse_list<Each>(answer->body);
  return list ? *std::move(list) : std::vector<Each>();
}

/// Those of a workspace, "*" for all. Whoever waits for consent is left out: to list those has the
/// daemon ask their providers how it stands.
std::vector<api::Connection> connections(const Config& config, const std::string& workspace) {
  auto all = ask<api::Connection>(config, std::string("/v1/connections?") + kAtOnce +
                                              "&workspace_id=" + percent_encode(workspace));
  std::erase_if(all, [](const auto& each) { return each.status == ConnectionStatus::failed; });
  return all;
}

/// "github, ann@example.com, active"
std::string description_of(const api::Connection& connection) {
  return connection.provider + ", " +
         (connection.account.empty() ? "" : connection.account + ", ") + word(connection.status);
}

/// How many connections a provider's name can mean: active ones, or else those in need of a person.
struct Usable {
  int active = 0;
  int in_need = 0;

  void count(const api::Connection& connection) {
    ++(connection.status == ConnectionStatus::active ? active : in_need);
  }
  bool is_only(const api::Connection& connection) const {
    return connection.status == ConnectionStatus::active ? active == 1
                                                         : active == 0 && in_need == 1;
  }
};

std::vector<Candidate> ids(const std::vector<api::Connection>& connections) {
  std::vector<Candidate> all;
  for (const auto& each : connections)
    all.push_back({each.id, (each.alias.empty() ? "" : each.alias + ", ") + description_of(each)});
  return all;
}

std::vector<Candidate> providers(const Config& config) {
  std::vector<Candidate> all;
  for (const auto& each : ask<api::Provider>(config, std::string("/providers?") + kAtOnce))
    all.push_back({each.name, std::string("registered, ") + word(each.auth_type)});
  return all;
}

std::vector<Candidate> catalogue_entries() {
  std::vector<Candidate> all;
  for (const auto& name : Catalogue().names()) all.push_back({name, "in the catalogue"});
  return all;
}

std::vector<Candidate> known_providers(const Config& config) {
  auto all = providers(config);
  std::set<std::string> registered;
  for (const auto& each : all) registered.insert(each.word);
  for (auto& entry : catalogue_entries())
    if (!registered.contains(entry.word)) all.push_back(std::move(entry));
  return all;
}

/// Those that were made here: the others are taken back where they come from.
std::vector<Candidate> keys(const Config& config) {
  std::vector<Candidate> all;
  for (const auto& each : ask<api::Key>(config, std::string("/v1/keys?") + kAtOnce))
    if (each.variable.empty()) all.push_back({each.name, each.id});
  return all;
}

std::vector<Candidate> workspaces(const Config& config) {
  std::map<std::string, int> counts;
  for (const auto& each : connections(config, "*")) ++counts[each.workspace];
  std::vector<Candidate> all;
  for (const auto& [workspace, count] : counts)
    all.push_back(
        {workspace, std::to_string(count) + (count == 1 ? " connection" : " connections")});
  return all;
}

std::vector<Candidate> key_scopes(const Config& config) {
  const auto there = connections(config, "*");
  std::set<std::string> groups;
  for (const auto& each : there) {
    groups.insert("provider:" + each.provider);
    groups.insert("workspace:" + each.workspace);
  }
  std::vector<Candidate> all{{"all", "every connection"}};
  for (const auto& group : groups) all.push_back({group, "its connections"});
  for (const auto& each : there)
    if (!each.alias.empty() && each.workspace == config.workspace)
      all.push_back({each.alias, description_of(each)});
  for (auto& id : ids(there)) all.push_back(std::move(id));
  return all;
}

std::vector<Candidate> audit_events() {
  std::vector<Candidate> all;
  for (const auto* event : words<AuditEvent>()) all.push_back({event});
  return all;
}

}  // namespace

std::vector<Candidate> names_of(const std::vector<api::Connection>& connections) {
  std::map<std::string, Usable> of_provider;
  for (const auto& each : connections) of_provider[each.provider].count(each);
  std::vector<Candidate> all;
  for (const auto& each : connections) {
    // An alias from before that was ruled out may be a provider's name, which means that one.
    const bool has_alias = !each.alias.empty() && !of_provider.contains(lower(each.alias));
    const bool is_meant = of_provider[each.provider].is_only(each);
    const auto& name = has_alias ? each.alias : is_meant ? each.provider : each.id;
    all.push_back({name, description_of(each)});
  }
  return all;
}

std::vector<Candidate> names_there_are(Names names, const Config& config) {
  switch (names) {
    case Names::connection:
    case Names::connection_by_variable:
      return names_of(connections(config, config.workspace));
    case Names::provider:
      return providers(config);
    case Names::known_provider:
      return known_providers(config);
    case Names::catalogue_entry:
      return catalogue_entries();
    case Names::key:
      return keys(config);
    case Names::key_scope:
      return key_scopes(config);
    case Names::workspace:
      return workspaces(config);
    case Names::audit_event:
      return audit_events();
    case Names::nothing:
    case Names::file:
      break;
  }
  return {};
}

}  // namespace nexus::cli
