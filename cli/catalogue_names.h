#pragma once

#include <string>
#include <vector>

#include "common/error.h"

namespace nexus::cli {

/// Where the catalogue's entries are, those that count first: the person's own, then those that
/// came with Nexus.
std::vector<std::string> catalogue_directories();

/// Whether one of the directories has an entry of that name. Nothing is read.
bool has_entry(const std::vector<std::string>& directories, const std::string& name);

/// An answer about a connection. Where there is none of that reference, and the catalogue has a
/// provider of that name, the hint is to connect it.
Error or_connect(const std::string& reference, Error error);
template <class T>
Result<T> or_connect(const std::string& reference, Result<T> answer) {
  if (!answer) return or_connect(reference, std::move(answer).error());
  return answer;
}

}  // namespace nexus::cli
