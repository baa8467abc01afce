#include "cli/credential/quick.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace nexus::cli {
namespace {

struct Quick {
  std::string_view tool;
  std::string_view program;  ///< the name that it is run by, "" where there is none
  std::initializer_list<std::string_view> verbs;  ///< its one word; none: a connection
  Helper run;
};

const Quick kQuick[] = {
    {"git", "git-credential-nexus", {"get", "store", "capability"}, run_git_helper},
    {"docker",
     "docker-credential-nexus",
     {"get", "store", "erase", "list", "version"},
     run_docker_helper},
    {"aws", "", {}, run_aws_helper},
};

bool is_its_word(const Quick& quick, std::string_view word) {
  return quick.verbs.size() == 0 ||
         std::find(quick.verbs.begin(), quick.verbs.end(), word) != quick.verbs.end();
}

}  // namespace

std::optional<QuickHelper> quick_helper(int argc, char** argv) {
  std::span<char*> rest(argv, static_cast<std::size_t>(argc));
  if (rest.empty()) return std::nullopt;
  const std::string_view path(rest[0]);
  const auto program = path.substr(path.rfind('/') + 1);
  rest = rest.subspan(1);
  const bool by_word = rest.size() >= 2 && std::string_view(rest[0]) == "credential";
  const auto* quick = std::find_if(std::begin(kQuick), std::end(kQuick), [&](const Quick& each) {
    return by_word ? each.tool == rest[1] : !each.program.empty() && each.program == program;
  });
  if (quick == std::end(kQuick)) return std::nullopt;
  if (by_word) rest = rest.subspan(2);
  QuickHelper helper{.run = quick->run};
  for (; !rest.empty(); rest = rest.subspan(1)) {
    const std::string_view word(rest[0]);
    std::string* value = word == "--connection"  ? &helper.args.connection
                         : word == "--username"  ? &helper.args.username
                         : word == "--workspace" ? &helper.options.workspace
                                                 : nullptr;
    if (value && rest.size() > 1) {
      *value = rest[1];
      rest = rest.subspan(1);
    } else if (word.empty() || word.starts_with('-')) {
      return std::nullopt;
    } else {
      helper.args.words.emplace_back(word);
    }
  }
  const auto& words = helper.args.words;
  const bool one = words.size() == 1 && is_its_word(*quick, words[0]);
  return one ? std::optional(std::move(helper)) : std::nullopt;
}

}  // namespace nexus::cli
