#include "common/api/provider_plan.h"

#include <algorithm>

namespace nexus::api {

std::size_t ProviderPlan::count(PlanAction action) const {
  return static_cast<std::size_t>(
      std::count_if(changes.begin(), changes.end(),
                    [action](const ProviderChange& change) { return change.action == action; }));
}

Result<void> read(const Reader& from, ProviderPlan& into) {
  bool known = true;
  from.each("changes", [&](const Reader& change) {
    const auto action = change.word<PlanAction>("action");
    known = known && action;
    if (!action) return;
    ProviderChange read{*action, change.text("name"), {}, change.text("warning")};
    change.each("fields", [&read](const Reader& field) {
      const auto value = [&field](const char* name) {
        auto json = field.json(name);
        return json.empty() ? std::string("null") : json;
      };
      read.fields.push_back({field.text("field"), value("before"), value("after")});
    });
    into.changes.push_back(std::move(read));
  });
  from.each("problems", [&](const Reader& problem) {
    Error error{error_from_wire(problem.text("code"), ""), problem.text("message"),
                problem.text("hint")};
    error.field = problem.text("field");
    into.problems.push_back({static_cast<std::size_t>(problem.number("index").value_or(0)),
                             problem.text("name"), std::move(error)});
  });
  if (!known) return unknown_answer();
  return {};
}

void write(JsonWriter& to, const ProviderPlan& plan) {
  to.begin_list("changes");
  for (const auto& change : plan.changes) {
    to.begin().member("action", word(change.action)).member("name", change.name);
    to.begin_list("fields");
    for (const auto& field : change.fields)
      to.begin()
          .member("field", field.name)
          .member_json("before", field.before)
          .member_json("after", field.after)
          .end();
    to.end_list().member("warning", change.warning).end();
  }
  to.end_list().begin_list("problems");
  for (const auto& [index, name, error] : plan.problems)
    to.begin()
        .member("index", static_cast<std::int64_t>(index))
        .member("name", name)
        .member("code", error.wire())
        .member_or_null("field", error.field)
        .member("message", error.message)
        .member("hint", error.hint)
        .end();
  to.end_list();
}

}  // namespace nexus::api
