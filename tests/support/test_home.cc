#include "tests/support/test_home.h"

#include <algorithm>
#include <stdexcept>

#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/vault/sealed_fields.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_daemon.h"
#include "tests/support/vault_writer.h"

namespace nexus::test {
namespace {

template <class T>
T good(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

std::string text_of(const Secret& secret) {
  return std::string(secret.expose());
}

TestHome::TokenResult view_of(Result<FetchedToken> fetched) {
  if (!fetched) return std::move(fetched).error();
  return TokenView{fetched->connection_id,     text_of(fetched->access_token),
                   text_of(fetched->id_token), fetched->facts.scopes,
                   fetched->facts.expires_at,  text_of(fetched->document)};
}

ConnectionView view_of(const ConnectionRow& row) {
  return {row.id,
          word(row.status),
          row.alias,
          row.token.scopes,
          row.error_code,
          row.error_message,
          row.token.expires_at,
          row.refresh_at,
          row.refresh_failures,
          row.refresh_sent != 0,
          row.created_at,
          row.updated_at,
          row.last_refresh_at};
}

Result<FlowEndView> view_of(Result<FlowOutcome> outcome) {
  if (!outcome) return std::move(outcome).error();
  return FlowEndView{outcome->active, outcome->denied, outcome->connection_id, outcome->message,
                     outcome->redirect_to};
}

ConnectionRequest request_for(const WantedConnection& wanted) {
  ConnectionRequest request;
  request.workspace = wanted.workspace;
  request.provider_name = wanted.provider;
  request.scopes = wanted.scopes;
  request.return_url = wanted.return_url;
  request.alias = wanted.alias;
  request.replaces = wanted.replaces;
  request.pasted = wanted.pasted;
  return request;
}

/// A parameter of an authorization request, "" where it has none of that name.
std::string parameter(const std::string& url, const std::string& name) {
  const auto parsed = parse_url(url, "the authorization request");
  if (!parsed) return {};
  for (const auto& [key, value] : parse_form(parsed->query).value_or(Fields()))
    if (key == name) return value;
  return {};
}

/// The files of a daemon that has done nothing yet, made once: that takes longer than most tests.
struct UntouchedFiles {
  TemporaryDirectory directory;
  UntouchedFiles() {
    World world;
    const TestDaemon daemon(world, directory.path(), 1, 0, false, {});
  }
};

Caller caller_with(const char* right, const std::vector<std::string>& what) {
  Caller caller;
  caller.via = Caller::Via::gateway;
  caller.access = std::make_shared<Access>(good(access_from_text(nexus::to_text({{right, what}}))));
  return caller;
}

}  // namespace

TestHome::TestHome(Options options) : TestHome(std::make_shared<World>(), options) {
  static const UntouchedFiles untouched;
  directory_->copy_from(untouched.directory);
  start();
}

TestHome::TestHome(std::shared_ptr<World> world, Options options)
    : options_(options),
      world_(std::move(world)),
      directory_(std::make_unique<TemporaryDirectory>()) {}

TestHome::~TestHome() = default;

void TestHome::start() {
  watch_vault_writers();
  daemon_ = std::make_unique<TestDaemon>(
      *world_, directory_->path(), options_.workers, options_.idle_after, options_.schedulers,
      MostPending{options_.most_pending, options_.most_pending_of_key});
  writer_ = last_vault_writer();
}

TestClock& TestHome::clock() {
  return world_->clock;
}
ScriptedProvider& TestHome::provider() {
  return world_->provider;
}
Store& TestHome::store() {
  return daemon_->store;
}
const std::string& TestHome::directory() const {
  return directory_->path();
}

void TestHome::reopen() {
  daemon_.reset();
  start();
}

std::unique_ptr<TestHome> TestHome::after_a_crash() {
  std::unique_ptr<TestHome> next(new TestHome(world_, options_));
  next->directory_->copy_from(*directory_);
  next->start();
  return next;
}

void TestHome::fill_disk(bool full) {
  const auto* sql = full ? "CREATE TEMP TRIGGER disk_is_full BEFORE INSERT ON main.credentials "
                           "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
                         : "DROP TRIGGER disk_is_full";
  write(sql);
}

void TestHome::write(const std::string& sql) {
  execute(writer_, sql);
}

ProviderView TestHome::view_of(const Provider& provider, const std::string& warning) {
  return {provider.id,
          provider.name,
          provider.client_id,
          provider.token_url,
          provider.description,
          daemon_->redirect_uris.of(provider),
          good(daemon_->providers.secret_fingerprint(provider)),
          warning};
}

Result<ProviderView> TestHome::register_provider(Json fields) {
  NEXUS_TRY(auto registration, read_registration(fields));
  NEXUS_TRY(const auto registered, daemon_->registry.add(std::move(registration), {}));
  return view_of(registered.provider, registered.warning);
}

Result<ProviderView> TestHome::edit_provider(const std::string& name, Json fields, bool whole) {
  NEXUS_TRY(const auto provider, daemon_->providers.by_name(name));
  NEXUS_TRY(const auto changed, daemon_->registry.change(provider.id, fields, whole, {}));
  return view_of(changed.provider, changed.warning);
}

Result<ProviderView> TestHome::find_provider(const std::string& name) {
  NEXUS_TRY(const auto provider, daemon_->providers.by_name(name));
  return view_of(provider, "");
}

std::vector<std::string> TestHome::provider_names() {
  std::vector<std::string> names;
  for (const auto& provider : good(daemon_->providers.all())) names.push_back(provider.name);
  return names;
}

Result<void> TestHome::remove_provider(const std::string& name) {
  NEXUS_TRY(const auto provider, daemon_->providers.by_name(name));
  return daemon_->registry.remove(provider, {});
}

std::optional<HealthView> TestHome::health_of(const std::string& name) {
  const auto health = daemon_->providers.health(good(daemon_->providers.by_name(name)).id);
  if (!health) return std::nullopt;
  return HealthView{health->healthy, health->checked_at, health->message};
}

std::string TestHome::active_connection(const WantedConnection& wanted) {
  if (!find_provider(wanted.provider)) good(register_provider(provider_fields(wanted.provider)));
  const auto pending = good(request(wanted));
  if (pending.status == "active") return pending.id;
  const auto end = good(consent(pending));
  if (!end.active) throw std::runtime_error(end.message);
  return pending.id;
}

Result<PendingView> TestHome::request(const WantedConnection& wanted) {
  NEXUS_TRY(const auto started, daemon_->requests.begin(request_for(wanted), wanted.caller));
  return PendingView{started.connection_id, started.auth_url,
                     started.state,         parameter(started.auth_url, "redirect_uri"),
                     started.expires_at,    word(started.status)};
}

Result<FlowEndView> TestHome::answer(const std::string& redirect_uri, const Fields& query) {
  return nexus::test::view_of(daemon_->code_flow.complete(redirect_uri, query, {}));
}

Result<FlowEndView> TestHome::consent(const PendingView& pending) {
  const auto code = server().consent(parameter(pending.url, "nonce"));
  return answer(pending.redirect_uri, {{"code", code}, {"state", pending.state}});
}

Result<ConnectionView> TestHome::adopt(const std::string& refresh_token,
                                       const WantedConnection& wanted) {
  NEXUS_TRY(const auto row,
            daemon_->requests.adopt(request_for(wanted), Secret(refresh_token), {}));
  return nexus::test::view_of(row);
}

Result<FlowEndView> TestHome::capture(const PendingView& pending, Json credentials) {
  NEXUS_TRY(auto captured, daemon_->captures.complete(pending.state, credentials, {}));
  return nexus::test::view_of(Result<FlowOutcome>(std::move(captured.outcome)));
}

void TestHome::sweep_flows() {
  daemon_->flows.sweep();
}

std::vector<std::string> TestHome::listened_on() {
  return daemon_->listener.listened_on();
}

void TestHome::take_port() {
  daemon_->listener.take_port();
}

ConnectionView TestHome::connection(const std::string& id) {
  const auto row = good(daemon_->store.connection(id));
  if (!row) throw std::runtime_error("there is no connection " + id);
  return nexus::test::view_of(*row);
}

Result<ConnectionView> TestHome::find(const std::string& reference, const Caller& caller,
                                      const std::string& workspace) {
  NEXUS_TRY(const auto row, daemon_->connections.find(reference, workspace, caller, Right::read));
  return nexus::test::view_of(row);
}

std::vector<std::string> TestHome::list(const Caller& caller) {
  std::vector<std::string> ids;
  for (const auto& row :
       good(daemon_->connections.list({.pending = false, .limit = 100}, caller)).connections)
    ids.push_back(row.id);
  return ids;
}

std::string TestHome::status_shown(const std::string& id) {
  const auto row = good(daemon_->store.connection(id));
  return row ? word(daemon_->connections.describe(*row).status) : "";
}

Result<void> TestHome::set_alias(const std::string& id, const std::string& alias) {
  NEXUS_TRY(const auto row, daemon_->connections.find(id, "default", {}, Right::use));
  return daemon_->connections.set_alias(row, alias, {});
}

Result<DisconnectView> TestHome::disconnect(const std::string& id, bool keep_grant) {
  NEXUS_TRY(const auto row, daemon_->connections.find(id, "default", {}, Right::use));
  NEXUS_TRY(const auto report, daemon_->connections.revoke(row, keep_grant, "", {}));
  return DisconnectView{report.already_revoked, report.provider_revoked,
                        report.provider_revocation_pending};
}

Result<std::string> TestHome::export_bundle(const std::vector<std::string>& ids,
                                            const std::string& public_key, bool move) {
  BundleOrder order{.public_key = public_key, .passphrase = {}, .move = move};
  for (const auto& id : ids) {
    NEXUS_TRY(auto row, daemon_->connections.find(id, "default", {}, Right::use));
    order.connections.push_back(std::move(row));
  }
  return daemon_->bundle_exporter.make(order, {});
}

Result<std::string> TestHome::export_with_passphrase(const std::string& id,
                                                     const std::string& passphrase, bool move) {
  NEXUS_TRY(auto row, daemon_->connections.find(id, "default", {}, Right::use));
  return daemon_->bundle_exporter.make({.connections = {std::move(row)},
                                        .public_key = {},
                                        .passphrase = Secret(passphrase),
                                        .move = move},
                                       {});
}

Result<std::vector<std::string>> TestHome::import_bundle(const std::string& bundle,
                                                         const std::string& private_key,
                                                         bool replace) {
  NEXUS_TRY(const auto taken,
            daemon_->bundle_importer.take_in(bundle, {Secret(private_key), {}}, replace, {}));
  std::vector<std::string> ids;
  for (const auto& row : taken.connections) ids.push_back(row.id);
  return ids;
}

Result<void> TestHome::take_back(const std::string& id) {
  NEXUS_TRY(const auto row, daemon_->connections.find(id, "default", {}, Right::use));
  return daemon_->moves.take_back(row, {});
}

std::string TestHome::stored(const std::string& connection_id, const std::string& field) {
  auto record = good(daemon_->store.connection_record(connection_id));
  if (!record) return {};
  const SealedFields fields(daemon_->vault, kConnectionKind, connection_id,
                            std::move(record->fields));
  return text_of(good(fields.open(from_word<SecretField>(field).value())));
}

void TestHome::token_then(const std::string& id, std::function<void(TokenResult)> done,
                          const WantedToken& wanted) {
  daemon_->tokens.fetch(id, wanted.min_ttl, wanted.caller,
                        [this, done = std::move(done)](Result<FetchedToken> fetched) {
                          done(nexus::test::view_of(std::move(fetched)));
                          world_->events.happened();
                        });
}

std::future<TestHome::TokenResult> TestHome::token_later(const std::string& id,
                                                         const WantedToken& wanted) {
  auto promise = std::make_shared<std::promise<TokenResult>>();
  token_then(
      id, [promise](TokenResult result) { promise->set_value(std::move(result)); }, wanted);
  return promise->get_future();
}

TestHome::TokenResult TestHome::token(const std::string& id, const WantedToken& wanted) {
  return arrived(token_later(id, wanted));
}

std::future<TestHome::TokenResult> TestHome::refresh_later(const std::string& id) {
  auto promise = std::make_shared<std::promise<TokenResult>>();
  daemon_->tokens.refresh(id, {}, [this, promise](Result<FetchedToken> fetched) {
    promise->set_value(nexus::test::view_of(std::move(fetched)));
    world_->events.happened();
  });
  return promise->get_future();
}

TestHome::TokenResult TestHome::refresh(const std::string& id) {
  return arrived(refresh_later(id));
}

TestHome::TokenResult TestHome::replace_refused(const std::string& id,
                                                const std::string& access_token) {
  auto promise = std::make_shared<std::promise<TokenResult>>();
  daemon_->tokens.replace_refused(id, hex(sha256(access_token)), {},
                                  [promise](Result<FetchedToken> fetched) {
                                    promise->set_value(nexus::test::view_of(std::move(fetched)));
                                  });
  return arrived(promise->get_future());
}

TestHome::TokenResult TestHome::downscoped_token(const std::string& id, const std::string& scopes,
                                                 const std::string& audience, bool forced) {
  auto promise = std::make_shared<std::promise<TokenResult>>();
  daemon_->tokens.fetch_downscoped(id, {scopes, audience}, 0, forced, {},
                                   [promise](Result<FetchedToken> fetched) {
                                     promise->set_value(nexus::test::view_of(std::move(fetched)));
                                   });
  return arrived(promise->get_future());
}

std::size_t TestHome::refresh_due() {
  const auto due = good(daemon_->store.due_refreshes(world_->clock.now(), 1000));
  std::vector<std::future<void>> outcomes;
  for (const auto& id : due) {
    auto landed = std::make_shared<std::promise<void>>();
    outcomes.push_back(landed->get_future());
    daemon_->refresher.join(
        id, {.background = true, .done = [landed](const Result<void>&) { landed->set_value(); }});
  }
  for (auto& outcome : outcomes) arrived(std::move(outcome));
  return due.size();
}

void TestHome::revoke_due() {
  for (const auto& row : good(daemon_->store.due_revocations(world_->clock.now(), 1000)))
    daemon_->revocations.attempt(row.connection_id, Revocations::Told::to_nobody);
}

void TestHome::ring() {
  daemon_->background->ring();
}

bool TestHome::eventually(const std::function<bool()>& comes_true) {
  return world_->events.eventually(comes_true);
}

std::vector<std::string> TestHome::audit() {
  std::vector<std::string> events;
  for (const auto& entry : good(daemon_->audit.find({.limit = 10'000})))
    events.push_back(text_member(Json::parse(entry.record), "event").value_or(""));
  std::reverse(events.begin(), events.end());
  return events;
}

std::size_t TestHome::audited(const std::string& event) {
  const auto events = audit();
  return static_cast<std::size_t>(std::count(events.begin(), events.end(), event));
}

std::vector<std::string> TestHome::told_of_attention() {
  return daemon_->told_of_attention();
}

Caller TestHome::caller_who_may_use(const std::vector<std::string>& what) {
  return caller_with("use", what);
}

Caller TestHome::caller_who_may_read(const std::vector<std::string>& what) {
  return caller_with("read", what);
}

std::string expired_connection(TestHome& home) {
  auto id = home.active_connection();
  home.clock().advance(3600);
  return id;
}

std::string sent(TestHome& home, std::size_t number) {
  return home.provider().refreshes().at(number)["refresh_token"];
}

}  // namespace nexus::test
