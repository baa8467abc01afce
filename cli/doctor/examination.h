#pragma once

#include <functional>
#include <memory>

#include "cli/doctor/checks.h"

namespace nexus::cli::doctor {

using Tell = std::function<void(const Check& check, const Findings& findings)>;
using TellWaiting = std::function<void(const Check& check)>;

/// Runs all checks side by side and tells what each finds, in their order; one that has not ended
/// when its time is over has failed. `waiting` is told of one that takes a moment. Returns within
/// some seconds, whatever hangs.
void examine(const std::shared_ptr<const Scene>& scene, const Tell& tell,
             const TellWaiting& waiting);

}  // namespace nexus::cli::doctor
