#include <memory>

#include "cli/commands/provider.h"
#include "cli/interrupt.h"
#include "cli/manifest.h"
#include "cli/output/prompt.h"
#include "common/api/provider_plan.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ManifestArgs {
  std::string file = "nexus-providers.toml";
  bool prune = false;
  bool yes = false;
};

std::string shown(const std::string& json) {
  return json == "null" ? "(none)" : plain_text(json);
}

const char* sign_of(PlanAction action) {
  switch (action) {
    case PlanAction::create:
      return "+";
    case PlanAction::removal:
      return "-";
    case PlanAction::update:
      return "~";
    case PlanAction::unchanged:
    case PlanAction::orphan:
      break;
  }
  return "?";
}

void print_field(const Output& output, const api::FieldChange& field) {
  const bool added = field.before == "null";
  const bool removed = field.after == "null";
  const auto text = added     ? shown(field.after)
                    : removed ? shown(field.before)
                              : shown(field.before) + " → " + shown(field.after);
  const auto* sign = added ? "+" : removed ? "-" : "~";
  output.line(Output::change_line(std::string("    ") + sign + " " + field.name + ": " + text));
}

void print_change(const Output& output, const api::ProviderChange& change) {
  if (change.action == PlanAction::unchanged) return;
  const std::string what = change.action == PlanAction::orphan
                               ? "registered, but not in the manifest (--prune deletes it)"
                               : word(change.action);
  output.line(
      Output::change_line(std::string(sign_of(change.action)) + " " + change.name + ": " + what));
  for (const auto& field : change.fields) print_field(output, field);
  if (!change.warning.empty()) output.line("    ! " + change.warning);
}

void print_summary(const Output& output, const api::ProviderPlan& plan) {
  const auto count = [&plan](PlanAction action) { return std::to_string(plan.count(action)); };
  const bool orphans = plan.count(PlanAction::orphan) > 0;
  output.line(count(PlanAction::create) + " to create, " + count(PlanAction::update) +
              " to update, " + count(PlanAction::removal) + " to delete, " +
              count(PlanAction::unchanged) + " unchanged" +
              (orphans ? ", " + count(PlanAction::orphan) + " not in the manifest" : ""));
}

Result<api::ProviderPlan> send(Context& context, const Manifest& manifest, bool prune,
                               const char* route) {
  SecretJsonWriter body;
  body.begin().begin_list("providers");
  for (const auto& registration : manifest.providers) body.item_json(registration);
  body.end_list().flag("prune", prune).end();
  return context.client.post<api::ProviderPlan>(route, body.take());
}

/// Every problem with its place; the error that sums them up. Nothing where there are none.
std::optional<Error> problems_in(const Output& output, const Manifest& manifest,
                                 const api::ProviderPlan& plan) {
  if (plan.problems.empty()) return std::nullopt;
  for (const auto& [index, name, error] : plan.problems) {
    output.note(manifest.place(index, error.field) + ": " + name + ": " + error.message);
    if (!error.hint.empty()) output.note("  " + error.hint);
  }
  const auto count = plan.problems.size();
  return Error{ErrorCode::invalid_field,
               std::to_string(count) + (count == 1 ? " entry" : " entries") + " of " +
                   manifest.file + " cannot be applied; nothing was changed",
               "correct what is listed above and try again"};
}

Result<api::ProviderPlan> plan(Context& context, const ManifestArgs& args, Manifest& manifest) {
  NEXUS_TRY(manifest, read_manifest(args.file));
  for (const auto& warning : manifest.warnings) context.output.warn(warning);
  context.output.progress("comparing …");
  auto answer = send(context, manifest, args.prune, "/v1/providers/plan");
  context.output.progress("");
  if (!answer) return answer;
  if (auto error = problems_in(context.output, manifest, *answer)) return *std::move(error);
  return answer;
}

void show(const Output& output, const api::ProviderPlan& plan) {
  for (const auto& change : plan.changes) print_change(output, change);
  print_summary(output, plan);
}

Result<int> run_plan(Context& context, const ManifestArgs& args) {
  Manifest manifest;
  NEXUS_TRY(const auto answer, plan(context, args, manifest));
  if (context.output.json) {
    context.output.json_line(api::to_json(answer));
  } else {
    show(context.output, answer);
  }
  return 0;
}

Result<int> run_apply(Context& context, const ManifestArgs& args) {
  Manifest manifest;
  NEXUS_TRY(const auto answer, plan(context, args, manifest));
  if (!context.output.json) show(context.output, answer);
  if (answer.count(PlanAction::create) + answer.count(PlanAction::update) +
          answer.count(PlanAction::removal) ==
      0) {
    if (context.output.json) context.output.json_line(api::to_json(answer));
    return 0;
  }
  if (!args.yes) {
    if (!is_interactive())
      return Error{ErrorCode::usage, "nobody is there to confirm these changes",
                   "say --yes to apply them without asking"};
    NEXUS_CHECK(confirm("Apply these changes?"));
  }
  const CatchInterrupt held;  // what is applied is said
  NEXUS_TRY(const auto applied, send(context, manifest, args.prune, "/v1/providers/apply"));
  if (context.output.json) {
    context.output.json_line(api::to_json(applied));
  } else {
    context.output.note("applied");
  }
  return 0;
}

Result<int> export_manifest(Context& context) {
  NEXUS_TRY(const auto providers, context.client.all_pages<api::Provider>("/providers?limit=500"));
  for (const auto& provider : providers)
    if (!provider.warning.empty())
      return Error{ErrorCode::failure, provider.warning,
                   "register it anew, or remove it: nexus provider remove " + provider.name};
  context.output.document(manifest_of(providers));
  if (providers.empty()) context.output.note("no providers yet: the manifest is empty");
  return 0;
}

Command manifest_command(const char* name, const char* summary,
                         const std::shared_ptr<ManifestArgs>& args,
                         Result<int> (*run)(Context&, const ManifestArgs&)) {
  return {.name = name,
          .summary = summary,
          .arguments =
              {{"-f,--file", &args->file, "the manifest, TOML or YAML", {.names = Names::file}},
               {"--prune", &args->prune, "also delete what is registered and not in the manifest"}},
          .action = [args, run](Context& context) { return run(context, *args); },
          .footer = "nexus-providers(5) shows how a manifest looks.",
          .examples = {"nexus provider " + std::string(name),
                       "nexus provider " + std::string(name) + " -f providers.yaml"}};
}

}  // namespace

Command provider_plan_command() {
  return manifest_command("plan", "Show what a manifest would change",
                          std::make_shared<ManifestArgs>(), run_plan);
}

Command provider_apply_command() {
  auto args = std::make_shared<ManifestArgs>();
  auto command =
      manifest_command("apply", "Make the providers what a manifest says", args, run_apply);
  command.arguments.push_back({"--yes", &args->yes, "apply without asking"});
  return command;
}

Command provider_export_command() {
  return {.name = "export",
          .summary = "Write a manifest of what is registered",
          .action = export_manifest,
          .examples = {"nexus provider export > nexus-providers.toml"}};
}

}  // namespace nexus::cli
