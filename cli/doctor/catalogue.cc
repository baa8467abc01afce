// The catalogue: that it is found, and that each entry can be read.
#include "cli/catalogue.h"

#include "cli/doctor/checks.h"
#include "cli/program_path.h"

namespace nexus::cli::doctor {

Findings check_catalogue(const Scene&) {
  if (data_path("providers").empty())
    return {
        failure("the one that comes with Nexus is not found: nexus connect knows no provider by "
                "name",
                "install it again: share/nexus/providers belongs beside bin")};
  std::vector<Error> problems;
  const auto entries = Catalogue().all(problems);
  Findings faults;
  for (const auto& problem : problems) faults.push_back(failure(problem));
  return or_ok(std::move(faults), std::to_string(entries.size()) + " providers are known");
}

}  // namespace nexus::cli::doctor
