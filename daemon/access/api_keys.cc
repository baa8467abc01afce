#include "daemon/access/api_keys.h"

#include <algorithm>

#include "common/json.h"
#include "common/suggestion.h"
#include "common/text.h"
#include "daemon/access/key_text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"

namespace nexus {
namespace {

/// Seconds between two writes of when a key was used: a request is not to wait for a disk, and a
/// restart forgets a few minutes at most.
constexpr UnixTime kUseSavedEvery = 300;

Result<void> check_name(const std::string& name) {
  if (name.empty() || name.size() > 64 || printable(name, 65) != name ||
      name.find_first_of(" /?#%\"'") != std::string::npos)
    return Error{ErrorCode::invalid_field,
                 "a key's name is a word of at most 64 characters, "
                 "without / ? # % and quotes",
                 "for example: nexus key create --name ci"};
  return {};
}

Error not_ours_to_revoke(const EnvironmentKeys::Key& key) {
  return {ErrorCode::environment_key,
          "the key " + key.name + " comes from nexusd's environment, by " + key.variable,
          "take it out of there and restart nexusd; with gateway.environment_keys = false in "
          "nexus.toml none counts"};
}

}  // namespace

ApiKeys::ApiKeys(Store& store, const Vault& vault, Audit& audit, Due& due, WorkerPool& workers,
                 Clock clock, Clock wall_clock, bool environment_keys)
    : store_(store),
      vault_(vault),
      audit_(audit),
      due_(due),
      workers_(workers),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)),
      environment_(
          environment_keys, [&vault](std::string_view key) { return vault.hash_api_key(key); },
          workers) {}

Result<std::vector<ApiKeyRow>> ApiKeys::all() {
  std::vector<ApiKeyRow> keys;
  for (NamePage page;;) {
    NEXUS_TRY(auto some, store_.api_keys(page));
    const bool last = some.size() < static_cast<std::size_t>(page.limit);
    for (auto& key : some) keys.push_back(std::move(key));
    if (last) return keys;
    page.after = keys.back().name;
  }
}

Result<void> ApiKeys::load() {
  NEXUS_CHECK(environment_.load());
  NEXUS_TRY(const auto rows, all());
  const std::lock_guard lock(mutex_);
  for (const auto& row : rows) {
    auto access = access_from_text(row.access);
    if (!access) {  // it opens nothing; the others do
      log(LogLevel::error, "api_key_damaged",
          {{"key", row.name},
           {"error", row.access.empty() ? "its record was altered by something else than nexusd"
                                        : access.error().message}});
      continue;
    }
    auto shared = std::make_shared<const Access>(*std::move(access));
    keys_[row.id] = {row.hash, std::move(shared), row.expires_at, {}, row.last_used_at};
    if (row.expires_at) due_.expect(Due::What::key_expiry, *row.expires_at);
  }
  return {};
}

Result<ApiKeys::Issued> ApiKeys::create(const std::string& name, const Access& access,
                                        std::optional<UnixTime> expires_at, const Caller& caller) {
  NEXUS_CHECK(check_name(name));
  if (expires_at && *expires_at <= clock_())
    return Error{ErrorCode::invalid_field, "the key would have expired already",
                 "give a time to come, for example --expires 90d"};
  {
    // A name or an id revokes a key: what is one key's id is no other's name.
    const std::lock_guard lock(mutex_);
    if (keys_.contains(name))
      return Error{ErrorCode::key_exists, name + " is the id of another key",
                   "choose another name"};
  }
  Issued issued{Secret(new_key(kPrefix)), {}};
  const auto text = issued.key.expose();
  issued.row = {id_in_key(kPrefix, text), name,          vault_.hash_api_key(text),
                to_text(access),          wall_clock_(), expires_at};
  NEXUS_CHECK(audit_.commit(
      {.event = AuditEvent::key_created, .detail = issued.row.id + " " + name}, caller));
  NEXUS_CHECK(store_.put_api_key(issued.row));
  {
    const std::lock_guard lock(mutex_);
    keys_[issued.row.id] = {issued.row.hash, std::make_shared<const Access>(access), expires_at};
  }
  if (expires_at) due_.expect(Due::What::key_expiry, *expires_at);
  return issued;
}

Result<ApiKeyRow> ApiKeys::revoke(const std::string& id_or_name, const Caller& caller) {
  NEXUS_TRY(const auto rows, all());
  for (const auto& row : rows) {
    if (row.id != id_or_name && row.name != id_or_name) continue;
    // First: whatever fails afterwards, it opens nothing any more.
    const auto ended = forget(row.id);
    NEXUS_CHECK(store_.delete_api_key(row.id));
    NEXUS_CHECK(audit_.commit({.event = AuditEvent::key_revoked,
                               .detail = row.id + " " + row.name + forwards_ended(ended)},
                              caller));
    return row;
  }
  for (const auto& key : environment_.list())
    if (key.name == id_or_name || key.variable == id_or_name) return not_ours_to_revoke(key);
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  const auto meant = suggestion(id_or_name, names);
  return Error{
      ErrorCode::key_not_found, "there is no key " + printable(id_or_name, 80),
      meant ? "did you mean " + *meant + "? (see: nexus key list)" : "see: nexus key list"};
}

/// How many requests that were sent on with it have ended so.
std::size_t ApiKeys::forget(const std::string& id) {
  std::shared_ptr<Permit> permit;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = keys_.extract(id)) permit = known.mapped().permit;
  }
  return permit ? permit->withdraw({ErrorCode::invalid_api_key, "the API key was revoked",
                                    "make a new one: nexus key create --name NAME --use all"})
                : 0;
}

void ApiKeys::sweep() {
  std::vector<std::shared_ptr<Permit>> expired;
  std::optional<UnixTime> next;
  {
    const auto now = clock_();
    const std::lock_guard lock(mutex_);
    for (auto& [id, key] : keys_) {
      if (!key.expires_at) continue;
      if (*key.expires_at <= now)
        expired.push_back(key.permit);
      else
        next = std::min(next.value_or(*key.expires_at), *key.expires_at);
    }
  }
  for (const auto& permit : expired)
    permit->withdraw({ErrorCode::invalid_api_key, "the API key has expired",
                      "make a new one: nexus key create --name NAME --use all"});
  if (next) due_.expect(Due::What::key_expiry, *next);
}

Result<std::vector<ApiKeys::Listed>> ApiKeys::list(const NamePage& page) {
  NEXUS_TRY(auto rows, store_.api_keys(page));
  std::vector<Listed> keys;
  {
    const std::lock_guard lock(mutex_);
    for (auto& row : rows) {
      if (const auto known = keys_.find(row.id); known != keys_.end() && known->second.used_at)
        row.last_used_at = known->second.used_at;
      keys.push_back({std::move(row), {}});
    }
  }
  const auto access = to_text(*environment_.access());
  for (const auto& key : environment_.list())
    if (key.name > page.after)
      keys.push_back({{key.name, key.name, {}, access, 0, {}, key.used_at}, key.variable});
  std::sort(keys.begin(), keys.end(),
            [](const Listed& a, const Listed& b) { return a.row.name < b.row.name; });
  if (keys.size() > static_cast<std::size_t>(page.limit))
    keys.erase(keys.begin() + page.limit, keys.end());
  return keys;
}

void ApiKeys::note_use(const std::string& id, Entry& entry) {
  const auto now = wall_clock_();
  entry.used_at = now;
  // One that is to come was saved by a clock that has been corrected since.
  if (entry.saved_at && *entry.saved_at <= now && now - *entry.saved_at < kUseSavedEvery) return;
  entry.saved_at = now;
  workers_.submit([this, id, now] {
    if (const auto saved = store_.save_key_use(id, now); !saved)
      log(LogLevel::warn, "key_use_not_saved", {{"key", id}, {"error", saved.error().message}});
  });
}

Result<ApiKeys::Identity> ApiKeys::verify(std::string_view key) {
  const auto hash = vault_.hash_api_key(key);
  if (auto known = environment_.use(hash, wall_clock_()))
    return Identity{std::move(known->name), environment_.access(), std::move(known->permit)};
  const std::string none(hash.size(), '\0');
  const auto id = id_in_key(kPrefix, key);
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(id);
  const bool known = found != keys_.end();
  const bool same = equal_constant_time(hash, known ? found->second.hash : none);
  if (known && same && (!found->second.expires_at || *found->second.expires_at > clock_())) {
    note_use(id, found->second);
    return Identity{id, found->second.access, found->second.permit};
  }
  return Error{ErrorCode::invalid_api_key, "the API key is not valid",
               "check the key, or make a new one: nexus key create --name NAME --use all"};
}

}  // namespace nexus
