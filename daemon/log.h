#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace nexus {

enum class LogLevel { error, warn, info, debug };

/// Sets what is written; `name` is one of the words of daemon.log_level.
void set_log_level(std::string_view name);

/// One line on stderr: time, level, event and `key=value` pairs. Values are cleaned and quoted, so
/// nothing from outside can forge a line. Secrets have no way in: a Secret does not convert.
void log(LogLevel level, std::string_view event,
         std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {});

}  // namespace nexus
