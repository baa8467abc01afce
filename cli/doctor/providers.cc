// The registered providers, as nexusd reaches them.
#include "cli/doctor/checks.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

constexpr std::size_t kNamed = 10;  // with more of them each line would hide the others

std::string some_of(const std::vector<std::string>& names) {
  if (names.size() <= kNamed) return join(names, ", ");
  return join({names.begin(), names.begin() + kNamed}, ", ") + " and " +
         std::to_string(names.size() - kNamed) + " more";
}

}  // namespace

Findings check_providers(const Scene& scene) {
  const auto& reaches = scene.reaches.get();
  if (!reaches) return {not_checked(scene, reaches.error())};
  if (reaches->empty())
    return {
        note("none is registered", "run: nexus provider catalog, then: nexus connect PROVIDER")};
  Findings found;
  std::vector<std::string> reached;
  std::vector<std::string> not_reached;
  for (const auto& each : *reaches) {
    auto& names = each.reached ? reached : not_reached;
    names.push_back(each.name);
    if (!each.reached && not_reached.size() <= kNamed)
      found.push_back(failure(each.name + ": " + each.detail, each.hint));
  }
  if (not_reached.size() > kNamed)
    found.push_back(
        failure(std::to_string(not_reached.size()) + " are not reached: " + some_of(not_reached),
                "check the network, proxy settings and certificates; nexus provider "
                "test NAME tells more"));
  if (!reached.empty())
    found.push_back(ok(std::to_string(reached.size()) + " reached: " + some_of(reached)));
  return found;
}

}  // namespace nexus::cli::doctor
