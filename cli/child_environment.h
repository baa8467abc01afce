#pragma once

#include <vector>

namespace nexus::cli {

/// A program that nexus starts, by what it is to know.
enum class ChildKind {
  nexusd,  ///< where its files are and the key of its vault; an API key is not for it to find here
  other,
};

/// Our environment without what is not the child's business, ended by a null pointer. It points
/// into `environ`.
std::vector<char*> environment_for(ChildKind child);

}  // namespace nexus::cli
