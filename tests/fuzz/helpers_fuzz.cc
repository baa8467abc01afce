// What programs ask their credential helpers, and the files of theirs that name the helper. No
// daemon answers here: what is asked is understood or refused, in the program's own words.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "cli/credential/git_request.h"
#include "cli/credential/helpers.h"
#include "cli/credential/text_edits.h"
#include "common/json.h"
#include "tests/fuzz/fuzz.h"

using namespace nexus;
using namespace nexus::cli;
using namespace nexus::fuzz;

namespace {

struct Said {
  std::string output;
  Result<int> result = 0;
};

/// Runs a helper as its program does: what it asks on standard input, the answer on standard
/// output.
Said run(Helper helper, std::string_view request, const std::vector<std::string>& words) {
  static const int in = memfd_create("request", 0);
  static const int out = memfd_create("answer", 0);
  static const bool ready =
      dup2(in, STDIN_FILENO) == STDIN_FILENO && dup2(out, STDOUT_FILENO) == STDOUT_FILENO;
  require(ready && ftruncate(in, 0) == 0 && ftruncate(out, 0) == 0);
  require(pwrite(in, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  require(lseek(in, 0, SEEK_SET) == 0 && lseek(out, 0, SEEK_SET) == 0);
  Config config;
  config.workspace = "default";
  config.socket = "/nonexistent/nexusd.sock";
  config.credential.push_back({{"fuzz.example.com", "/team"}, "fuzz", ""});
  Context context{config, {}, Client(config, false)};
  Said said;
  said.result = helper(context, HelperArgs{.words = words});
  if (!said.result) require_plain(said.result.error());
  said.output.resize(static_cast<std::size_t>(lseek(out, 0, SEEK_END)));
  require(pread(out, said.output.data(), said.output.size(), 0) ==
          static_cast<ssize_t>(said.output.size()));
  return said;
}

void follow_git(std::string_view text) {
  const auto request = parse_git_request(text);
  const auto said = run(run_git_helper, text, {"get"});
  if (!request) return require(!said.result && said.output.empty());
  require(request->username.find('\n') == std::string::npos);
  // An answer, or the end of git's asking around; never a part of one.
  require(said.output.empty() || said.output == "quit=1\n");
  // What git sends beside has no say in where it goes.
  const auto again = parse_git_request("wwwauth[]=Basic\nfuture=1\n" + std::string(text));
  require(again && again->site == request->site && again->username == request->username);
}

void follow_docker(std::string_view text) {
  const auto said = run(run_docker_helper, text, {"get"});
  require(said.result && std::count(said.output.begin(), said.output.end(), '\n') == 1);
}

/// A line for each line, and one before them.
void follow_cargo(std::string_view text) {
  const auto said = run(run_cargo_helper, text, {});
  const auto lines = std::count(text.begin(), text.end(), '\n');
  require(said.result && std::count(said.output.begin(), said.output.end(), '\n') == lines + 1);
  std::string_view output(said.output);
  while (!output.empty()) require(is_json_object(take_line(output)));
}

void follow_bazel(std::string_view text) {
  const auto said = run(run_bazel_helper, text, {"get"});
  require(said.result ? is_json_object(said.output) : said.output.empty());
}

void follow_kubectl(std::string_view text) {
  setenv("KUBERNETES_EXEC_INFO", std::string(text).c_str(), 1);
  const auto said = run(run_kubectl_helper, "", {});
  require(said.result ? is_json_object(said.output) : said.output.empty());
}

/// What is put in goes again, and nothing else does.
void follow_edits(std::string_view text) {
  const std::string host = "fuzz.example.com";
  const std::string url = "https://" + host;
  if (text.find("fuzz") != std::string_view::npos || text.find("nexus") != std::string_view::npos)
    return;
  const auto git = with_git_helper(text, url, "nexus --connection fuzz");
  require(without_git_helper(git, url) == text);
  require(with_git_helper(git, url, "nexus --connection fuzz") == git);
  if (const auto docker = with_docker_helper(text, host)) {
    require(is_json_object(*docker));
    const auto without = without_docker_helper(*docker, host);
    require(without && (*without == text || trim(text).empty()));
    const auto twice = with_docker_helper(*docker, host);
    require(twice && *twice == *docker);
  } else {
    require_plain(docker.error());
  }
  if (const auto aws = with_aws_process(text, "fuzz", "nexus credential aws fuzz")) {
    const auto without = without_aws_process(*aws, "fuzz");
    require(without && *without == text);
  } else {
    require_plain(aws.error());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [kind, text] = input_of(data, size, 6);
  switch (kind) {
    case 0:
      follow_git(text);
      break;
    case 1:
      follow_docker(text);
      break;
    case 2:
      follow_cargo(text);
      break;
    case 3:
      follow_bazel(text);
      break;
    case 4:
      follow_kubectl(text);
      break;
    case 5:
      follow_edits(text);
      break;
  }
  return 0;
}
