#include "common/config.h"
#include "common/api/words.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <variant>

// Errors as values: the programs have no use for toml++'s exceptions.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "common/paths.h"
#include "common/proxy_address.h"
#include "common/regular_file.h"
#include "common/site.h"
#include "common/suggestion.h"
#include "common/text.h"
#include "common/text_fault.h"

namespace nexus {
namespace {

/// What is counted here, a minute or in MiB, is never more; what is would overflow somewhere.
constexpr std::int64_t kMost = 1'000'000'000;
constexpr std::int64_t kMostDays = 36'500;
constexpr std::int64_t kMostMinutes = 525'600;

/// Where the settings that there are stand.
using Lines = std::map<std::string, unsigned>;

/// Where a setting's value goes; its type is the type that nexus.toml has to give it.
using Target = std::variant<std::string*, bool*, std::int64_t*, std::vector<std::string>*,
                            std::vector<CredentialMapping>*>;

std::map<std::string, Target> settings_of(Config& config) {
  auto& gateway = config.gateway;
  auto& limits = config.limits;
  return {{"workspace", &config.workspace},
          {"daemon.data_dir", &config.data_dir},
          {"daemon.socket", &config.socket},
          {"daemon.log_level", &config.log_level},
          {"daemon.sandbox", &config.sandbox},
          {"callback.base_url", &config.callback_base_url},
          {"callback.path", &config.callback_path},
          {"network.proxy", &config.proxy},
          {"network.ca_file", &config.ca_file},
          {"refresh.idle_days", &config.refresh_idle_days},
          {"hooks.on_attention", &config.on_attention},
          {"gateway.listen", &gateway.listen},
          {"gateway.hosts", &gateway.hosts},
          {"gateway.insecure_http", &gateway.insecure_http},
          {"gateway.tls_certificate", &gateway.tls_certificate},
          {"gateway.tls_key", &gateway.tls_key},
          {"gateway.open_check", &gateway.open_check},
          {"gateway.environment_keys", &gateway.environment_keys},
          {"gateway.return_urls", &gateway.return_urls},
          {"gateway.cors_origins", &gateway.cors_origins},
          {"proxy.listen", &config.forwarding.listen},
          {"proxy.rules", &config.forwarding.rules},
          {"limits.request_connection", &limits.request_connection},
          {"limits.token", &limits.token},
          {"limits.refresh", &limits.refresh},
          {"limits.resolve", &limits.resolve},
          {"limits.callback", &limits.callback},
          {"limits.request_connection_per_key", &limits.request_connection_per_key},
          {"limits.resolve_per_key", &limits.resolve_per_key},
          {"limits.pending", &limits.pending},
          {"limits.pending_per_key", &limits.pending_per_key},
          {"access.group", &config.access.group},
          {"access.prompt", &config.access.prompt},
          {"audit.keep_days", &config.audit.keep_days},
          {"audit.max_mib", &config.audit.max_mib},
          {"vault.key_source", &config.vault.key_source},
          {"vault.key_command", &config.vault.key_command},
          {"vault.lock_after_minutes", &config.vault.lock_after_minutes},
          {"vault.lock_on_suspend", &config.vault.lock_on_suspend},
          {"credential", &config.credential}};
}

Error at_line(const std::string& file, const toml::source_region& where, const std::string& what) {
  return {ErrorCode::usage, file + ":" + std::to_string(where.begin.line) + ": " + what,
          "correct the file; nexus.toml(5) lists the settings"};
}

Error unknown_setting(const std::string& file, const toml::source_region& where,
                      const std::string& name, const std::map<std::string, Target>& settings) {
  auto error = at_line(file, where, "unknown setting '" + printable(name, 80) + "'");
  std::vector<std::string> known;
  for (const auto& [setting, target] : settings) known.push_back(setting);
  if (const auto meant = suggestion(name, known))
    error.hint = "did you mean: " + *meant + "; nexus.toml(5) lists the settings";
  return error;
}

// set: takes the node's value over; what it should have been when it is of another type.
const char* set(std::string* target, const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  if (value) *target = *value;
  return value ? nullptr : "a text";
}

const char* set(bool* target, const toml::node& node) {
  const auto value = node.value_exact<bool>();
  if (value) *target = *value;
  return value ? nullptr : "true or false";
}

const char* set(std::int64_t* target, const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 0 || *value > kMost) return "a number from 0 to 1000000000";
  *target = *value;
  return nullptr;
}

const char* set(std::vector<std::string>* target, const toml::node& node) {
  constexpr auto wanted = "a list of texts";
  if (!node.is_array()) return wanted;
  target->clear();
  for (const auto& item : *node.as_array()) {
    const auto value = item.value_exact<std::string>();
    if (!value) return wanted;
    target->push_back(*value);
  }
  return nullptr;
}

const char* set(std::vector<CredentialMapping>*, const toml::node&) {
  return "a table of hosts";
}

/// `"HOST" = "CONN"` or `"HOST" = { connection = "CONN", username = "NAME" }`.
std::optional<CredentialMapping> mapping_of(std::string_view key, const toml::node& node) {
  const auto site = key.find("://") == std::string_view::npos ? parse_site(key) : std::nullopt;
  if (!site) return std::nullopt;
  CredentialMapping mapping{.site = *site, .connection = {}};
  if (const auto* table = node.as_table()) {
    for (const auto& [name, value] : *table) {
      std::string* into = name == "connection" ? &mapping.connection
                          : name == "username" ? &mapping.username
                                               : nullptr;
      if (!into || set(into, value)) return std::nullopt;
    }
  } else if (set(&mapping.connection, node)) {
    return std::nullopt;
  }
  const bool good = !mapping.connection.empty() && fault_of_text(mapping.connection).empty() &&
                    fault_of_text(mapping.username).empty();
  return good ? std::optional(std::move(mapping)) : std::nullopt;
}

void apply_mappings(const toml::table& table, std::vector<CredentialMapping>& mappings,
                    const std::string& file, std::vector<Error>& flaws) {
  for (const auto& [key, node] : table) {
    auto mapping = mapping_of(key.str(), node);
    const auto name = "'credential." + printable(key.str(), 80) + "'";
    if (!mapping) {
      auto error = at_line(file, key.source(), name + " is no host and connection");
      error.hint =
          "write \"HOST[:PORT][/PATH]\" = \"CONN\", or = { connection = \"CONN\", "
          "username = \"NAME\" }, the host in quotes";
      flaws.push_back(std::move(error));
    } else if (std::any_of(mappings.begin(), mappings.end(), [&](const CredentialMapping& other) {
                 return other.site == mapping->site;
               })) {
      flaws.push_back(at_line(file, key.source(), name + " is mapped twice"));
    } else {
      mappings.push_back(*std::move(mapping));
    }
  }
}

/// Takes a table's settings over; what is wrong with one is among the flaws, and it stays as it
/// was.
void apply(const toml::table& table, const std::string& prefix,
           const std::map<std::string, Target>& settings, const std::string& file,
           std::vector<Error>& flaws, Lines& lines) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    const auto below = settings.lower_bound(name + ".");
    if (const auto* section = node.as_table();
        section && below != settings.end() && below->first.starts_with(name + ".")) {
      apply(*section, name + ".", settings, file, flaws, lines);
      continue;
    }
    const auto setting = settings.find(name);
    if (setting == settings.end()) {
      flaws.push_back(unknown_setting(file, key.source(), name, settings));
      continue;
    }
    lines[name] = node.source().begin.line;
    auto* const* mappings = std::get_if<std::vector<CredentialMapping>*>(&setting->second);
    if (const auto* section = node.as_table(); section && mappings) {
      apply_mappings(*section, **mappings, file, flaws);
      continue;
    }
    const auto take = [&value = node](auto* target) { return set(target, value); };
    const char* wanted = std::visit(take, setting->second);
    if (wanted) flaws.push_back(at_line(file, node.source(), "'" + name + "' has to be " + wanted));
  }
}

void override_with(std::string& setting, const std::string& stronger) {
  if (!stronger.empty()) setting = stronger;
}

bool is_log_level(const std::string& level) {
  return level == "error" || level == "warn" || level == "info" || level == "debug";
}

bool is_sandbox(const std::string& mode) {
  return mode == "auto" || mode == "require" || mode == "off";
}

bool is_absolute_or_unset(const std::string& path) {
  return path.empty() || path.starts_with('/');
}

bool is_path(const std::string& path) {
  return is_plain_path(path);
}

bool is_known_or_proxy(const std::string& proxy) {
  return proxy == "env" || proxy == "none" || parse_proxy(proxy);
}

bool is_host_and_port(const std::string& host) {
  return host.find_first_of("/?#@") == std::string::npos && parse_site(host);
}

bool is_workspace(const std::string& name) {
  return name != "*" && fault_of_text(name).empty();
}

/// What the types do not say. A setting that is wrong goes back to its default.
class Judge {
 public:
  Judge(Config& config, const Lines& lines) : config_(config), lines_(lines) {}

  void check() {
    judge(&Config::workspace, is_workspace, "workspace", "name one, without control characters");
    judge(&Config::log_level, is_log_level, "daemon.log_level", "use error, warn, info or debug");
    judge(&Config::sandbox, is_sandbox, "daemon.sandbox", "use auto, require or off");
    judge(&Config::callback_path, is_path, "callback.path",
          "use a plain path, for example \"/auth/callback\"");
    judge(&Config::data_dir, is_absolute_or_unset, "daemon.data_dir",
          "use an absolute path; ~ is not expanded");
    judge(&Config::socket, is_absolute_or_unset, "daemon.socket",
          "use an absolute path; ~ is not expanded");
    judge_days(config_.refresh_idle_days, "refresh.idle_days");
    judge_days(config_.audit.keep_days, "audit.keep_days");
    judge_lock();
    judge_proxy();
    judge_hosts();
    judge_key_source();
  }

 private:
  void refuse(const std::string& name, const std::string& what, const std::string& mend) {
    const auto line = lines_.find(name);
    const auto where = line == lines_.end() ? "" : ":" + std::to_string(line->second);
    config_.flaws.push_back({ErrorCode::usage, config_.file + where + ": " + name + what, mend});
  }

  void judge(std::string Config::*setting, bool (*is_good)(const std::string&),
             const std::string& name, const std::string& mend) {
    auto& value = config_.*setting;
    if (is_good(value)) return;
    refuse(name, " is '" + printable(value, 80) + "'", mend);
    value = Config().*setting;
  }

  void judge_days(std::int64_t& days, const std::string& name) {
    if (days <= kMostDays) return;
    refuse(name, " is " + std::to_string(days), "a hundred years are 36500; 0 is for ever");
    days = kMostDays;
  }

  /// There may be a password in it.
  void judge_proxy() {
    if (is_known_or_proxy(config_.proxy)) return;
    refuse("network.proxy", " is no proxy's address",
           std::string(kProxyForm) + ", or \"env\" or \"none\"");
    config_.proxy = Config().proxy;
  }

  void judge_hosts() {
    for (const auto& host : config_.gateway.hosts)
      if (!is_host_and_port(host))
        refuse("gateway.hosts", ": '" + printable(host, 80) + "' is no host's name",
               "write each as HOST or HOST:PORT, for example \"nexus.example.com\"");
    std::erase_if(config_.gateway.hosts, [](const auto& host) { return !is_host_and_port(host); });
  }

  void judge_lock() {
    auto& minutes = config_.vault.lock_after_minutes;
    if (minutes <= kMostMinutes) return;
    refuse("vault.lock_after_minutes", " is " + std::to_string(minutes),
           "a year is 525600; 0 is never");
    minutes = kMostMinutes;
  }

  void judge_key_source() {
    auto& source = config_.vault.key_source;
    if (source.empty() || (from_word<KeySource>(source) && source != word(KeySource::memory)))
      return;
    refuse("vault.key_source", " is '" + printable(source, 80) + "'",
           "use file, environment, credential, keyring, command or passphrase");
    source.clear();
  }

  Config& config_;
  const Lines& lines_;
};

Result<std::string> text_of(const std::string& path) {
  if (path == "/dev/null") return std::string();  // what says that there is none
  const auto file = open_regular_file(path);
  SecretText text;
  if (file.get() >= 0 && read_all(file.get(), text)) return std::string(text);
  return Error{ErrorCode::usage, "cannot read " + path + ": " + why_not_opened(),
               "name a file, or leave NEXUS_CONFIG and --config unset"};
}

void read_file(Config& config) {
  const auto text = text_of(config.file);
  if (!text) return config.flaws.push_back(text.error());
  const auto parsed = toml::parse(*text);
  if (!parsed)
    return config.flaws.push_back(
        at_line(config.file, parsed.error().source(), std::string(parsed.error().description())));
  Lines lines;
  apply(parsed.table(), "", settings_of(config), config.file, config.flaws, lines);
  Judge(config, lines).check();
}

/// That it is known where data and daemon are.
Result<void> check(const Config& config) {
  if (!is_absolute_or_unset(config.data_dir))
    return Error{ErrorCode::usage, "the data directory has to be an absolute path",
                 "correct NEXUS_DATA_DIR or --data-dir"};
  // A nexusd elsewhere, or one whose socket is known, needs no files of ours.
  if (config.socket.empty() && config.url.empty())
    return Error{ErrorCode::usage,
                 fault_of_home() + ", so there is no telling where Nexus keeps its files",
                 "set HOME to your home directory, or NEXUS_DATA_DIR"};
  return {};
}

}  // namespace

Result<Config> load_config(const ConfigFlags& flags) {
  Config config;
  const auto named = flags.file.empty() ? environment("NEXUS_CONFIG") : flags.file;
  config.file = named.empty() ? default_config_file() : named;
  // A look first: most machines have no such file, and opening a stream costs `nexus token` time.
  if (access(config.file.c_str(), R_OK) == 0) {
    read_file(config);
  } else if (!named.empty()) {
    return Error{ErrorCode::usage, "cannot read " + config.file + ": " + std::strerror(errno),
                 "name an existing file, or leave NEXUS_CONFIG and --config unset"};
  } else if (errno == EACCES) {
    config.flaws.push_back({ErrorCode::usage,
                            "cannot read " + config.file + ": " + std::strerror(errno),
                            "make it readable for this user, or remove it"});
  }
  override_with(config.workspace, environment("NEXUS_WORKSPACE"));
  override_with(config.data_dir, environment("NEXUS_DATA_DIR"));
  override_with(config.socket, environment("NEXUS_SOCKET"));
  for (const char* name : {"ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGINS"})
    if (const auto origins = environment(name); !origins.empty()) {
      config.gateway.cors_origins.clear();
      for (const auto& origin : split(origins, ','))
        config.gateway.cors_origins.emplace_back(trim(origin));
    }
  override_with(config.data_dir, flags.data_dir);
  override_with(config.socket, flags.socket);
  override_with(config.ca_file, flags.ca_file);
  config.url = environment("NEXUS_URL");
  if (config.workspace.empty()) config.workspace = "default";
  if (config.data_dir.empty()) config.data_dir = default_data_dir();
  config.socket_is_named = !config.socket.empty();
  if (!config.socket_is_named) config.socket = default_socket(config.data_dir);
  NEXUS_CHECK(check(config));
  return config;
}

}  // namespace nexus
