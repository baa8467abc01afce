#pragma once

#include <span>

#include "cli/doctor/finding.h"
#include "cli/doctor/scene.h"

namespace nexus::cli::doctor {

/// One thing that is looked at: what it is called, for good, and how it is found out.
struct Check {
  const char* name = "";
  Findings (*find)(const Scene& scene) = nullptr;
  bool of_local_daemon = false;  ///< and of no interest where NEXUS_URL names one elsewhere
};

std::span<const Check> all_checks();

// One file each. Every check finds something.
Findings check_configuration(const Scene& scene);
Findings check_insecure_settings(const Scene& scene);
Findings check_directories(const Scene& scene);
Findings check_socket(const Scene& scene);
Findings check_daemon(const Scene& scene);
Findings check_programs(const Scene& scene);
Findings check_vault(const Scene& scene);
Findings check_callback(const Scene& scene);
Findings check_browser(const Scene& scene);
Findings check_clock(const Scene& scene);
Findings check_certificates(const Scene& scene);
Findings check_proxy(const Scene& scene);
Findings check_providers(const Scene& scene);
Findings check_connections(const Scene& scene);
Findings check_catalogue(const Scene& scene);
Findings check_services(const Scene& scene);
Findings check_credential_helpers(const Scene& scene);
Findings check_path(const Scene& scene);

}  // namespace nexus::cli::doctor
