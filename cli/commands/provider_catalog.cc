#include <memory>

#include "cli/catalogue.h"
#include "cli/commands/provider.h"
#include "cli/output/table.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Result<int> run_catalog(Context& context, const std::vector<std::string>& words) {
  std::vector<Error> problems;
  const auto entries = Catalogue().all(problems);
  for (const auto& problem : problems) context.output.warn(problem.message);
  if (entries.empty())
    return Error{ErrorCode::failure, "the catalogue is not there",
                 "install share/nexus/providers beside nexus"};
  JsonWriter list;
  list.begin().begin_list("entries");
  std::vector<Cells> rows;
  for (const auto& entry : entries) {
    if (!matches(entry, words)) continue;
    const auto* type = word(entry.auth_type);
    list.begin()
        .member("name", entry.name)
        .member("display_name", entry.display_name)
        .member("category", entry.category)
        .member("auth_type", type)
        .end();
    rows.push_back({entry.name, type, printable(entry.display_name, 60), entry.category});
  }
  if (context.output.json) {
    context.output.json_line(list.end_list().end().take());
    return 0;
  }
  if (rows.empty())
    return Error{
        ErrorCode::provider_not_found, "nothing in the catalogue fits " + join(words, " "),
        "register it by its endpoints: nexus provider add NAME --auth-url … --token-url …"};
  Table(context.output, {{"NAME", true}, {"TYPE"}, {"PROVIDER", true}, {"CATEGORY"}}).print(rows);
  context.output.note(std::to_string(rows.size()) + " of " + std::to_string(entries.size()) +
                      "; nexus provider show NAME tells more, nexus connect NAME starts");
  return 0;
}

}  // namespace

Command provider_catalog_command() {
  auto words = std::make_shared<std::vector<std::string>>();
  return {.name = "catalog",
          .summary = "Search the providers that nexus knows",
          .arguments = {{"words", words.get(), "words to look for in names, categories and types"}},
          .action = [words](Context& context) { return run_catalog(context, *words); }};
}

}  // namespace nexus::cli
