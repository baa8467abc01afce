#include "daemon/log.h"

#include <unistd.h>

#include <atomic>

#include "common/clock.h"
#include "common/own_keys.h"
#include "common/rfc3339.h"

namespace nexus {
namespace {

std::atomic<LogLevel> threshold{LogLevel::info};
constexpr std::string_view kNames[] = {"error", "warn", "info", "debug"};

void append_value(std::string& line, std::string_view value) {
  const auto clean = printable_without_keys(value, 400);
  if (!clean.empty() && clean.find_first_of(" \"=\\") == std::string::npos) {
    line += clean;
    return;
  }
  line += '"';
  for (const char c : clean) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

}  // namespace

void set_log_level(std::string_view name) {
  for (int i = 0; i < 4; ++i)
    if (kNames[i] == name) threshold = static_cast<LogLevel>(i);
}

void log(LogLevel level, std::string_view event,
         std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  if (level > threshold.load(std::memory_order_relaxed)) return;
  std::string line = rfc3339(system_now());
  line.append(" ").append(kNames[static_cast<int>(level)]).append(" ").append(event);
  for (const auto& [key, value] : fields) {
    line.append(" ").append(key).append("=");
    append_value(line, value);
  }
  line += '\n';
  // One write a line: lines of several threads never mix.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace nexus
