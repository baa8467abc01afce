#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/provider.h"
#include "cli/manifest.h"
#include "cli/output/prompt.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ManifestArgs {
  std::string file = "nexus-providers.toml";
  bool prune = false;
  bool yes = false;
};

std::string shown(const Json& value) {
  if (value.is_null()) return "(none)";
  return printable(value.is_string() ? value.get<std::string>() : to_text(value), 200);
}

const char* sign_of(const std::string& action) {
  return action == "create" ? "+" : action == "delete" ? "-" : action == "update" ? "~" : "?";
}

void print_change(const Output& output, const Json& change) {
  const auto action = change.value("action", "");
  if (action == "unchanged") return;
  const auto what =
      action == "orphan" ? "registered, but not in the manifest (--prune deletes it)" : action;
  output.result(output.change_line(std::string(sign_of(action)) + " " + change.value("name", "") +
                                   ": " + what) +
                "\n");
  for (const auto& field : change.value("fields", Json::array())) {
    const auto& before = field.at("before");
    const auto& after = field.at("after");
    const std::string sign = before.is_null() ? "+" : after.is_null() ? "-" : "~";
    const auto text = before.is_null()  ? shown(after)
                      : after.is_null() ? shown(before)
                                        : shown(before) + " → " + shown(after);
    output.result(output.change_line("    " + sign + " " + field.value("field", "") + ": " + text) +
                  "\n");
  }
  if (const auto warning = change.value("warning", ""); !warning.empty())
    output.result("    ! " + printable(warning, 300) + "\n");
}

std::map<std::string, int> counts_of(const Json& plan) {
  std::map<std::string, int> counts;
  for (const auto& change : plan.at("changes")) ++counts[change.value("action", "")];
  return counts;
}

void print_summary(const Output& output, std::map<std::string, int> counts) {
  output.result(
      std::to_string(counts["create"]) + " to create, " + std::to_string(counts["update"]) +
      " to update, " + std::to_string(counts["delete"]) + " to delete, " +
      std::to_string(counts["unchanged"]) + " unchanged" +
      (counts["orphan"] > 0 ? ", " + std::to_string(counts["orphan"]) + " not in the manifest"
                            : "") +
      "\n");
}

/// Sends the manifest; the text with its secrets is wiped.
Result<Json> send(Context& context, const Manifest& manifest, bool prune, const char* route) {
  auto text = to_text(Json{{"providers", manifest.providers}, {"prune", prune}});
  const SecretText body(text);
  wipe(text);
  return context.client.post(route, body);
}

/// Every problem with its place; the error that sums them up. Nothing where there are none.
std::optional<Error> problems_in(const Output& output, const Manifest& manifest, const Json& plan) {
  const auto& problems = plan.at("problems");
  if (problems.empty()) return std::nullopt;
  for (const auto& problem : problems) {
    const auto message = problem.value("message", "");
    const auto field = text_member(problem, "field").value_or("");
    output.note(manifest.place(problem.value("index", std::size_t{0}), field) + ": " +
                problem.value("name", "") + ": " + printable(message, 400));
    if (const auto hint = problem.value("hint", ""); !hint.empty())
      output.note("  " + printable(hint, 400));
  }
  return Error{ErrorCode::invalid_field,
               std::to_string(problems.size()) + (problems.size() == 1 ? " entry" : " entries") +
                   " of " + manifest.file + " cannot be applied; nothing was changed",
               "correct what is listed above and try again"};
}

Result<Json> plan(Context& context, const ManifestArgs& args, Manifest& manifest) {
  NEXUS_TRY(manifest, read_manifest(args.file));
  for (const auto& warning : manifest.warnings) context.output.warn(warning);
  context.output.progress("comparing …");
  auto answer = send(context, manifest, args.prune, "/v1/providers/plan");
  context.output.progress("");
  if (!answer) return answer;
  if (auto error = problems_in(context.output, manifest, *answer)) return *std::move(error);
  return answer;
}

void show(const Output& output, const Json& plan) {
  for (const auto& change : plan.at("changes")) print_change(output, change);
  print_summary(output, counts_of(plan));
}

Result<int> run_plan(Context& context, const ManifestArgs& args) {
  Manifest manifest;
  NEXUS_TRY(const auto answer, plan(context, args, manifest));
  if (context.output.json) {
    context.output.json_line(answer);
  } else {
    show(context.output, answer);
  }
  return 0;
}

Result<int> run_apply(Context& context, const ManifestArgs& args) {
  Manifest manifest;
  NEXUS_TRY(const auto answer, plan(context, args, manifest));
  if (!context.output.json) show(context.output, answer);
  auto counts = counts_of(answer);
  if (counts["create"] + counts["update"] + counts["delete"] == 0) {
    if (context.output.json) context.output.json_line(answer);
    return 0;
  }
  if (!args.yes) {
    if (!is_interactive())
      return Error{ErrorCode::usage, "nobody is there to confirm these changes",
                   "say --yes to apply them without asking"};
    NEXUS_TRY(const auto word, ask_line("Apply these changes? [y/N]", ""));
    if (lower(word) != "y" && lower(word) != "yes")
      return Error{ErrorCode::failure, "nothing was changed", ""};
  }
  NEXUS_TRY(const auto applied, send(context, manifest, args.prune, "/v1/providers/apply"));
  if (context.output.json) {
    context.output.json_line(applied);
  } else {
    context.output.note("applied");
  }
  return 0;
}

Result<int> run_export(Context& context) {
  NEXUS_TRY(const auto providers, context.client.all_pages("/providers?limit=500"));
  context.output.result(manifest_of(providers));
  if (providers.empty()) context.output.note("no providers yet: the manifest is empty");
  return 0;
}

Command manifest_command(const char* name, const char* summary,
                         const std::shared_ptr<ManifestArgs>& args,
                         Result<int> (*run)(Context&, const ManifestArgs&)) {
  return {.name = name,
          .summary = summary,
          .arguments = {{"-f,--file", &args->file, "the manifest, TOML or YAML"},
                        {"--prune", &args->prune,
                         "also delete what is registered and not in the manifest"}},
          .action = [args, run](Context& context) { return run(context, *args); },
          .footer = "nexus-providers(5) shows how a manifest looks."};
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
  return {
      .name = "export", .summary = "Write a manifest of what is registered", .action = run_export};
}

}  // namespace nexus::cli
