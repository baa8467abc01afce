#include "daemon/provider/plan.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus {
namespace {

/// A profile's members by their names, those of `params` each on its own; defaults left out.
std::map<std::string, Json> flat(const Provider& provider) {
  static const auto defaults = to_json(Provider());
  std::map<std::string, Json> fields;
  const auto profile = to_json(provider);
  for (const auto& [name, value] : profile.items()) {
    if (name == "id" || name == "name") continue;
    if (name == "params") {
      for (const auto& [param, setting] : value.items()) fields["params." + param] = setting;
    } else if (value != defaults.value(name, Json()) || name == "auth_type") {
      fields[name] = value;
    }
  }
  return fields;
}

std::string fingerprint_text(const std::string& fingerprint) {
  return to_text(fingerprint.empty() ? Json(nullptr) : Json("(fingerprint " + fingerprint + ")"));
}

}  // namespace

std::vector<api::FieldChange> differences(const ProviderRegistry::Prepared& prepared) {
  const auto before = prepared.before ? flat(*prepared.before) : std::map<std::string, Json>();
  const auto after = flat(prepared.after);
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : after) names.insert(name);
  const auto value_in = [](const std::map<std::string, Json>& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? Json(nullptr) : found->second;
  };
  std::vector<api::FieldChange> changes;
  for (const auto& name : names)
    if (value_in(before, name) != value_in(after, name))
      changes.push_back({name, to_text(value_in(before, name)), to_text(value_in(after, name))});
  // A fingerprint is made with the provider's id, which one that is to be created has not got yet.
  if (prepared.secret_before != prepared.secret_after)
    changes.push_back(
        {"client_secret", fingerprint_text(prepared.secret_before),
         prepared.replaces ? fingerprint_text(prepared.secret_after) : to_text(Json("(set)"))});
  return changes;
}

namespace {

api::ProviderChange change_of(const ProviderRegistry::Prepared& prepared) {
  api::ProviderChange change;
  change.action = !prepared.replaces           ? PlanAction::create
                  : prepared.changes_nothing() ? PlanAction::unchanged
                                               : PlanAction::update;
  change.name = prepared.after.name;
  change.fields = differences(prepared);
  change.warning = prepared.warning;
  if (!prepared.write.needs_person.empty())
    change.warning +=
        std::string(change.warning.empty() ? "" : "; ") + "its connections will need a person";
  return change;
}

}  // namespace

Result<ProviderPlans::Work> ProviderPlans::prepare(Json& wanted, bool prune) {
  Work work;
  std::set<std::string> seen;
  for (std::size_t index = 0; index < wanted.size(); ++index) {
    auto& entry = wanted[index];
    std::string name = entry.is_object() ? lower(text_member(entry, "name").value_or("")) : "";
    const auto prepared = [&]() -> Result<ProviderRegistry::Prepared> {
      if (!entry.is_object())
        return Error{ErrorCode::invalid_field, "the entry has to be an object", ""};
      if (!name.empty() && !seen.insert(name).second)
        return Error{ErrorCode::invalid_field, "there are two entries named " + printable(name, 80),
                     "remove one of them"};
      return registry_.prepare(name, entry);
    }();
    if (!prepared) {
      work.plan.problems.push_back({index, printable(name, 80), prepared.error()});
      continue;
    }
    work.plan.changes.push_back(change_of(*prepared));
    work.prepared.push_back(*prepared);
  }
  NEXUS_TRY(const auto registered, providers_.all());
  for (const auto& provider : registered) {
    if (seen.contains(provider.name)) continue;
    work.plan.changes.push_back(
        {prune ? PlanAction::removal : PlanAction::orphan, provider.name, {}, {}});
    if (prune) work.removed.push_back(provider);
  }
  return work;
}

Result<ProviderPlan> ProviderPlans::make(Json& wanted, bool prune) {
  NEXUS_TRY(auto work, prepare(wanted, prune));
  return std::move(work.plan);
}

Result<ProviderPlan> ProviderPlans::apply(Json& wanted, bool prune, const Caller& caller) {
  NEXUS_TRY(auto work, prepare(wanted, prune));
  if (!work.plan.problems.empty()) {
    auto& problem = work.plan.problems.front();
    problem.error.message = problem.name + ": " + problem.error.message;
    return std::move(problem.error);
  }
  NEXUS_CHECK(registry_.commit(work.prepared, work.removed, caller));
  return std::move(work.plan);
}

}  // namespace nexus
