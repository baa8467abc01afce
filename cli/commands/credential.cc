#include "cli/commands/credential.h"

#include <memory>

#include "cli/command.h"
#include "cli/credential/helpers.h"

namespace nexus::cli {
namespace {

/// pnpm runs its helper without a word: a link for each registry tells which.
constexpr std::string_view kPnpmPrefix = "nexus-npm-";

/// A program whose helper nexus is.
struct Tool {
  const char* name;
  const char* program;  ///< the name that it runs its helper by, "" where it runs any
  const char* summary;
  std::vector<Argument> (*arguments)(HelperArgs& args);
  Helper run;
  std::vector<std::string> examples;
};

Argument words(HelperArgs& args, const char* name, const char* help,
               std::vector<std::string> one_of = {}) {
  return {name, &args.words, help, {.required = true, .one_of = std::move(one_of)}};
}

Argument connection_itself(HelperArgs& args, const char* help) {
  return {"connection", &args.words, help, {.required = true, .names = Names::connection}};
}

Argument connection(HelperArgs& args) {
  return {"--connection",
          &args.connection,
          "whose credentials, whatever nexus.toml says",
          {.value = "CONN", .names = Names::connection}};
}

Argument username(HelperArgs& args) {
  return {"--username", &args.username, "the user name that goes with a token", {.value = "NAME"}};
}

Result<int> run_git(Context& context, const HelperArgs& args) {
  return args.words.front() == "erase" ? erase_git_token(context, args)
                                       : run_git_helper(context, args);
}

const std::vector<Tool>& tools() {
  static const std::vector<Tool> all{
      {"git",
       "git-credential-nexus",
       "Answer git",
       [](HelperArgs& args) {
         return std::vector<Argument>{words(args, "operation", "get, store, erase or capability"),
                                      connection(args), username(args)};
       },
       run_git,
       {"printf 'protocol=https\\nhost=github.com\\n' | nexus credential git get"}},
      {"docker",
       "docker-credential-nexus",
       "Answer docker, podman, buildah and skopeo",
       [](HelperArgs& args) {
         return std::vector<Argument>{words(args, "operation", "what is asked for",
                                            {"get", "store", "erase", "list", "version"}),
                                      connection(args), username(args)};
       },
       run_docker_helper,
       {"echo ghcr.io | nexus credential docker get"}},
      {"aws",
       "",
       "Print AWS keys, as credential_process wants them",
       [](HelperArgs& args) {
         return std::vector<Argument>{
             connection_itself(args, "conn_… id, alias or provider, of type aws_sigv4")};
       },
       run_aws_helper,
       {"nexus credential aws work"}},
      {"kubectl",
       "",
       "Print an ExecCredential for kubectl and its like",
       [](HelperArgs& args) {
         return std::vector<Argument>{
             {"connection",
              &args.words,
              "conn_… id, alias or provider; else the cluster's mapping",
              {.names = Names::connection}},
             {"--access-token", &args.access_token, "the access token, not the id_token"}};
       },
       run_kubectl_helper,
       {"nexus credential kubectl work"}},
      {"terraform",
       "terraform-credentials-nexus",
       "Answer Terraform and OpenTofu",
       [](HelperArgs& args) {
         return std::vector<Argument>{words(args, "operation", "get, store or forget, and a host"),
                                      connection(args)};
       },
       run_terraform_helper,
       {"nexus credential terraform get app.terraform.io"}},
      {"bazel",
       "bazel-credential-nexus",
       "Answer Bazel",
       [](HelperArgs& args) {
         return std::vector<Argument>{words(args, "operation", "what is asked for", {"get"}),
                                      connection(args)};
       },
       run_bazel_helper,
       {"echo '{\"uri\":\"https://cache.example.com/x\"}' | nexus credential bazel get"}},
      {"cargo",
       "cargo-credential-nexus",
       "Answer cargo",
       [](HelperArgs& args) {
         return std::vector<Argument>{
             connection(args),
             {"--cargo-plugin", &args.cargo_plugin, "as cargo says", {.hidden = true}}};
       },
       run_cargo_helper,
       {"nexus credential cargo --connection registry"}},
      {"keyring",
       "keyring",
       "Answer pip, uv, twine and poetry, as keyring does",
       [](HelperArgs& args) {
         return std::vector<Argument>{
             words(args, "operation", "get, a URL or host, and a user name"),
             {"--mode", &args.mode, "what to print", {.one_of = {"password", "creds"}}},
             connection(args),
             username(args)};
       },
       run_keyring_helper,
       {"nexus credential keyring get pypi.example.com --mode creds"}},
      {"goauth",
       "",
       "Answer the go command",
       [](HelperArgs& args) {
         return std::vector<Argument>{{"url", &args.words, "what was refused; go says it"},
                                      connection(args)};
       },
       run_goauth_helper,
       {"GOAUTH='nexus credential goauth' go mod download"}},
      {"gcp",
       "",
       "Print an id_token as Google's external accounts want it",
       [](HelperArgs& args) {
         return std::vector<Argument>{connection_itself(args, "conn_… id, alias or provider")};
       },
       run_gcp_helper,
       {"nexus credential gcp work"}},
      {"kubelet",
       "",
       "Answer the kubelet, for the registries of images",
       [](HelperArgs& args) {
         return std::vector<Argument>{connection(args), username(args)};
       },
       run_kubelet_helper,
       {"nexus credential kubelet --username oauth2accesstoken"}},
      {"pnpm",
       "",
       "Print what pnpm sends to a registry",
       [](HelperArgs& args) {
         return std::vector<Argument>{words(args, "registry", "its host"), connection(args)};
       },
       run_pnpm_helper,
       {"nexus credential pnpm npm.example.com"}},
  };
  return all;
}

Command command_of(const Tool& tool) {
  auto args = std::make_shared<HelperArgs>();
  return {.name = tool.name,
          .summary = tool.summary,
          .arguments = tool.arguments(*args),
          .action = [args, run = tool.run](Context& context) { return run(context, *args); },
          .examples = tool.examples};
}

}  // namespace

std::vector<std::string> helper_run_as(std::string_view program) {
  const auto name = program.substr(program.rfind('/') + 1);
  for (const auto& tool : tools())
    if (*tool.program && name == tool.program) return {"credential", tool.name};
  if (name.starts_with(kPnpmPrefix))
    return {"credential", "pnpm", std::string(name.substr(kPnpmPrefix.size()))};
  return {};
}

Command credential_command() {
  Command command{.name = "credential",
                  .summary = "Answer git, docker and others that ask a helper for credentials",
                  .examples = {"nexus credential setup git github.com --connection github"}};
  command.commands.push_back(credential_setup_command());
  for (const auto& tool : tools()) command.commands.push_back(command_of(tool));
  return command;
}

}  // namespace nexus::cli
