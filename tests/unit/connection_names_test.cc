// What a person or a program calls a connection by, and which one that is.
#include <algorithm>

#include "daemon/store/sqlite/database.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// Gives a connection an alias that none can be given any more.
void call_as_before(TestHome& home, const std::string& id, const std::string& alias) {
  home.write("UPDATE connections SET alias = '" + alias + "' WHERE id = '" + id + "'");
}

}  // namespace

TEST_CASE("a connection is found by its id, its alias, and its provider's name", "[connections]") {
  TestHome home;
  const auto id = home.active_connection({.alias = "mine"});
  CHECK(home.find(id)->id == id);
  CHECK(home.find("mine")->id == id);
  CHECK(home.find("acme")->id == id);
  CHECK(home.find("ACME")->id == id);
  for (const auto& reference :
       {std::string("Mine"), std::string("other"), std::string(), std::string("conn_"),
        id.substr(0, id.size() - 1), std::string("conn_01ARZ3NDEKTSV4RRFFQ69G5FAV")}) {
    CAPTURE(reference);
    CHECK(home.find(reference).error().code == ErrorCode::connection_not_found);
  }
}

TEST_CASE("a provider's name stands for the newest one that waits, where none is connected",
          "[connections]") {
  TestHome home;
  REQUIRE(home.disconnect(home.active_connection()));
  REQUIRE(home.request());
  home.clock().advance(1);
  const auto newest = home.request();
  REQUIRE(newest);
  CHECK(home.find("acme")->id == newest->id);
  home.active_connection();
  CHECK(home.find("acme")->id != newest->id);
}

TEST_CASE("a registered provider without a connection says how to come by one", "[connections]") {
  TestHome home;
  home.active_connection({.workspace = "team"});
  const auto found = home.find("ACME");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::connection_not_found);
  CHECK(found.error().hint == "run: nexus connect acme");
  // Who could not connect it is not told that it is registered.
  const auto hidden = home.find("acme", TestHome::caller_who_may_read({"provider:other"}));
  CHECK(hidden.error().message == "there is no connection acme");
}

TEST_CASE("the daemon's own user is told of connections in other workspaces, an application is not",
          "[connections]") {
  TestHome home;
  const auto hint = [&home](const std::string& reference, Caller caller) {
    const auto found = home.find(reference, caller);
    REQUIRE_FALSE(found);
    return found.error().hint;
  };
  const Caller user{.via = Caller::Via::control_socket};
  const Caller application{.via = Caller::Via::gateway};
  CHECK(hint("acme", user) == "see: nexus list");
  home.active_connection({.workspace = "app1", .alias = "mine"});
  home.active_connection({.workspace = "app2"});
  home.active_connection({.provider = "other", .workspace = "app1"});
  CHECK(hint("ACME", user) ==
        "run: nexus connect acme\n2 connections in other workspaces (app1: 1, app2: 1): "
        "add --workspace app1");
  CHECK(hint("mine", user) ==
        "see: nexus list\n1 connection in other workspaces (app1: 1): add --workspace app1");
  CHECK(hint("nobody", user) ==
        "see: nexus list\n3 connections in other workspaces (app1: 2, app2: 1): "
        "nexus list --all-workspaces");
  for (const char* reference : {"acme", "mine", "nobody"})
    CHECK(hint(reference, application).find("workspaces") == std::string::npos);
  home.active_connection({.workspace = "$(id) x", .alias = "odd"});
  CHECK(hint("odd", user).ends_with(": add --workspace '$(id) x'"));
  home.active_connection({.provider = "other"});
  CHECK(hint("nobody", user) == "see: nexus list");
}

TEST_CASE("a mistyped name leads to the connection that was meant", "[connections]") {
  TestHome home;
  home.active_connection({.provider = "github", .alias = "work"});
  home.active_connection({.provider = "github", .workspace = "team", .alias = "mailbox"});
  const auto hint = [&](const std::string& name, const Caller& caller = {}) {
    return home.find(name, caller).error().hint;
  };
  CHECK(hint("wrok") == "did you mean work? (see: nexus list)");
  CHECK(hint("gihtub") == "did you mean github? (see: nexus list)");
  CHECK(hint("mailbx") == "see: nexus list");  // of another workspace
  CHECK(hint("banana") == "see: nexus list");
  CHECK(hint("conn_01ARZ3NDEKTSV4RRFFQ69G5FAV") == "see: nexus list");
  // Who may not see it does not learn of it.
  CHECK(hint("wrok", TestHome::caller_who_may_read({"provider:other"})) == "see: nexus list");
  CHECK(hint("wrok", TestHome::caller_who_may_read({"provider:github"})) != "see: nexus list");
}

TEST_CASE("an alias and a provider's name count in their workspace, an id everywhere",
          "[connections]") {
  TestHome home;
  const auto id = home.active_connection({.workspace = "team", .alias = "mine"});
  CHECK(home.find(id)->id == id);
  CHECK(home.find("mine", {}, "team")->id == id);
  CHECK(home.find("acme", {}, "team")->id == id);
  CHECK_FALSE(home.find("mine"));
  CHECK_FALSE(home.find("acme"));
  CHECK(home.active_connection({.alias = "mine"}) != id);
}

TEST_CASE("what a hint says to run names the workspace, unless it is the default one",
          "[connections]") {
  TestHome home;
  const auto hint_of = [](const auto& refused) { return refused.error().hint; };
  for (const auto& [workspace, option] :
       {std::pair("team", " --workspace team"), std::pair("two words", " --workspace 'two words'"),
        std::pair("default", "")}) {
    CAPTURE(workspace);
    const auto id = home.active_connection({.workspace = workspace});
    CHECK(hint_of(home.find("nobody", {}, workspace)) == std::string("see: nexus list") + option);
    const auto in_its_place = "nexus connect acme" + std::string(option) + " --replace " + id;
    CHECK(hint_of(home.downscoped_token(id, "admin")).find(in_its_place) != std::string::npos);
    home.provider().answers(answers::oauth_error(400, "invalid_grant"));
    CHECK(hint_of(home.refresh(id)) == "run: " + in_its_place);
    REQUIRE(home.disconnect(id));
    CHECK(hint_of(home.token(id)) == std::string("run: nexus connect acme") + option);
    CHECK(hint_of(home.find("acme", {}, workspace)) ==
          std::string("run: nexus connect acme") + option);
  }
}

TEST_CASE("an alias and a provider are not called the same, whichever comes first",
          "[connections]") {
  TestHome home;
  const auto id = home.active_connection({.provider = "other", .workspace = "team"});
  REQUIRE(home.register_provider());
  for (const auto* alias : {"acme", "ACME", "other"}) {
    CAPTURE(alias);
    const auto renamed = home.set_alias(id, alias);
    REQUIRE_FALSE(renamed);
    CHECK(renamed.error().code == ErrorCode::alias_taken);
    const auto asked = home.request({.provider = "other", .alias = alias});
    REQUIRE_FALSE(asked);
    CHECK(asked.error().code == ErrorCode::alias_taken);
  }
  for (const auto* alias : {"fresh", "Fresh"}) {
    CAPTURE(alias);
    REQUIRE(home.set_alias(id, alias));
    for (const auto& taken : {home.register_provider(provider_fields("fresh")),
                              home.edit_provider("acme", {{"name", "fresh"}})}) {
      REQUIRE_FALSE(taken);
      CHECK(taken.error().code == ErrorCode::name_taken);
      CHECK(taken.error().hint == "rename that one: nexus alias " + id + " NAME");
    }
  }
  CHECK(home.provider_names() == std::vector<std::string>{"acme", "other"});
  // One that has its name already can be changed, and a name that is given up is free.
  CHECK(home.edit_provider("acme", {{"description", "changed"}}));
  REQUIRE(home.set_alias(id, "later"));
  CHECK(home.register_provider(provider_fields("fresh")));
  const auto last = home.active_connection({.provider = "acme"});
  REQUIRE(home.remove_provider("acme"));
  CHECK_FALSE(home.set_alias(id, "acme"));  // the connection goes on, by that name
  REQUIRE(home.disconnect(last));
  CHECK(home.set_alias(id, "acme"));
}

TEST_CASE("an alias from before that is a provider's name, too, stands for neither",
          "[connections]") {
  TestHome home;
  const auto aliased = home.active_connection({.provider = "other"});
  REQUIRE(home.register_provider());
  call_as_before(home, aliased, "acme");
  const auto alone = home.find("acme");
  REQUIRE_FALSE(alone);
  CHECK(alone.error().code == ErrorCode::connection_ambiguous);
  const auto own = home.active_connection();
  const auto both = home.find("acme");
  REQUIRE_FALSE(both);
  CHECK(both.error().code == ErrorCode::connection_ambiguous);
  for (const auto& id : {aliased, own})
    CHECK(both.error().hint.find("\n  " + id) != std::string::npos);
  CHECK(both.error().hint.find("nexus alias " + aliased + " NAME") != std::string::npos);
  CHECK(home.find(aliased)->id == aliased);
  // Who may see one of them alone has that one, and is told nothing of the other.
  CHECK(home.find("acme", TestHome::caller_who_may_read({"provider:acme"}))->id == own);
  REQUIRE(home.disconnect(own));
  const auto hidden = home.find("acme", TestHome::caller_who_may_read({"provider:acme"}));
  REQUIRE_FALSE(hidden);
  CHECK(hidden.error().hint.find(aliased) == std::string::npos);
  CHECK(hidden.error().wire() == std::string("connection_not_found"));
  CHECK(home.set_alias(aliased, "work"));
  CHECK(home.find("acme").error().code == ErrorCode::connection_not_found);
}

TEST_CASE("an alias from before that is the name of its own provider stands for its connection",
          "[connections]") {
  TestHome home;
  const auto id = home.active_connection();
  call_as_before(home, id, "acme");
  CHECK(home.find("acme")->id == id);
  home.active_connection();
  CHECK(home.find("acme").error().code == ErrorCode::connection_ambiguous);
}

TEST_CASE("a provider's name that stands for several connections says which", "[connections]") {
  TestHome home;
  const auto first = home.active_connection({.alias = "one"});
  const auto second = home.active_connection();
  const auto found = home.find("acme");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::connection_ambiguous);
  CHECK(found.error().message == "acme stands for 2 connections");
  CHECK(found.error().hint.find("\n  one  " + first) != std::string::npos);
  CHECK(found.error().hint.find("\n  " + second) != std::string::npos);
  CHECK(found.error().hint.find("nexus alias " + second + " NAME") != std::string::npos);
  // Those that ended, or that wait, do not count.
  REQUIRE(home.disconnect(first));
  REQUIRE(home.request());
  CHECK(home.find("acme")->id == second);
}

TEST_CASE("where one is active, those that need a person do not make a name ambiguous",
          "[connections]") {
  TestHome home;
  const auto broken = home.active_connection();
  home.provider().answers(answers::oauth_error(400, "invalid_grant"));
  REQUIRE_FALSE(home.refresh(broken));
  CHECK(home.find("acme")->id == broken);
  const auto well = home.active_connection();
  CHECK(home.find("acme")->id == well);
}

TEST_CASE("what a caller may not see does not exist for it", "[connections]") {
  TestHome home;
  const auto acme = home.active_connection({.alias = "mine"});
  const auto other = home.active_connection({.provider = "other"});
  const auto caller = TestHome::caller_who_may_read({"provider:other"});
  CHECK(home.find(other, caller)->id == other);
  CHECK(home.list(caller) == std::vector<std::string>{other});
  for (const auto& reference : {acme, std::string("mine")}) {
    const auto hidden = home.find(reference, caller);
    REQUIRE_FALSE(hidden);
    CHECK(hidden.error().code == ErrorCode::connection_out_of_scope);
    CHECK(hidden.error().message == "there is no connection " + reference);
    CHECK(hidden.error().connection_id.empty());
  }
  CHECK(home.find("acme", caller).error().code == ErrorCode::connection_not_found);
  // A name is not ambiguous for who may see one of the two.
  const auto second = home.active_connection();
  CHECK(home.find("acme", TestHome::caller_who_may_read({second}))->id == second);
}

TEST_CASE("an alias is easy to type and is no id", "[connections]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& alias : {std::string("a"), std::string("Work.2_x@y-z"), std::string(64, 'a')})
    CHECK(home.set_alias(id, alias));
  for (const auto& alias :
       {std::string(), std::string("-x"), std::string("conn_x"), std::string("a b"),
        std::string("a/b"), std::string("ä"), std::string("a\n"), std::string(65, 'a')}) {
    CAPTURE(alias);
    CHECK(home.set_alias(id, alias).error().code == ErrorCode::invalid_field);
    CHECK(home.request({.alias = alias.empty() ? " " : alias}).error().code ==
          ErrorCode::invalid_field);
  }
  CHECK(home.connection(id).alias == std::string(64, 'a'));
}

TEST_CASE("an alias is taken until its connection ends", "[connections]") {
  TestHome home;
  const auto first = home.active_connection({.alias = "mine"});
  const auto second = home.active_connection();
  CHECK(home.set_alias(second, "mine").error().code == ErrorCode::alias_taken);
  CHECK(home.request({.alias = "mine"}).error().code == ErrorCode::alias_taken);
  REQUIRE(home.disconnect(first));
  CHECK(home.set_alias(second, "mine"));
  CHECK(home.find("mine")->id == second);
  CHECK(home.set_alias(first, "other").error().code == ErrorCode::connection_not_found);
}

TEST_CASE("a name that somebody else gave a connection stands for nothing", "[connections][macs]") {
  TestHome home;
  const auto mine = home.active_connection({.alias = "mine"});
  const auto payments = home.active_connection({.alias = "payments"});
  sqlite::Database(home.directory() + "/nexus.db", sqlite::Database::Mode::read_write)
      .execute("UPDATE connections SET alias = '' WHERE id = '" + payments +
               "'; UPDATE connections SET alias = 'payments' WHERE id = '" + mine + "'");
  for (const char* name : {"payments", "acme"}) {
    const auto found = home.find(name);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::connection_failed);
    CHECK(found.error().message.find("altered by something else") != std::string::npos);
  }
  CHECK(home.find(mine)->id == mine);  // to be taken away
}
