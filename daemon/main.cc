// nexusd: flags, settings, and life in the background.
#include <malloc.h>
#include <sodium.h>

#include <cerrno>
#include <filesystem>

#include "common/arguments.h"
#include "common/descriptor.h"
#include "common/json_fields.h"
#include "common/paths.h"
#include "common/standard_streams.h"
#include "common/version.h"
#include "daemon/backup/restore.h"
#include "daemon/http/passed_sockets.h"
#include "daemon/log.h"
#include "daemon/process.h"
#include "daemon/serving.h"
#include "daemon/wiping_heap.h"

namespace nexus {
namespace {

struct Arguments {
  ConfigFlags config;
  bool foreground = false;
  bool ephemeral = false;
  bool check = false;
  std::string restore;  ///< a backup's file
};

Result<void> check(const Arguments& arguments) {
  if (arguments.ephemeral || arguments.foreground)
    return Error{ErrorCode::usage, "--check starts nothing",
                 "leave --ephemeral and --foreground out"};
  settle_home();
  NEXUS_TRY(const auto config, settings_of(arguments.config));
  return check_start(config);
}

/// What opens it comes on the standard input, as JSON; nexus vault restore is what people run.
Result<RestoreOrder> restore_order(const std::string& file) {
  SecretText text;
  if (!read_all(STDIN_FILENO, text))
    return Error{ErrorCode::usage, "the standard input cannot be read", "run: nexus vault restore"};
  NEXUS_TRY(auto fields, JsonFields::parse(text));
  RestoreOrder order;
  order.file = file;
  order.opener = {fields.take("private_key"), fields.take("passphrase")};
  order.vault_passphrase = fields.take("vault_passphrase");
  NEXUS_CHECK(fields.flag("replace", order.replace));
  NEXUS_CHECK(fields.flag("new_key", order.new_key));
  return order;
}

Result<void> restore(const Arguments& arguments) {
  if (arguments.ephemeral || arguments.foreground)
    return Error{ErrorCode::usage, "--restore starts nothing",
                 "leave --ephemeral and --foreground out"};
  settle_home();
  NEXUS_TRY(const auto config, settings_of(arguments.config));
  set_log_level(config.log_level);
  NEXUS_TRY(const auto order, restore_order(arguments.restore));
  NEXUS_TRY(const auto restored,
            arguments.check ? check_restore(config, order) : restore_vault(config, order));
  if (write_all(STDOUT_FILENO, api::to_json(restored) + "\n")) return {};
  return unwritten(errno);
}

/// Nothing that was not asked for: the settings of this user's other nexusd are not this one's.
Result<Config> settings_in_memory(ConfigFlags& flags, const Job& job) {
  if (!flags.socket.empty() || !flags.data_dir.empty())
    return Error{ErrorCode::usage, "--ephemeral has a socket of its own and no data directory",
                 "leave --socket and --data-dir out"};
  const bool has_file = !flags.file.empty() || !environment("NEXUS_CONFIG").empty();
  if (!has_file) flags.file = "/dev/null";
  flags.socket = job.directory.socket();
  NEXUS_TRY(auto config, settings_of(flags));
  if (!has_file) config.log_level = "warn";  // its log is the job's stderr
  config.data_dir.clear();
  return config;
}

/// What was passed on to this process; nothing else that it was started with stays open.
Result<Beginning> beginning(std::vector<std::string> words) {
  Beginning begun;
  begun.launch.words = std::move(words);
  std::error_code unknown;
  begun.launch.directory = std::filesystem::current_path(unknown);
  NEXUS_TRY(begun.handover, take_handover());
  std::vector<int> sockets;
  if (begun.handover) {
    close_descriptors_but(descriptors_of(*begun.handover));
    for (auto& socket : begun.handover->sockets) sockets.push_back(socket.release());
  } else {
    sockets = http::passed_by_service_manager();
    close_descriptors_but(sockets);
  }
  NEXUS_TRY(begun.passed_socket, http::adopt_sockets(sockets));
  return begun;
}

int run(int argc, char** argv) {
  look_all_up_at_once(argv);
  occupy_standard_streams();
  auto begun = beginning({argv + 1, argv + argc});
  wipe_what_libraries_free();
  Arguments arguments;
  const CommandLine program{
      .name = "nexusd",
      .summary = "nexusd keeps connections to providers and hands out short-lived credentials",
      .arguments = {{"--foreground", &arguments.foreground,
                     "stay in the foreground and log to stderr"},
                    {"--ephemeral", &arguments.ephemeral,
                     "keep nothing: in memory, for as long as the script that starts it"},
                    {"--check", &arguments.check,
                     "say what would keep it from starting, and do nothing else"},
                    {"--restore",
                     &arguments.restore,
                     "what nexus vault restore runs: the vault of this backup",
                     {.value = "FILE"}},
                    {"--config", &arguments.config.file, "nexus.toml to read", {.value = "FILE"}},
                    {"--socket", &arguments.config.socket, "control socket", {.value = "PATH"}},
                    {"--data-dir", &arguments.config.data_dir,
                     "where vault and audit log are kept"}},
      .footer = "nexus.toml(5) has the settings. `nexus daemon start` starts it for you.",
      .version = std::string("nexusd ") + kVersion};
  const auto parsed = parse_arguments(program, {argv + 1, argv + argc});
  if (!parsed) {
    Background().failed(parsed.error(), arguments.ephemeral ? shell_code_for(parsed.error()) : "");
    return parsed.error().exit_code();
  }
  if (const auto& text = *parsed) {
    if (write_all(STDOUT_FILENO, *text)) return 0;
    const auto error = unwritten(errno);
    Background().failed(error);
    return error.exit_code();
  }

  Background background;
  const auto fail = [&](const Error& error) {
    background.failed(error, arguments.ephemeral ? shell_code_for(error) : "");
    return error.exit_code();
  };
  harden_process();
  if (const auto enough = check_limits(); !enough) return fail(enough.error());
  // Two arenas are plenty for a loop and a few workers; the default is eight a core.
  mallopt(M_ARENA_MAX, 2);
  if (sodium_init() < 0)
    return fail({ErrorCode::failure, "libsodium cannot be initialised", "check the system"});
  if (!begun) return fail(begun.error());
  if (!arguments.restore.empty()) {
    const auto restored = restore(arguments);
    return restored ? 0 : fail(restored.error());
  }
  if (arguments.check) {
    const auto checked = check(arguments);
    return checked ? 0 : fail(checked.error());
  }
  if (arguments.ephemeral) {
    auto job = Job::take();
    if (!job) return fail(job.error());
    const auto config = settings_in_memory(arguments.config, *job);
    if (!config) return fail(config.error());
    if (!arguments.foreground) {
      auto entered = Background::enter("", shell_code_for(Error{}));
      if (!entered) return fail(entered.error());
      background = *entered;
    }
    const auto served = serve_in_memory(arguments.config, *config, *job, *begun, background);
    return served ? 0 : fail(served.error());
  }
  settle_home();
  auto config = settings_of(arguments.config);
  if (!config) return fail(config.error());
  if (!config->socket_is_named) config->socket = own_default_socket(config->data_dir);
  if (!arguments.foreground) {
    if (const auto prepared = prepare_data_dir(config->data_dir); !prepared)
      return fail(prepared.error());
    auto entered = Background::enter(config->data_dir + "/nexusd.log");
    if (!entered) return fail(entered.error());
    background = *entered;
  }
  const auto succession = serve(arguments.config, *std::move(config), *begun, background);
  if (!succession) return fail(succession.error());
  if (!*succession) return 0;
  hand_over(**succession, begun->launch);
  return 1;
}

}  // namespace
}  // namespace nexus

int main(int argc, char** argv) {
  return nexus::run(argc, argv);
}
