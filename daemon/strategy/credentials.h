#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// The captured fields of a static credential, by their names in its schema. Numbers and truth
/// values are kept as the text that they have in JSON.
using Credentials = std::map<std::string, Secret>;

/// "" where there is no such field.
inline std::string_view credential(const Credentials& credentials, const std::string& name) {
  const auto found = credentials.find(name);
  return found == credentials.end() ? std::string_view() : found->second.expose();
}

}  // namespace nexus
