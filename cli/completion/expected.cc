#include "cli/completion/expected.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/text.h"

namespace nexus::cli {
namespace {

bool is_option(const Argument& argument) {
  return argument.name[0] == '-';
}

bool has_negation(const Argument& argument) {
  return std::holds_alternative<std::optional<bool>*>(argument.into);
}

bool takes_value(const Argument& argument) {
  return !std::holds_alternative<bool*>(argument.into) && !has_negation(argument);
}

bool is_repeatable(const Argument& argument) {
  return std::holds_alternative<std::vector<std::string>*>(argument.into);
}

/// All that an option can be called.
std::vector<std::string> names_of(const Argument& option) {
  auto names = split(option.name, ',');
  if (has_negation(option)) names.push_back("--no-" + names.front().substr(2));
  return names;
}

void store(const Argument& argument, std::string value) {
  if (auto* const* into = std::get_if<std::string*>(&argument.into)) **into = std::move(value);
}

/// A command line as far as it is written: which command it is of, and what it has already.
class Written {
 public:
  explicit Written(const CommandLine& program) : program_(program), command_(&program) {}

  void take(const std::string& word) {
    if (is_lost_ || runs_program_) return;
    if (awaits_value_) {
      store(*awaits_value_, word);
      awaits_value_ = nullptr;
    } else if (word == "--" && !options_are_over_) {
      options_are_over_ = true;
      runs_program_ = command_->runs != nullptr;
    } else if (word.starts_with('-') && word != "-" && !options_are_over_) {
      take_option(word);
    } else if (command_->commands.empty()) {
      values_.push_back(word);
    } else {
      take_command(word);
    }
  }

  Expected expected(const std::string& current) const {
    if (is_lost_) return {};
    if (runs_program_) return {.kind = Expected::Kind::program};
    if (awaits_value_) return value_of(*awaits_value_, "", current);
    if (current.starts_with('-') && !options_are_over_) {
      const auto equals = current.find('=');
      if (equals == std::string::npos) return options();
      const auto* option = find(current.substr(0, equals));
      return option && takes_value(*option)
                 ? value_of(*option, current.substr(0, equals + 1), current.substr(equals + 1))
                 : Expected{};
    }
    if (!command_->commands.empty()) {
      auto expected = commands();
      if (command_ == &program_) expected.words.push_back({"help", "Explain a command"});
      return expected;
    }
    const auto* argument = next_value();
    if (!argument) return options_are_over_ ? Expected{} : options();
    auto expected = value_of(*argument, "", current);
    expected.given = values_;
    if (command_->runs) expected.words.push_back({"--", "the program and its words follow"});
    return expected;
  }

  /// The commands below the one that is written, none where there is no such command.
  Expected commands() const {
    Expected expected{.what = "command"};
    if (is_lost_) return expected;
    for (const auto& each : command_->commands) expected.words.push_back({each.name, each.summary});
    return expected;
  }

 private:
  const Argument* find(std::string_view name) const {
    for (const auto* line : {command_, &program_})
      for (const auto& argument : line->arguments) {
        if (!is_option(argument)) continue;
        const auto names = names_of(argument);
        if (std::find(names.begin(), names.end(), name) != names.end()) return &argument;
      }
    return nullptr;
  }

  void take_option(const std::string& word) {
    if (!word.starts_with("--")) return take_letters(word);
    const auto equals = word.find('=');
    const auto* option = find(word.substr(0, equals));
    if (!option) return;
    options_.push_back(option);
    if (equals != std::string::npos)
      store(*option, word.substr(equals + 1));
    else if (takes_value(*option))
      awaits_value_ = option;
  }

  /// "-i", "-iv", "-oFILE"
  void take_letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto* option = find(std::string{'-', word[i]});
      if (!option) return;
      options_.push_back(option);
      if (!takes_value(*option)) continue;
      if (i + 1 == word.size()) awaits_value_ = option;
      return;
    }
  }

  void take_command(const std::string& word) {
    const auto& all = command_->commands;
    const auto found = std::find_if(all.begin(), all.end(), [&](const CommandLine& each) {
      return word == each.name || (!each.alias.empty() && word == each.alias);
    });
    is_lost_ = found == all.end();
    if (!is_lost_) command_ = &*found;
  }

  /// The argument whose value comes next; null where there have been all.
  const Argument* next_value() const {
    std::size_t place = 0;
    for (const auto& argument : command_->arguments) {
      if (is_option(argument)) continue;
      if (place == values_.size() || is_repeatable(argument)) return &argument;
      ++place;
    }
    return nullptr;
  }

  Expected value_of(const Argument& argument, std::string prefix,
                    const std::string& written) const {
    Expected expected{
        .names = argument.rules.names, .prefix = std::move(prefix), .what = argument.help};
    if (expected.names == Names::file) expected.kind = Expected::Kind::file;
    if (expected.names == Names::connection_by_variable) {
      const auto equals = written.find('=');
      expected.names = equals == std::string::npos ? Names::nothing : Names::connection;
      expected.prefix += written.substr(0, equals + 1);
    }
    for (const auto& word : argument.rules.one_of)
      expected.words.push_back({expected.prefix + word});
    return expected;
  }

  Expected options() const {
    Expected expected{.what = "option"};
    const auto add = [&](const Argument& option) {
      const bool is_given = std::find(options_.begin(), options_.end(), &option) != options_.end();
      if (!is_option(option) || option.rules.hidden || (is_given && !is_repeatable(option))) return;
      for (auto& name : names_of(option)) expected.words.push_back({std::move(name), option.help});
    };
    for (const auto& argument : command_->arguments) add(argument);
    if (command_ != &program_)
      for (const auto& argument : program_.arguments) add(argument);
    expected.words.push_back({"--help", "show this help"});
    if (command_ == &program_) expected.words.push_back({"--version", "show the version"});
    return expected;
  }

  const CommandLine& program_;
  const CommandLine* command_;
  std::vector<const Argument*> options_;
  std::vector<std::string> values_;
  const Argument* awaits_value_ = nullptr;
  bool options_are_over_ = false;
  bool runs_program_ = false;
  bool is_lost_ = false;  ///< there is no such command
};

}  // namespace

Expected expected_at(const CommandLine& program, const std::vector<std::string>& words,
                     const std::string& current) {
  const bool is_help = !words.empty() && words.front() == "help";
  Written written(program);
  for (const auto& word : words)
    if (!is_help || word != "help") written.take(word);
  return is_help ? written.commands() : written.expected(current);
}

}  // namespace nexus::cli
