#include "common/config.h"

#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

// Errors as values: the programs have no use for toml++'s exceptions.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "common/paths.h"
#include "common/text.h"

namespace nexus {
namespace {

std::map<std::string, std::string Config::*> text_settings() {
  return {{"workspace", &Config::workspace},
          {"daemon.data_dir", &Config::data_dir},
          {"daemon.socket", &Config::socket},
          {"daemon.log_level", &Config::log_level},
          {"callback.base_url", &Config::callback_base_url},
          {"callback.path", &Config::callback_path},
          {"network.proxy", &Config::proxy},
          {"network.ca_file", &Config::ca_file}};
}

Error at_line(const std::string& file, const toml::source_region& where, const std::string& what) {
  return {ErrorCode::usage, file + ":" + std::to_string(where.begin.line) + ": " + what,
          "correct the file; nexusd(8) lists the settings"};
}

Result<void> apply(const toml::table& table, const std::string& prefix, Config& config) {
  static const auto settings = text_settings();
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (const auto* section = node.as_table();
        section && prefix.empty() &&
        (name == "daemon" || name == "callback" || name == "network")) {
      NEXUS_CHECK(apply(*section, name + ".", config));
      continue;
    }
    const auto setting = settings.find(name);
    if (setting == settings.end())
      return at_line(config.file, key.source(), "unknown setting '" + printable(name, 80) + "'");
    const auto value = node.value_exact<std::string>();
    if (!value) return at_line(config.file, node.source(), "'" + name + "' has to be a text");
    config.*setting->second = *value;
  }
  return {};
}

void override_with(std::string& setting, const std::string& stronger) {
  if (!stronger.empty()) setting = stronger;
}

Result<void> check(const Config& config) {
  const auto& level = config.log_level;
  if (level != "error" && level != "warn" && level != "info" && level != "debug")
    return Error{ErrorCode::usage,
                 config.file + ": daemon.log_level is '" + printable(level, 40) + "'",
                 "use error, warn, info or debug"};
  if (!config.callback_path.starts_with('/') || !is_vschar(config.callback_path) ||
      config.callback_path.find_first_of("?# ") != std::string::npos)
    return Error{ErrorCode::usage, config.file + ": callback.path has to be a plain path",
                 "for example \"/auth/callback\""};
  if (!config.data_dir.starts_with('/'))
    return Error{ErrorCode::usage, "the data directory has to be an absolute path",
                 "set HOME, NEXUS_DATA_DIR or --data-dir"};
  return {};
}

}  // namespace

Result<Config> load_config(const ConfigFlags& flags) {
  Config config;
  const auto named = flags.file.empty() ? environment("NEXUS_CONFIG") : flags.file;
  config.file = named.empty() ? default_config_file() : named;
  // A look first: most machines have no such file, and opening a stream costs `nexus token` time.
  if (access(config.file.c_str(), R_OK) == 0) {
    std::ifstream in(config.file);
    std::ostringstream text;
    text << in.rdbuf();
    const auto parsed = toml::parse(text.str());
    if (!parsed)
      return at_line(config.file, parsed.error().source(),
                     std::string(parsed.error().description()));
    NEXUS_CHECK(apply(parsed.table(), "", config));
  } else if (!named.empty()) {
    return Error{ErrorCode::usage, "cannot read " + config.file + ": " + std::strerror(errno),
                 "name an existing file, or leave NEXUS_CONFIG and --config unset"};
  }
  override_with(config.workspace, environment("NEXUS_WORKSPACE"));
  override_with(config.data_dir, environment("NEXUS_DATA_DIR"));
  override_with(config.socket, environment("NEXUS_SOCKET"));
  override_with(config.data_dir, flags.data_dir);
  override_with(config.socket, flags.socket);
  if (config.workspace.empty()) config.workspace = "default";
  if (config.data_dir.empty()) config.data_dir = default_data_dir();
  if (config.socket.empty()) config.socket = default_socket(config.data_dir);
  NEXUS_CHECK(check(config));
  return config;
}

}  // namespace nexus
