#include "cli/doctor/scene.h"

#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include "cli/client.h"
#include "cli/program_output.h"
#include "cli/program_path.h"
#include "common/local_http.h"
#include "common/printed_error.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

/// Twice that, and a daemon that answers nothing is a silent one.
constexpr auto kDaemonPatience = std::chrono::seconds(1);
constexpr auto kCheckPatience = std::chrono::milliseconds(2000);

Result<std::vector<api::ProviderReach>> ask_reaches(Client& client) {
  NEXUS_TRY(const auto text, client.call_raw("POST", "/v1/providers/reach", ""));
  return api::parse_list<api::ProviderReach>(text);
}

StartFault kind_of(const Error& error) {
  return error.code == ErrorCode::usage             ? StartFault::of_settings
         : error.code == ErrorCode::vault_key_wrong ? StartFault::of_vault
                                                    : StartFault::of_directories;
}

/// Of the nexusd beside this program. One that cannot be asked says nothing.
Result<void> ask_whether_one_starts(const Config& config) {
  const auto beside = program_path("nexusd");
  std::vector<std::string> words{beside.empty() ? "nexusd" : beside, "--check"};
  if (access(config.file.c_str(), F_OK) == 0) words.insert(words.end(), {"--config", config.file});
  if (!config.data_dir.empty()) words.insert(words.end(), {"--data-dir", config.data_dir});
  const auto said = program_output(std::move(words), kCheckPatience, ChildKind::nexusd);
  if (!said || said->exit_code == 0) return {};
  if (auto error = printed_error(said->text, said->exit_code)) return *std::move(error);
  return {};
}

}  // namespace

std::optional<Finding> fault_of_start(const Scene& scene, StartFault kind) {
  const auto& start = scene.start.get();
  if (start || kind_of(start.error()) != kind) return std::nullopt;
  const auto& error = start.error();
  return failure(printable(error.message),
                 error.hint.empty() ? "nexusd(8) has more" : printable(error.hint));
}

Finding not_checked(const Scene& scene, const Error& why) {
  if (scene.is_remote() || why.code != ErrorCode::daemon_unreachable)
    return note("not checked: " + why.message, why.hint);
  return is_absent(why)
             ? note("not checked: nexusd is not running", "run: nexus daemon start")
             : note("not checked: nexusd does not answer", "see what is said of the socket");
}

std::shared_ptr<const Scene> look_around(const Config& config, bool starts_daemon) {
  auto scene = std::make_shared<Scene>();
  scene->config = config;
  scene->starts_daemon = starts_daemon;
  Client client(config, false, kDaemonPatience);
  scene->daemon =
      begin([client]() mutable { return client.get<api::DaemonStatus>("/v1/daemon"); }).share();
  scene->providers = begin([client]() mutable {
                       return client.all_pages<api::Provider>("/providers?limit=500");
                     }).share();
  scene->start = begin([config] { return ask_whether_one_starts(config); }).share();
  scene->reaches = begin([client]() mutable { return ask_reaches(client); }).share();
  return scene;
}

}  // namespace nexus::cli::doctor
