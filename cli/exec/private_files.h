#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/exec/held_directory.h"
#include "common/error.h"

namespace nexus::cli {

/// Files for the life of a program: readable by this user alone, in a directory of their own
/// (memory where the system has such a place for the user), gone with this. Where a kill left some
/// behind, the next ones to be made take them away.
class PrivateFiles {
 public:
  PrivateFiles() = default;
  ~PrivateFiles() { static_cast<void>(remove()); }
  PrivateFiles(const PrivateFiles&) = delete;
  PrivateFiles& operator=(const PrivateFiles&) = delete;

  /// Where one of that name is to be. Error: failure.
  Result<std::string> path_of(const std::string& name);
  /// Makes it there, anew. Error: failure.
  Result<void> add(const std::string& path, std::string_view content);
  /// With what the program has put beside them. Error: failure, naming what is left.
  Result<void> remove();

 private:
  std::optional<HeldDirectory> directory_;  ///< from the first file on
};

}  // namespace nexus::cli
