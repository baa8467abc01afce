#include "cli/doctor/examination.h"

#include <chrono>
#include <future>
#include <vector>

namespace nexus::cli::doctor {
namespace {

// More than what nexusd takes for its longest answer, and a check for the programs it runs.
constexpr auto kTime = std::chrono::seconds(6);
constexpr auto kMoment = std::chrono::milliseconds(200);

Findings run(const Check& check, const Scene& scene) {
  if (check.of_local_daemon && scene.is_remote())
    return {note("not checked: NEXUS_URL names a nexusd elsewhere",
                 "to check the one of this machine, unset NEXUS_URL")};
  return check.find(scene);
}

Findings timed_out() {
  return {failure("not done within " + std::to_string(kTime.count()) + " s",
                  "what it looks at hangs (a file system, a program, nexusd): see to that, then "
                  "try again")};
}

}  // namespace

void examine(const std::shared_ptr<const Scene>& scene, const Tell& tell,
             const TellWaiting& waiting) {
  const auto end = std::chrono::steady_clock::now() + kTime;
  std::vector<std::future<Findings>> found;
  for (const auto& check : all_checks())
    found.push_back(begin([scene, &check] { return run(check, *scene); }));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& check = all_checks()[i];
    if (found[i].wait_for(kMoment) != std::future_status::ready) waiting(check);
    const bool is_done = found[i].wait_until(end) == std::future_status::ready;
    tell(check, is_done ? found[i].get() : timed_out());
  }
}

}  // namespace nexus::cli::doctor
