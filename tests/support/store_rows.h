#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/store/store.h"

namespace nexus::test {

// Rows as a test of a store needs them: valid, and told apart by their ids.

inline constexpr auto kPending = ConnectionStatus::pending;
inline constexpr auto kActive = ConnectionStatus::active;
inline constexpr auto kAttention = ConnectionStatus::attention_required;
inline constexpr auto kMoving = ConnectionStatus::moving;
inline constexpr auto kFailed = ConnectionStatus::failed;
inline constexpr auto kRevoked = ConnectionStatus::revoked;

inline constexpr UnixTime kNow = 1'800'000'000;

ProviderWrite provider_write(const std::string& id, const std::string& name);
ConnectionRow connection_row(const std::string& id, const std::string& alias = {});
FlowRow flow_row(const ConnectionRow& connection);
SealedField sealed(const std::string& owner, const std::string& field,
                   const std::string& text = "sealed", std::int64_t generation = 1);

// What has to go well before a test can begin: these throw.

/// The provider "p-acme" named acme, that connection_row belongs to.
void put_provider(Store& store, const std::string& id = "p-acme", const std::string& name = "acme");
ConnectionRow begin(Store& store, const ConnectionRow& row,
                    const std::vector<SealedField>& fields = {});
/// Begun and active, with an access and a refresh token.
ConnectionRow make_active(Store& store, ConnectionRow row,
                          std::optional<UnixTime> refresh_at = std::nullopt);

/// What a test looks at afterwards: these throw, too.

ConnectionRow stored_row(Store& store, const std::string& id);
ConnectionStatus status_of(Store& store, const std::string& id);
/// Where a connection's tokens go.
inline constexpr const char* kPinned = R"({"token":"https://acme.example/token"})";

/// What is stored sealed, of a connection or of a provider.
std::vector<SealedField> fields_of(Store& store, const std::string& owner);
/// The stored fields' names, sorted.
std::vector<std::string> field_names(Store& store, const std::string& owner);
/// The sealed text of one of them, "" where there is none.
std::string sealed_text(Store& store, const std::string& owner, const std::string& field);

}  // namespace nexus::test
