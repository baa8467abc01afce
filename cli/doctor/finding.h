#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"

namespace nexus::cli::doctor {

enum class State { ok, note, warning, failure };

/// "ok", "note", "warning", "failure"
const char* word(State state);

/// What was looked at and how it is and, where it is not ok, what to do about it: a command to run
/// or a setting to change.
struct Finding {
  State state = State::ok;
  std::string message;
  std::string hint{};
};
using Findings = std::vector<Finding>;

inline Finding ok(std::string message) {
  return {State::ok, std::move(message)};
}
inline Finding note(std::string message, std::string hint) {
  return {State::note, std::move(message), std::move(hint)};
}
inline Finding warning(std::string message, std::string hint) {
  return {State::warning, std::move(message), std::move(hint)};
}
inline Finding failure(std::string message, std::string hint) {
  return {State::failure, std::move(message), std::move(hint)};
}
inline Finding failure(const Error& error) {
  return failure(error.message, error.hint);
}
/// All of them, or the one that says that there is nothing to find fault with.
Findings or_ok(Findings faults, std::string message);

}  // namespace nexus::cli::doctor
