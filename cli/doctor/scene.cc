#include "cli/doctor/scene.h"

#include <chrono>

#include "cli/client.h"
#include "common/local_http.h"

namespace nexus::cli::doctor {
namespace {

/// Twice that, and a daemon that answers nothing is a silent one.
constexpr auto kDaemonPatience = std::chrono::seconds(1);

Result<std::vector<api::ProviderReach>> ask_reaches(Client& client) {
  NEXUS_TRY(const auto text, client.call_raw("POST", "/v1/providers/reach", ""));
  return api::parse_list<api::ProviderReach>(text);
}

}  // namespace

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
  scene->reaches = begin([client]() mutable { return ask_reaches(client); }).share();
  return scene;
}

}  // namespace nexus::cli::doctor
