#include <algorithm>
#include <map>
#include <memory>

#include "cli/catalogue.h"
#include "cli/commands/provider.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"
#include "common/json.h"
#include "common/suggestion.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct CatalogArgs {
  std::vector<std::string> words;
  std::string category;
  std::string type;

  bool narrows() const { return !words.empty() || !category.empty() || !type.empty(); }
};

/// The categories that there are, each with how many are in it.
using Categories = std::map<std::string, int>;

Categories categories_of(const std::vector<CatalogueEntry>& entries) {
  Categories categories;
  for (const auto& entry : entries)
    if (!entry.category.empty()) ++categories[entry.category];
  return categories;
}

Result<void> check_category(const std::string& wanted, const Categories& categories) {
  if (wanted.empty() || categories.contains(wanted)) return {};
  std::vector<std::string> names;
  for (const auto& [name, count] : categories) names.push_back(name);
  const auto meant = suggestion(wanted, names);
  return Error{ErrorCode::usage, "there is no category '" + printable(wanted, 60) + "'",
               meant ? "did you mean: --category " + *meant : "there are: " + join(names, ", ")};
}

bool is_wanted(const CatalogueEntry& entry, const CatalogArgs& args) {
  if (!args.category.empty() && entry.category != args.category) return false;
  if (!args.type.empty() && word(entry.auth_type) != args.type) return false;
  return matches(entry, args.words);
}

/// The names that may be meant by words that nothing in the catalogue has.
std::vector<std::string> meant_by(const std::vector<std::string>& words,
                                  const std::vector<CatalogueEntry>& entries) {
  std::vector<std::string> meant;
  for (const auto& word : words) {
    const bool is_there = std::any_of(entries.begin(), entries.end(),
                                      [&](const auto& entry) { return matches(entry, {word}); });
    if (is_there) continue;
    for (auto& name : Catalogue().nearest(word)) meant.push_back(std::move(name));
  }
  return meant;
}

Error nothing_fits(const CatalogArgs& args, const std::vector<std::string>& meant) {
  std::string asked = join(args.words, " ");
  if (!args.category.empty()) asked += " in " + args.category;
  if (!args.type.empty()) asked += " of type " + args.type;
  return {ErrorCode::provider_not_found,
          "nothing in the catalogue fits " + std::string(trim(asked)),
          (meant.empty() ? "" : "did you mean " + join(meant, " or ") + "? Else ") +
              "register it by its endpoints: nexus provider add NAME --auth-url … --token-url …"};
}

void print_json(const Output& output, const std::vector<CatalogueEntry>& entries) {
  JsonWriter list;
  list.begin().begin_list("entries");
  for (const auto& entry : entries)
    list.begin()
        .member("name", entry.name)
        .member("display_name", entry.display_name)
        .member("category", entry.category)
        .member("auth_type", word(entry.auth_type))
        .end();
  output.json_line(list.end_list().end().take());
}

void print_table(const Output& output, const std::vector<CatalogueEntry>& entries) {
  std::vector<Cells> rows;
  for (const auto& entry : entries)
    rows.push_back(
        {entry.name, word(entry.auth_type), entry.display_name, or_dash(entry.category)});
  Table(output, {{"NAME"}, {"TYPE"}, {"PROVIDER", 20}, {"CATEGORY"}}).print(rows);
}

/// How to find what one is looking for among so many.
void tell_categories(const Output& output, const Categories& categories) {
  std::vector<std::string> counted;
  for (const auto& [name, count] : categories)
    counted.push_back(name + " (" + std::to_string(count) + ")");
  output.note("Give words to look for, --type T, or --category C, of:");
  output.note_behind("  ", join(counted, ", "));
}

Result<int> run_catalog(Context& context, const CatalogArgs& args) {
  std::vector<Error> problems;
  auto entries = Catalogue().all(problems);
  for (const auto& problem : problems) context.output.warn(problem.message);
  if (entries.empty())
    return Error{ErrorCode::failure, "the catalogue is not there",
                 "install share/nexus/providers beside nexus"};
  const auto categories = categories_of(entries);
  const auto all = entries.size();
  const auto meant = meant_by(args.words, entries);
  NEXUS_CHECK(check_category(args.category, categories));
  std::erase_if(entries, [&](const CatalogueEntry& entry) { return !is_wanted(entry, args); });
  if (context.output.json) {
    print_json(context.output, entries);
    return 0;
  }
  if (entries.empty()) return nothing_fits(args, meant);
  page(context.output);
  print_table(context.output, entries);
  context.output.note(std::to_string(entries.size()) + " of " + std::to_string(all) +
                      "; nexus provider show NAME tells more, nexus connect NAME starts");
  if (!args.narrows()) tell_categories(context.output, categories);
  return 0;
}

}  // namespace

Command provider_catalog_command() {
  auto args = std::make_shared<CatalogArgs>();
  return {
      .name = "catalog",
      .summary = "Search the providers that nexus knows",
      .arguments = {{"words", &args->words, "words to look for in names, categories and types"},
                    {"--category", &args->category, "only this category, for example ai or crm"},
                    {"--type",
                     &args->type,
                     "only what authenticates so",
                     {.one_of = word_list<AuthType>()}}},
      .action = [args](Context& context) { return run_catalog(context, *args); },
      .examples = {"nexus provider catalog google", "nexus provider catalog --category ai",
                   "nexus provider catalog --type aws_sigv4"}};
}

}  // namespace nexus::cli
