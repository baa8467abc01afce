#include "daemon/access/use_gate.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/regular_file.h"
#include "common/text.h"
#include "daemon/groups.h"
#include "daemon/peer_process.h"

namespace nexus {
namespace {

constexpr const char* kWhoMay = "nexus status tells who may use it, nexus access changes that";

Error refused(const std::string& message, const std::string& hint = kWhoMay) {
  return {ErrorCode::use_refused, message, hint};
}

bool is_member(const std::vector<std::string>& groups, const Caller& caller) {
  return std::any_of(groups.begin(), groups.end(), [&](const std::string& name) {
    const auto group = group_named(name);
    return group && caller.process && caller.process->is_in(*group);
  });
}

/// Users and groups are one list: whoever is in either.
bool is_user_allowed(const api::UseRules& rules, const Caller& caller) {
  if (rules.uids.empty() && rules.groups.empty()) return true;
  return std::find(rules.uids.begin(), rules.uids.end(), caller.uid) != rules.uids.end() ||
         is_member(rules.groups, caller);
}

struct stat about_file(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) about = {};
  return about;
}

struct stat about_file(const Descriptor& file) {
  struct stat about {};
  if (fstat(file.get(), &about) != 0) about = {};
  return about;
}

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_ino != 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

Error bad_field(const char* field, const std::string& message, const std::string& hint) {
  Error error{ErrorCode::invalid_field, message, hint};
  error.field = field;
  return error;
}

Result<void> check_program_file(const std::string& path) {
  const auto file = open_regular_file(path);
  if (file.get() < 0 && errno != EACCES)
    return bad_field("programs", path + " cannot be looked at: " + why_not_opened(),
                     "name a program's file as nexusd sees it");
  char first[2]{};
  if (file.get() < 0 || read(file.get(), first, 2) != 2 || first[0] != '#' || first[1] != '!')
    return {};
  return bad_field("programs", path + " is a script, which its interpreter runs",
                   "name the interpreter, which stands for all of its scripts");
}

/// Which program in which session of which user: that is who is remembered.
std::string identity_of(const Caller& caller, const Result<CallingProgram>& program) {
  const auto user = std::to_string(caller.uid) + " ";
  if (!program) return user + "process " + std::to_string(caller.pid);
  const auto about = about_file(program->file);
  return user + std::to_string(about.st_dev) + ":" + std::to_string(about.st_ino) + " " +
         std::to_string(program->session);
}

}  // namespace

Result<void> check_use_rules(const api::UseRules& rules) {
  for (const auto& program : rules.programs) NEXUS_CHECK(check_program_file(program.path));
  for (const auto& group : rules.groups)
    if (const auto known = group_named(group); !known)
      return bad_field("groups", known.error().message, known.error().hint);
  return {};
}

void UseGate::pass(const ConnectionRow& row, const Caller& caller, Right right, Done done) {
  if (is_open(row, caller)) return done({});
  if (sleep_.has_slept())
    return done(Error{ErrorCode::vault_locked, "the vault is locked, as the machine has slept",
                      "run: nexus unlock"});
  if (caller.is_application()) {
    if (is_for(caller, right, row)) return done({});
    auto error = refused(
        "it is said who may use connection " + row.id + ", and this API key is not for it alone",
        "make one that is: nexus key create --name NAME --use " + row.id);
    error.connection_id = row.id;
    error.provider = row.provider_name;
    return done(std::move(error));
  }
  Use use{row.id, row.provider_name, row.alias.empty() ? row.provider_name : row.alias,
          row.use_rules, caller};
  const auto told = [use, done = std::move(done)](Result<void> allowed) {
    if (!allowed) {
      allowed.error().connection_id = use.connection_id;
      allowed.error().provider = use.provider;
    }
    done(std::move(allowed));
  };
  workers_.submit([this, use, told] { check(use, told); });
}

void UseGate::check(const Use& use, const Done& done) {
  const auto& rules = *use.rules;
  // Also where no rule asks for it: then it is on record.
  const auto program = use.caller.process
                           ? use.caller.process->program()
                           : Result<CallingProgram>(refused("no process of this machine asks"));
  if (!is_user_allowed(rules, use.caller))
    return done(refused("user " + std::to_string(use.caller.uid) + " may not use " + use.called));
  if (!rules.programs.empty()) {
    if (!program)
      return done(refused(use.called + " is for certain programs, and " + program.error().message,
                          program.error().hint));
    if (auto allowed = check_program(use, *program); !allowed) return done(std::move(allowed));
  }
  if (!rules.confirm_minutes) return done({});
  confirm(use, program, done);
}

Result<void> UseGate::check_program(const Use& use, const CallingProgram& program) {
  const auto file = about_file(program.file);
  bool is_changed = false;
  for (const auto& allowed : use.rules->programs) {
    if (!is_same_file(file, about_file(allowed.path))) continue;
    if (allowed.sha256.empty() || hashes_.of(program.file) == allowed.sha256) return {};
    is_changed = true;
  }
  const auto path = printable(program.path, 300);
  if (is_changed)
    return refused(path + " may not use " + use.called + ": its file is not the one that was meant",
                   "where it was updated, run: nexus access " + use.connection_id + " --exe " +
                       shell_quote(path) + "@sha256:$(sha256sum < " + shell_quote(path) +
                       " | cut -c1-64), with all else that is to hold");
  return refused(path + " may not use " + use.called);
}

void UseGate::confirm(const Use& use, const Result<CallingProgram>& program, const Done& done) {
  const auto who =
      program ? printable(program->path, 300) : "process " + std::to_string(use.caller.pid);
  const auto whose = use.caller.uid == static_cast<std::int64_t>(geteuid())
                         ? ""
                         : " of user " + std::to_string(use.caller.uid);
  // Whom the kernel does not tell is not known again either.
  confirmations_.ask({.connection_id = use.connection_id,
                      .caller = identity_of(use.caller, program),
                      .question = "Let " + who + whose + " use " + use.called + "?",
                      .nonce = use.caller.confirmation,
                      .minutes = program ? *use.rules->confirm_minutes : 0},
                     done);
}

}  // namespace nexus
