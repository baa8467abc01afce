#include "cli/doctor/checks.h"

namespace nexus::cli::doctor {
namespace {

constexpr bool of_local_daemon = true;

constexpr Check kChecks[] = {
    {"configuration", check_configuration},
    {"insecure-settings", check_insecure_settings},
    {"directories", check_directories, of_local_daemon},
    {"socket", check_socket, of_local_daemon},
    {"daemon", check_daemon},
    {"programs", check_programs},
    {"vault", check_vault, of_local_daemon},
    {"callback", check_callback, of_local_daemon},
    {"browser", check_browser},
    {"clock", check_clock},
    {"certificates", check_certificates},
    {"proxy", check_proxy},
    {"providers", check_providers},
    {"connections", check_connections},
    {"catalogue", check_catalogue},
    {"services", check_services, of_local_daemon},
    {"credential-helpers", check_credential_helpers},
    {"path", check_path},
};

}  // namespace

std::span<const Check> all_checks() {
  return kChecks;
}

}  // namespace nexus::cli::doctor
