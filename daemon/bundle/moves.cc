#include "daemon/bundle/moves.h"

#include <future>
#include <memory>

#include "daemon/connection_errors.h"
#include "daemon/log.h"

namespace nexus {

Moves::Moves(Store& store, ConnectionPermits& permits, Audit& audit, Refresher& refresher,
             RefreshLedger& ledger, Due& due, Clock clock, Clock wall_clock)
    : store_(store),
      permits_(permits),
      audit_(audit),
      refresher_(refresher),
      ledger_(ledger),
      due_(due),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

Result<void> Moves::set_aside(const ConnectionRow& row) {
  NEXUS_TRY(const bool is_aside,
            store_.set_status(row.id, ConnectionStatus::moving, "moving",
                              "it is being moved: a bundle was made of it", wall_clock_()));
  if (!is_aside) {
    NEXUS_TRY(const auto now, store_.connection(row.id));
    return now ? not_active(*now).value_or(no_such_connection(row.id)) : no_such_connection(row.id);
  }
  permits_.review(row.id);
  // Whoever joins is told when the flight that is under way has landed, and after it none begins.
  const auto landed = std::make_shared<std::promise<void>>();
  auto over = landed->get_future();
  refresher_.join(row.id, {.done = [landed](const Result<void>&) { landed->set_value(); }});
  over.wait();
  const auto stored = ledger_.save_kept(row);
  if (stored) return {};
  NEXUS_CHECK(put_back(row.id));
  return stored.error();
}

Result<void> Moves::check_aside(const std::string& id) {
  NEXUS_TRY(const auto now, store_.connection(id));
  if (!now) return no_such_connection(id);
  if (now->status == ConnectionStatus::moving) return {};
  return not_active(*now).value_or(
      Error{ErrorCode::invalid_state, "connection " + id + " was taken back meanwhile",
            "move it again, or leave it here", id, now->provider_name});
}

Result<void> Moves::put_back(const std::string& id) {
  NEXUS_CHECK(store_.set_status(id, ConnectionStatus::active, "", "", wall_clock_()));
  due_.expect(Due::What::refresh, clock_());
  return {};
}

Result<void> Moves::take_back(const ConnectionRow& row, const Caller& caller) {
  if (row.status != ConnectionStatus::moving)
    return Error{ErrorCode::invalid_state, "connection " + row.id + " is not being moved",
                 "see: nexus status " + row.id, row.id, row.provider_name};
  NEXUS_CHECK(audit_.commit({.event = AuditEvent::connection_updated,
                             .connection_id = row.id,
                             .provider = row.provider_name,
                             .detail = "taken back: it is not moved"},
                            caller));
  return put_back(row.id);
}

SetAside::~SetAside() {
  for (const auto& id : ids_)
    if (const auto back = moves_.put_back(id); !back)
      log(LogLevel::error, "not_put_back", {{"connection", id}, {"error", back.error().message}});
}

Result<void> SetAside::add(const ConnectionRow& row) {
  NEXUS_CHECK(moves_.set_aside(row));
  ids_.push_back(row.id);
  return {};
}

Result<void> SetAside::check() {
  for (const auto& id : ids_) NEXUS_CHECK(moves_.check_aside(id));
  return {};
}

}  // namespace nexus
