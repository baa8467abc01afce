#include "daemon/connect/connections.h"

#include <algorithm>

#include "common/alias.h"
#include "common/id.h"
#include "common/suggestion.h"
#include "common/text.h"
#include "daemon/connect/request.h"
#include "daemon/connection_errors.h"

namespace nexus {
namespace {

/// Rows that one request for a list looks at.
constexpr std::int64_t kMostReadAtOnce = 10'000;

/// "alias  id  (account)", as far as they are known.
std::string told_apart(const ConnectionRow& row) {
  return (row.alias.empty() ? "" : row.alias + "  ") + row.id +
         (row.account.empty() ? "" : "  (" + printable(row.account, 60) + ")");
}

Error ambiguous(const std::string& reference, std::vector<ConnectionRow> candidates) {
  constexpr std::size_t kShown = 20;
  const auto nameless =
      std::stable_partition(candidates.begin(), candidates.end(),
                            [](const ConnectionRow& row) { return !row.alias.empty(); });
  std::string lines;
  for (std::size_t i = 0; i < candidates.size() && i < kShown; ++i)
    lines += "\n  " + told_apart(candidates[i]);
  if (candidates.size() > kShown)
    lines += "\n  and " + std::to_string(candidates.size() - kShown) + " more";
  if (nameless != candidates.end())
    lines += "\nor give one a name of your own: nexus alias " + nameless->id + " NAME";
  return {ErrorCode::connection_ambiguous,
          printable(reference, 80) + " stands for " + std::to_string(candidates.size()) +
              " connections",
          "name one of them:" + lines};
}

/// What was found by a name that its record, altered by somebody else, may have from them: it is
/// not given in the place of what is really called so.
Error altered(const std::string& reference, const ConnectionRow& row) {
  return {ErrorCode::connection_failed,
          printable(reference, 80) + " may stand for connection " + row.id +
              ", whose record is no "
              "longer what nexusd wrote: " +
              row.error_message,
          "name another by its id, and take this one away: nexus disconnect " + row.id, row.id,
          row.provider_name};
}

bool is_altered(const ConnectionRow& row) {
  return row.error_code == kRecordDamaged;
}

/// The connection with an alias that is a provider's name as well, of which those are candidates:
/// who typed it may mean either, and is given neither in place of the other.
Result<ConnectionRow> told_by_alias(ConnectionRow aliased, const std::string& reference,
                                    std::vector<ConnectionRow> candidates) {
  std::erase_if(candidates, [&](const auto& row) { return row.id == aliased.id; });
  if (candidates.empty() && aliased.provider_name == lower(reference)) return aliased;
  const auto id = aliased.id;
  const auto provider = aliased.provider_name;
  aliased.alias.clear();  // what is ambiguous is no way to name it
  candidates.insert(candidates.begin(), std::move(aliased));
  auto error = ambiguous(reference, std::move(candidates));
  error.message = printable(reference, 80) + " is the alias of " + id + ", of the provider " +
                  provider + ", and the name of a provider";
  error.hint += "\nso that it means one thing again: nexus alias " + id + " NAME";
  return error;
}

/// A line about what other workspaces have: connections of that name or, for somebody who has none
/// at all here, any.
std::string found_elsewhere(Store& store, const std::string& reference,
                            const std::string& workspace) {
  if (const auto named = store.count_elsewhere(workspace, reference);
      named && named->connections > 0)
    return "\n" + to_text(*named) + ": add " + workspace_option(named->largest[0].first);
  const auto here = store.connections({.workspace = workspace, .pending = true, .limit = 1});
  if (!here || !here->empty()) return {};
  const auto all = store.count_elsewhere(workspace, "");
  if (!all || all->connections == 0) return {};
  return "\n" + to_text(*all) + ": nexus list --all-workspaces";
}

/// Providers' own words are among the codes: clients are promised [a-z0-9_].
std::string code_word(std::string code) {
  for (char& c : code) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) c = '_';
  }
  return code;
}

/// Clients know of four.
ConnectionStatus status_outside(ConnectionStatus status) {
  if (status == ConnectionStatus::revoked) return ConnectionStatus::failed;
  if (status == ConnectionStatus::moving) return ConnectionStatus::attention_required;
  return status;
}

api::Disconnection disconnection_of(const ConnectionRow& row, UnixTime at, bool already,
                                    const RevocationState& state) {
  return {row.id, row.provider_name, at, already, state.revoked, state.pending, state.error};
}

}  // namespace

Connections::Connections(Store& store, Providers& providers, ConnectionPermits& permits,
                         Audit& audit, Revocations& revocations, DownscopedTokens& downscoped,
                         Due& due, Clock clock, Clock wall_clock)
    : store_(store),
      providers_(providers),
      permits_(permits),
      audit_(audit),
      revocations_(revocations),
      downscoped_(downscoped),
      due_(due),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

Result<ConnectionRow> Connections::find(const std::string& reference, const std::string& workspace,
                                        const Caller& caller, Right right) {
  NEXUS_TRY(auto row, find_row(reference, workspace, caller));
  auto allowed = require(caller, right, row, reference);
  if (allowed) return row;
  if (allowed.error().code != ErrorCode::connection_out_of_scope || row.id == reference)
    return std::move(allowed).error();
  // To the letter what is said of a name that nothing has; for the record it is not that.
  auto hidden = not_connected(reference, workspace, caller);
  hidden.code = ErrorCode::connection_out_of_scope;
  return hidden;
}

Result<ConnectionRow> Connections::find_row(const std::string& reference,
                                            const std::string& workspace, const Caller& caller) {
  if (reference.starts_with("conn_")) {
    if (!is_connection_id(reference)) return no_such_connection(reference);
    NEXUS_TRY(auto row, store_.connection(reference));
    if (!row) return no_such_connection(reference);
    return *std::move(row);
  }
  NEXUS_TRY(auto aliased, store_.connection_aliased(workspace, reference));
  if (aliased && is_altered(aliased->connection)) return altered(reference, aliased->connection);
  if (aliased && !aliased->names_provider) return std::move(aliased->connection);
  NEXUS_TRY(auto candidates, store_.connections_of(workspace, lower(reference)));
  const auto now = clock_();
  std::erase_if(candidates, [&](const ConnectionRow& row) {
    const bool over = row.status == ConnectionStatus::pending && row.pending_until <= now;
    return over || !may(caller, Right::read, row);
  });
  const auto broken = std::find_if(candidates.begin(), candidates.end(), is_altered);
  if (broken != candidates.end()) return altered(reference, *broken);
  // Active ones come first, then those that need a person: where there is one, the others do not
  // count. Of several that wait, the newest is the one that a person is busy with.
  if (!candidates.empty()) {
    const auto best = candidates.front().status;
    std::erase_if(candidates, [best](const auto& row) { return row.status != best; });
    if (best == ConnectionStatus::pending) candidates.resize(1);
  }
  if (aliased && may(caller, Right::read, aliased->connection))
    return told_by_alias(std::move(aliased->connection), reference, std::move(candidates));
  if (aliased && candidates.empty()) return std::move(aliased->connection);
  if (candidates.empty()) return not_connected(reference, workspace, caller);
  if (candidates.size() == 1) return std::move(candidates.front());
  return ambiguous(reference, std::move(candidates));
}

std::optional<std::string> Connections::meant_by(const std::string& reference,
                                                 const std::string& workspace,
                                                 const Caller& caller) {
  const auto rows = store_.connections({.workspace = workspace, .pending = true, .limit = 1000});
  if (!rows) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& row : *rows) {
    if (row.status == ConnectionStatus::failed || !may(caller, Right::read, row)) continue;
    if (!row.alias.empty()) names.push_back(row.alias);
    names.push_back(row.provider_name);
  }
  return suggestion(reference, names);
}

Error Connections::not_connected(const std::string& reference, const std::string& workspace,
                                 const Caller& caller) {
  const auto provider = providers_.by_name(lower(reference));
  const bool connectable = provider && may_connect(caller, workspace, provider->name);
  auto error = connectable ? Error{ErrorCode::connection_not_found,
                                   provider->name + " has no connection in the workspace " +
                                       printable(workspace, 80),
                                   "run: nexus connect " + provider->name + in_workspace(workspace)}
                           : no_such_connection(reference, workspace);
  if (const auto meant = connectable ? std::nullopt : meant_by(reference, workspace, caller)) {
    error.hint = "did you mean " + *meant + "? (" + error.hint + ")";
    return error;
  }
  // Who else uses this nexusd is for its own user to know, not for an application.
  if (caller.via == Caller::Via::control_socket)
    error.hint += found_elsewhere(store_, reference, workspace);
  return error;
}

Result<ConnectionRow> Connections::newest(const std::string& provider_name,
                                          const std::string& workspace, const Caller& caller) {
  NEXUS_TRY(auto candidates, store_.connections_of(workspace, lower(provider_name)));
  for (auto& row : candidates)
    if (row.status != ConnectionStatus::pending && may(caller, Right::use, row))
      return std::move(row);
  return Error{ErrorCode::connection_not_found,
               "the workspace has no connection with " + printable(provider_name, 80),
               "start one with request-connection"};
}

Result<ListedConnections> Connections::list(ConnectionPage page, const Caller& caller) {
  ListedConnections listed;
  const auto wanted = static_cast<std::size_t>(page.limit);
  // What the caller may not see is passed over: the page is filled from those after it, as far as
  // one request may read.
  for (std::int64_t read = 0; read < kMostReadAtOnce && listed.connections.size() < wanted;) {
    NEXUS_TRY(auto rows, store_.connections(page));
    const auto count = static_cast<std::int64_t>(rows.size());
    for (auto& row : rows) {
      page.before = row.id;
      if (may(caller, Right::read, row)) listed.connections.push_back(std::move(row));
      if (listed.connections.size() == wanted) break;
    }
    listed.next = page.before;
    if (count < page.limit && listed.connections.size() < wanted) listed.next.clear();
    if (count < page.limit) break;
    read += count;
  }
  return listed;
}

api::Connection Connections::describe(const ConnectionRow& row) const {
  api::Connection c;
  c.id = row.id;
  c.alias = row.alias;
  c.provider = row.provider_name;
  c.provider_id = row.provider_id;
  c.auth_type = row.auth_type;
  c.workspace = row.workspace;
  c.account = row.account;
  c.metadata = row.metadata;
  if (row.use_rules) c.access = *row.use_rules;
  c.status = status_outside(row.status);
  c.scopes = split(row.status == ConnectionStatus::pending || row.status == ConnectionStatus::failed
                       ? row.requested_scopes
                       : row.token.scopes,
                   ' ');
  c.created_at = row.created_at;
  c.updated_at = row.updated_at;
  c.last_refresh_at = row.last_refresh_at;
  c.error_code = code_word(row.error_code);
  c.error_message = row.error_message;
  if (row.status == ConnectionStatus::active) {
    // Told by the wall clock, as people and programs read it.
    c.expires_at = row.token.expires_at;
    if (c.expires_at) *c.expires_at -= clock_ahead();
    c.never_expires =
        !c.expires_at && (row.auth_type != AuthType::oauth2 || row.tokens_never_expire);
    c.next_refresh_at = row.refresh_at;
    if (c.next_refresh_at) *c.next_refresh_at -= clock_ahead();
    c.refresh_failing_since = row.refresh_failing_since;
  }
  if (row.status == ConnectionStatus::pending) {
    c.expires_at = row.pending_until - clock_ahead();
    if (row.pending_until <= clock_()) {
      c.status = ConnectionStatus::failed;
      c.error_code = "expired";
      c.error_message = "nobody gave consent in time";
    }
  }
  if (row.status == ConnectionStatus::revoked) {
    c.error_code = "revoked";
    c.error_message = "it was disconnected";
  }
  return c;
}

Result<void> Connections::set_alias(const ConnectionRow& row, const std::string& alias,
                                    const Caller& caller) {
  NEXUS_CHECK(check_alias(alias));
  if (row.status == ConnectionStatus::revoked || row.status == ConnectionStatus::failed)
    return no_such_connection(row.id);
  NEXUS_CHECK(store_.set_alias(row.id, alias, wall_clock_()));
  return audit_.commit({.event = AuditEvent::connection_updated,
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = "alias"},
                       caller);
}

Result<void> Connections::set_use_rules(const ConnectionRow& row, const api::UseRules& rules,
                                        const Caller& caller) {
  if (row.status == ConnectionStatus::revoked || row.status == ConnectionStatus::failed)
    return no_such_connection(row.id);
  const bool any = rules.bind_anybody();
  NEXUS_CHECK(store_.set_use_rules(row.id, any ? &rules : nullptr, wall_clock_()));
  return audit_.commit({.event = AuditEvent::connection_updated,
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = "access: " + (any ? api::in_words(rules) : "everybody")},
                       caller);
}

Error Connections::explain(Error error, const std::string& alias, const std::string& workspace,
                           const Caller& caller) {
  if (error.code != ErrorCode::alias_taken) return error;
  const auto taken = store_.connection_aliased(workspace, alias);
  if (taken && *taken && may(caller, Right::read, (*taken)->connection)) {
    error.message = "the alias " + alias + " belongs to another connection";
    error.hint =
        "choose another one, or connect in its place: nexus connect PROVIDER --replace " + alias;
  } else if (is_admin(caller) && taken && !*taken) {
    error.message = alias + " is the name of a provider";
    error.hint = "choose another alias, for example my-" + lower(alias);
  }
  return error;
}

Result<api::Disconnection> Connections::revoke(const ConnectionRow& row, bool keep_grant,
                                               const std::string& reason, const Caller& caller) {
  if (row.status == ConnectionStatus::revoked) {
    NEXUS_TRY(const auto state, revocations_.state(row.id));
    return disconnection_of(row, row.updated_at, true, state);
  }
  const auto now = wall_clock_();
  RevocationState state;
  std::optional<RevocationRow> pending;
  if (keep_grant) {
    state.kept = true;
    state.error = "the grant was kept as asked";
  } else if (row.status == ConnectionStatus::moving) {
    state.kept = true;
    state.error = "it was moved, and its grant with it";
  } else if (row.status == ConnectionStatus::active ||
             row.status == ConnectionStatus::attention_required) {
    pending = revocations_.plan(row, state.error);
  }
  // Recorded before anybody is asked: a daemon that ends meanwhile asks when it is back.
  state.pending = pending.has_value();
  NEXUS_CHECK(store_.revoke(row.id, Revocations::to_text(state), pending, now));
  const auto ended = permits_.review(row.id);
  downscoped_.forget(row.id);
  // Nobody may be expected any more: the callback's port is free for others then.
  if (row.status == ConnectionStatus::pending) due_.expect(Due::What::flow_expiry, clock_());
  if (pending) state = revocations_.attempt(row.id, Revocations::Told::to_caller);
  const auto told = state.revoked   ? "also at the provider"
                    : state.pending ? "the provider is asked again: " + state.error
                                    : state.error;
  NEXUS_CHECK(
      audit_.commit({.event = AuditEvent::connection_revoked,
                     .connection_id = row.id,
                     .provider = row.provider_name,
                     .detail = told + forwards_ended(ended) +
                               (reason.empty() ? "" : "; reason: " + printable(reason, 200))},
                    caller));
  return disconnection_of(row, now, false, state);
}

}  // namespace nexus
