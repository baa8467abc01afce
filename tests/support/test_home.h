#pragma once

#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "daemon/caller.h"
#include "daemon/store/store.h"
#include "tests/support/provider_fields.h"
#include "tests/support/scripted_provider.h"
#include "tests/support/test_clock.h"
#include "tests/support/views.h"

struct sqlite3;

namespace nexus {
struct Provider;
}

namespace nexus::test {

class TemporaryDirectory;
class TestDaemon;
struct World;

/// What a test asks for where the usual does not do.
struct WantedConnection {
  std::string provider = "acme";
  std::string workspace = "default";
  std::string alias{};
  std::string replaces{};
  std::string return_url{};
  std::vector<std::string> scopes{};
  bool pasted = false;
  Caller caller{};
};

struct WantedToken {
  UnixTime min_ttl = 0;
  Caller caller{};
};

struct TestHomeOptions {
  std::size_t workers = 64;
  UnixTime idle_after = 0;        ///< seconds; 0: connections that nobody uses are kept fresh, too
  std::int64_t most_pending = 0;  ///< connections that may wait, 0 for no limit
  std::int64_t most_pending_of_key = 0;  ///< of each API key
  bool schedulers = false;  ///< with an event loop: what is due is done when `ring` is called
};

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A daemon's inside on a directory of its own, with a clock to turn and providers that answer as
/// they are told: everything between the HTTP listener and HttpClient. Tests of services talk to
/// this and to the Store alone; how the services are made only TestDaemon knows.
class TestHome {
 public:
  using Options = TestHomeOptions;
  explicit TestHome(Options options = {});
  ~TestHome();
  TestHome(const TestHome&) = delete;
  TestHome& operator=(const TestHome&) = delete;

  TestClock& clock();
  ScriptedProvider& provider();
  AuthorizationServer& server() { return provider().server(); }
  Store& store();
  const std::string& directory() const;

  /// Ends this daemon in good order and starts the next one.
  void reopen();
  /// What a daemon finds that starts after this one was killed at this very moment. Also for
  /// `on_the_way`: nothing else may be writing.
  std::unique_ptr<TestHome> after_a_crash();
  /// From now on no secret can be stored, as on a full disk; `false`: it has room again.
  void fill_disk(bool full = true);
  /// Writes as the daemon itself would, with the codes of its rows.
  void write(const std::string& sql);

  // Providers: see provider_fields.h.

  Result<ProviderView> register_provider(nlohmann::json fields = provider_fields());
  Result<ProviderView> edit_provider(const std::string& name, nlohmann::json fields,
                                     bool whole = false);
  Result<ProviderView> find_provider(const std::string& name);
  std::vector<std::string> provider_names();
  Result<void> remove_provider(const std::string& name);
  std::optional<HealthView> health_of(const std::string& name);

  // Connections.

  /// Consented to and active; its provider is registered if need be.
  std::string active_connection(const WantedConnection& wanted = {});
  Result<PendingView> request(const WantedConnection& wanted = {});
  /// The provider's answer to a consent comes to the redirect URI.
  Result<FlowEndView> answer(const std::string& redirect_uri, const Fields& query);
  /// The person consents and is sent back.
  Result<FlowEndView> consent(const PendingView& pending);
  Result<ConnectionView> adopt(const std::string& refresh_token,
                               const WantedConnection& wanted = {});
  Result<FlowEndView> capture(const PendingView& pending, nlohmann::json credentials);
  void sweep_flows();
  /// Redirect URIs that are listened on.
  std::vector<std::string> listened_on();
  /// Somebody else listens on the port of redirect URIs.
  void take_port();

  ConnectionView connection(const std::string& id);
  Result<ConnectionView> find(const std::string& reference, const Caller& caller = {},
                              const std::string& workspace = "default");
  std::vector<std::string> list(const Caller& caller = {});
  /// As the API and the CLI tell it.
  std::string status_shown(const std::string& id);
  Result<void> set_alias(const std::string& id, const std::string& alias);
  Result<DisconnectView> disconnect(const std::string& id, bool keep_grant = false);
  /// A bundle of these, sealed for the public key.
  Result<std::string> export_bundle(const std::vector<std::string>& ids,
                                    const std::string& public_key, bool move = false);
  Result<std::string> export_with_passphrase(const std::string& id, const std::string& passphrase,
                                             bool move);
  /// The ids of the connections that it had.
  Result<std::vector<std::string>> import_bundle(const std::string& bundle,
                                                 const std::string& private_key,
                                                 bool replace = false);
  Result<void> take_back(const std::string& id);
  /// The stored secret, "" where there is none.
  std::string stored(const std::string& connection_id, const std::string& field);

  // Tokens. Those without `_later` wait for the outcome.

  using TokenResult = Result<TokenView>;
  TokenResult token(const std::string& id, const WantedToken& wanted = {});
  std::future<TokenResult> token_later(const std::string& id, const WantedToken& wanted = {});
  /// `done` is called as the service calls it: at the moment when a caller is told.
  void token_then(const std::string& id, std::function<void(TokenResult)> done,
                  const WantedToken& wanted = {});
  TokenResult refresh(const std::string& id);
  std::future<TokenResult> refresh_later(const std::string& id);
  /// An API refused this access token.
  TokenResult replace_refused(const std::string& id, const std::string& access_token);
  TokenResult downscoped_token(const std::string& id, const std::string& scopes,
                               const std::string& audience = {}, bool forced = false);
  /// Refreshes what is due, as the background does, and waits for it; how many there were.
  std::size_t refresh_due();
  /// Asks providers again to forget what is due to be forgotten.
  void revoke_due();
  /// The schedulers' timers run down now.
  void ring();

  /// Looks again whenever something has happened; false when it does not come true.
  bool eventually(const std::function<bool()>& comes_true);
  /// The events on record, oldest first.
  std::vector<std::string> audit();
  std::size_t audited(const std::string& event);
  /// Connections that a person was told about, with the cause.
  std::vector<std::string> told_of_attention();

  /// Whoever shows an API key that may use these ("all", "provider:NAME", …).
  static Caller caller_who_may_use(const std::vector<std::string>& what);
  static Caller caller_who_may_read(const std::vector<std::string>& what);

 private:
  TestHome(std::shared_ptr<World> world, Options options);
  void start();
  ProviderView view_of(const Provider& provider, const std::string& warning);

  Options options_;
  std::shared_ptr<World> world_;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::unique_ptr<TestDaemon> daemon_;
  sqlite3* writer_ = nullptr;  ///< the daemon's, to the vault
};

/// A connection whose access token has just expired.
std::string expired_connection(TestHome& home);
/// The refresh token that was sent with the provider's `number`th refresh, from 0.
std::string sent(TestHome& home, std::size_t number);

}  // namespace nexus::test
