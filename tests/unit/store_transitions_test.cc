#include "daemon/store/transitions.h"

#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// A connection that stands so.
void make(Store& store, const std::string& id, ConnectionStatus status) {
  if (status == kPending || status == kFailed) begin(store, connection_row(id));
  if (status == kActive || status == kAttention || status == kMoving || status == kRevoked)
    make_active(store, connection_row(id));
  if (status == kFailed) REQUIRE(*store.set_status(id, kFailed, "e", "m", kNow));
  if (status == kAttention) REQUIRE(*store.set_status(id, kAttention, "e", "m", kNow));
  if (status == kMoving) REQUIRE(*store.set_status(id, kMoving, "e", "m", kNow));
  if (status == kRevoked) REQUIRE(store.revoke(id, "{}", {}, kNow));
  REQUIRE(status_of(store, id) == status);
}

/// Tries to bring it there by the method that does.
void bring(Store& store, const std::string& id, ConnectionStatus to) {
  if (to == kActive && status_of(store, id) == kMoving) {
    REQUIRE(*store.set_status(id, kActive, "", "", kNow));
  } else if (to == kActive) {
    REQUIRE(store.activate(connection_row(id), kPinned, {sealed(id, "access_token")}));
    REQUIRE(store.save_refresh(id, {}, {sealed(id, "access_token")}, {}, 0, kNow));
  } else if (to == kRevoked) {
    REQUIRE(store.revoke(id, "{}", {}, kNow));
  } else if (to != kPending) {  // nothing leads back there
    REQUIRE(store.set_status(id, to, "e", "m", kNow));
  }
}

}  // namespace

TEST_CASE("a connection goes from one state to another where the table says so, and nowhere else",
          "[store][transitions]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  for (const auto from : {kPending, kActive, kAttention, kMoving, kFailed, kRevoked})
    for (const auto to : {kPending, kActive, kAttention, kMoving, kFailed, kRevoked}) {
      const auto id = std::string("conn_") + word(from) + "_to_" + word(to);
      INFO(id);
      make(store, id, from);
      bring(store, id, to);
      CHECK(status_of(store, id) == (may_become(from, to) ? to : from));
    }
}

TEST_CASE("the words of states and kinds are read back as what they stand for", "[words]") {
  const auto all = [](auto last) {
    using Enum = decltype(last);
    CHECK(words<Enum>().size() == static_cast<std::size_t>(last) + 1);
    for (const auto* text : words<Enum>()) CHECK(std::string(word(*from_word<Enum>(text))) == text);
    CHECK_FALSE(from_word<Enum>("nonsense"));
    CHECK_FALSE(from_word<Enum>(""));
  };
  all(ConnectionStatus::revoked);
  all(AuthType::aws_sigv4);
  all(FlowKind::unattended);
  all(SecretField::client_secret);
  all(AuditEvent::vault_restored);
  all(AuditOutcome::refused);
  all(AuditFault::head);
  all(KeySource::memory);
}
