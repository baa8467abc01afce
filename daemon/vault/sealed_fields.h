#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/vault/sealed_field.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// The sealed fields of one provider or connection, as they are stored.
class SealedFields {
 public:
  SealedFields(const Vault& vault, const char* kind, std::string owner,
               std::vector<SealedField> stored = {})
      : vault_(&vault), kind_(kind), owner_(std::move(owner)), stored_(std::move(stored)) {}

  bool has(SecretField field) const { return find(field) != nullptr; }

  /// Of the stored value; 0 where there is none.
  std::int64_t generation(SecretField field) const {
    const auto* found = find(field);
    return found ? found->generation : 0;
  }

  /// The opened field; an empty Secret where there is none. Error: vault_unusable.
  Result<Secret> open(SecretField field) const {
    const auto* found = find(field);
    if (!found) return Secret();
    return vault_->open({kind_, owner_, word(field), found->generation}, found->sealed);
  }

  /// A new value for a field, to be stored: its generation is one more than the old one's.
  SealedField seal(SecretField field, std::string_view value) const {
    const auto* old = find(field);
    const auto generation = old ? old->generation + 1 : 1;
    return {owner_, field, generation,
            vault_->seal({kind_, owner_, word(field), generation}, value)};
  }

 private:
  const SealedField* find(SecretField field) const {
    for (const auto& stored : stored_)
      if (stored.field == field) return &stored;
    return nullptr;
  }

  const Vault* vault_;  ///< a pointer, so that these can be moved
  const char* kind_;
  std::string owner_;
  std::vector<SealedField> stored_;
};

inline constexpr const char* kProviderKind = "provider";
inline constexpr const char* kConnectionKind = "connection";

/// Connections' ids begin with conn_, providers' are UUIDs.
constexpr const char* kind_of_owner(std::string_view owner) {
  return owner.starts_with("conn_") ? kConnectionKind : kProviderKind;
}

}  // namespace nexus
