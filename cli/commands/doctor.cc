#include <algorithm>
#include <array>

#include "cli/command.h"
#include "cli/doctor/examination.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"

namespace nexus::cli {
namespace {

using doctor::Finding;
using doctor::Findings;
using doctor::State;

constexpr std::size_t kNameColumns = 20;

Color color_of_state(State state) {
  constexpr std::array colors{Color::green, Color::none, Color::yellow, Color::red};
  return colors[static_cast<std::size_t>(state)];
}

/// Tells what is found, as it is found or, for programs, all in the end.
class Report {
 public:
  explicit Report(const Output& output) : output_(output) { json_.begin().begin_list("checks"); }

  void tell(const std::string& name, const Findings& findings) {
    output_.progress("");
    for (const auto& each : findings) {
      if (each.state == State::failure) ++failures_;
      if (each.state == State::warning) ++warnings_;
      output_.json ? add(name, each) : print(name, each);
    }
  }

  int end() {
    if (output_.json)
      output_.json_line(json_.end_list()
                            .member("failures", failures_)
                            .member("warnings", warnings_)
                            .end()
                            .take());
    else if (failures_ + warnings_ > 0)
      output_.note("failures: " + std::to_string(failures_) +
                   ", warnings: " + std::to_string(warnings_));
    return failures_ > 0 ? info(ErrorCode::failure).exit_code : 0;
  }

 private:
  void add(const std::string& name, const Finding& finding) {
    json_.begin()
        .member("name", name)
        .member("state", word(finding.state))
        .member("message", finding.message)
        .member_or_null("hint", finding.hint)
        .end();
  }

  void print(std::string name, const Finding& finding) const {
    std::string state = word(finding.state);
    state.resize(9, ' ');
    name.resize(std::max(name.size(), kNameColumns), ' ');
    print_text(output_, {{state, color_of_state(finding.state)}, name}, finding.message);
    if (finding.state != State::ok) print_text(output_, {"  "}, finding.hint);
  }

  const Output& output_;
  JsonWriter json_;
  std::int64_t failures_ = 0;
  std::int64_t warnings_ = 0;
};

Result<int> run(const GlobalOptions& options, Output& output) {
  page(output);
  Report report(output);
  auto config = load_config(options.config);
  if (!config) {
    // Where the settings cannot be had, there is no telling what else to look at.
    report.tell("configuration", {doctor::failure(config.error())});
    return report.end();
  }
  const auto context = context_with(*std::move(config), options);
  doctor::examine(
      doctor::look_around(context.config, context.client.starts_daemon()),
      [&](const auto& check, const auto& findings) { report.tell(check.name, findings); },
      [&](const auto& check) { output.progress(std::string("looking at ") + check.name + " …"); });
  return report.end();
}

}  // namespace

Command doctor_command() {
  return {.name = "doctor",
          .summary = "Look for what is wrong with this set-up, and how to mend it",
          .unsettled_action = run,
          .footer =
              "It starts nothing and changes nothing. nexus-doctor(1) has the checks.\n"
              "Exit code: 1 where something fails, 0 else.",
          .examples = {"nexus doctor", "nexus doctor --json"}};
}

}  // namespace nexus::cli
