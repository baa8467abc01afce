#pragma once

namespace nexus {

inline constexpr const char* kVersion = NEXUS_VERSION;

}  // namespace nexus
