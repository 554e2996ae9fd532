#include "exporter/commands/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "collectors/base/suggest.h"
#include "config/load.h"
#include "config/text.h"
#include "config/yaml_document.h"
#include "exporter/commands/command_table.h"
#include "exporter/http/web_file.h"
#include "exporter/metrics/build_info.h"

namespace kmem {
namespace {

using config::in_quotes;

enum class Takes { kValue, kSwitch, kBool };

/// Every flag of every command.
std::map<std::string, Takes, std::less<>> all_flags() {
  std::map<std::string, Takes, std::less<>> flags;
  for (const CommonFlag& flag : common_flags()) flags.emplace(flag.name, flag.value.empty() ? Takes::kSwitch : Takes::kValue);
  for (const CommandRow& row : command_table())
    for (const CommandFlag& flag : row.flags)
      if (!flag.is_positional()) flags.emplace(flag.name, flag.is_switch() ? Takes::kSwitch : Takes::kValue);
  for (const config::KnobInfo& knob : config::knobs()) {
    const bool is_bool = knob.type == config::KnobType::kBool;
    flags.emplace(knob.flag, is_bool ? Takes::kBool : Takes::kValue);
    if (is_bool) flags.emplace(negated(knob.flag), Takes::kBool);
  }
  return flags;
}

/// Rewrites the arguments into the form that CLI11 2.1.2 reads without surprises: the command first, a flag's value
/// as an argument of its own. Left to itself it takes the next argument for the value of "--flag=", and lets a flag
/// whose value was forgotten swallow the next flag.
std::vector<std::string> normalize(int argc, const char* const* argv, std::vector<std::string>& faults) {
  const auto flags = all_flags();
  std::vector<std::string> out;
  bool has_command = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--") {
      out.insert(out.end(), argv + i, argv + argc);
      break;
    }
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const auto flag = flags.find(name);
    if (flag == flags.end()) {
      const auto is_it = [&](const CommandRow& row) { return row.name == argument; };
      const bool is_command = std::any_of(command_table().begin(), command_table().end(), is_it);
      out.insert(is_command && !has_command ? out.begin() : out.end(), argument);
      has_command = has_command || is_command;
      continue;
    }
    if (flag->second == Takes::kValue) {
      const std::string next = equals == std::string::npos && i + 1 < argc ? argv[i + 1] : "";
      if (equals != std::string::npos) {
        out.insert(out.end(), {name, argument.substr(equals + 1)});
      } else if (i + 1 == argc) {
        faults.push_back(name + ": expected a value behind it");
      } else if (flags.contains(next.substr(0, next.find('=')))) {
        faults.push_back(name + ": expected a value behind it, got the flag " + next + "; write " + name + "=" + next +
                         " if that is the value");
      } else {
        out.insert(out.end(), {name, next});
        ++i;
      }
      continue;
    }
    if (equals == std::string::npos) {
      out.push_back(name);
      continue;
    }
    const std::string value = argument.substr(equals + 1);
    const bool is_negated = name.starts_with("--no-");
    if (flag->second == Takes::kSwitch || (value != "true" && value != "false"))
      faults.push_back(name + ": expected " + (flag->second == Takes::kSwitch ? "no value" : "true, false or no value") +
                       ", got " + in_quotes(value));
    else if (value == "true") out.push_back(name);
    else out.push_back(is_negated ? "--" + name.substr(5) : negated(name));
  }
  return out;
}

/// CLI11's options of the program and its commands, by the names in our tables.
class Grammar {
 public:
  Grammar() {
    // Before the commands are added: they inherit it. Windows style would take the value /metrics for a flag.
    app_.set_help_flag();
    app_.allow_windows_style_options(false);
    app_.allow_extras();
    app_.require_subcommand(0, 1);
    for (const CommonFlag& flag : common_flags()) {
      const std::string name = flag.name == "--help" ? "-h,--help" : std::string(flag.name);
      common_.push_back(flag.value.empty() ? app_.add_flag(name) : add_option(app_, name));
    }
    for (const config::KnobInfo& knob : config::knobs()) {
      const bool is_bool = knob.type == config::KnobType::kBool;
      knobs_.push_back(is_bool ? app_.add_flag(knob.flag) : add_option(app_, knob.flag));
      negated_.push_back(is_bool ? app_.add_flag(negated(knob.flag)) : nullptr);
    }
    for (const CommandRow& row : command_table()) {
      CLI::App* command = app_.add_subcommand(std::string(row.name));
      command->fallthrough();
      for (const CommandFlag& flag : row.flags) {
        const std::string name(flag.name);
        own_[&flag] = flag.is_switch() ? command->add_flag(name) : add_option(*command, name);
        if (flag.repeats && flag.is_positional()) own_[&flag]->expected(-1);
      }
      commands_.push_back(command);
    }
  }

  void parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    app_.parse(std::move(arguments));
  }

  [[nodiscard]] const CommandRow* command() const {
    for (std::size_t i = 0; i < commands_.size(); ++i)
      if (commands_[i]->parsed()) return &command_table()[i];
    return nullptr;
  }
  [[nodiscard]] bool given(std::string_view common) const {
    for (std::size_t i = 0; i < common_.size(); ++i)
      if (common_flags()[i].name == common) return common_[i]->count() > 0;
    return false;
  }
  [[nodiscard]] const std::vector<std::string>& common(std::size_t index) const { return common_[index]->results(); }
  [[nodiscard]] const std::vector<std::string>& own(const CommandFlag& flag) const { return own_.at(&flag)->results(); }
  [[nodiscard]] const std::vector<std::string>& knob(std::size_t index) const { return knobs_[index]->results(); }
  [[nodiscard]] std::size_t negated_count(std::size_t index) const {
    return negated_[index] == nullptr ? 0 : negated_[index]->count();
  }
  [[nodiscard]] std::vector<std::string> extras() const { return app_.remaining(true); }

 private:
  // Everything given is kept, so that we count it and say what is wrong in our words.
  static CLI::Option* add_option(CLI::App& app, const std::string& name) {
    return app.add_option(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  CLI::App app_;
  std::vector<CLI::Option*> common_, knobs_, negated_;
  std::vector<CLI::App*> commands_;
  std::map<const CommandFlag*, CLI::Option*> own_;
};

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto meant = base::nearest(word, candidates);
  return meant ? "; did you mean " + *meant + "?" : "";
}

void report_extras(const Grammar& grammar, const CommandRow& command, std::vector<std::string>& faults) {
  std::vector<std::string_view> flags, commands;
  const auto known = all_flags();
  for (const auto& [name, takes] : known) {
    bool fits = true;
    for (const CommandRow& row : command_table())
      for (const CommandFlag& flag : row.flags)
        if (flag.name == name) fits = false;
    if (fits) flags.push_back(name);
  }
  for (const CommandFlag& flag : command.flags) flags.push_back(flag.name);
  for (const CommandRow& row : command_table()) commands.push_back(row.name);

  bool after_unknown_flag = false;
  for (const std::string& extra : grammar.extras()) {
    const bool is_flag = extra.starts_with('-') && extra.size() > 1;
    // What follows an unknown flag is most likely its value.
    if (extra == "--" || (after_unknown_flag && !is_flag)) {
      after_unknown_flag = false;
      continue;
    }
    const std::string name = extra.substr(0, extra.find('='));
    after_unknown_flag = is_flag && name == extra;
    if (is_flag && known.contains(name)) faults.push_back(name + ": not a flag of " + std::string(command.name));
    else if (is_flag) faults.push_back(name + ": unknown flag" + did_you_mean(name, flags));
    else if (grammar.command() == nullptr)
      faults.push_back("unknown command " + in_quotes(extra) + did_you_mean(extra, commands));
    else faults.push_back("unexpected argument " + in_quotes(extra) + " to " + std::string(command.name));
  }
}

/// False, with a fault, when a flag stands there several times.
bool at_most_once(std::string_view name, std::size_t count, std::vector<std::string>& faults) {
  if (count > 1) faults.push_back(std::string(name) + ": expected once, got " + std::to_string(count) + " times");
  return count <= 1;
}

void take_knobs(const Grammar& grammar, Options& options, std::vector<std::string>& faults) {
  for (std::size_t i = 0; i < config::knobs().size(); ++i) {
    const config::KnobInfo& knob = config::knobs()[i];
    const std::vector<std::string>& values = grammar.knob(i);
    const std::size_t off = grammar.negated_count(i);
    if (values.empty() && off == 0) continue;
    if (knob.type == config::KnobType::kList) {
      options.overrides.push_back({&knob, values});
    } else if (!values.empty() && off > 0) {
      faults.push_back(knob.flag + ": expected it without " + negated(knob.flag));
    } else if (at_most_once(off > 0 ? negated(knob.flag) : knob.flag, values.size() + off, faults)) {
      if (knob.type == config::KnobType::kBool) options.overrides.push_back({&knob, {off > 0 ? "false" : "true"}});
      else options.overrides.push_back({&knob, values});
    }
  }
}

void take_common_flags(const Grammar& grammar, Options& options, std::vector<std::string>& faults) {
  for (std::size_t i = 0; i < common_flags().size(); ++i) {
    const CommonFlag& flag = common_flags()[i];
    const std::vector<std::string>& values = grammar.common(i);
    if (at_most_once(flag.name, values.size(), faults) && values.size() == 1 && flag.apply != nullptr)
      flag.apply(options, values[0]);
  }
}

void take_own_flags(const Grammar& grammar, const CommandRow& command, Options& options, std::vector<std::string>& faults) {
  for (const CommandFlag& flag : command.flags) {
    const std::vector<std::string>& values = grammar.own(flag);
    const auto instead = std::find_if(command.flags.begin(), command.flags.end(),
                                      [&](const CommandFlag& other) { return other.name == flag.unless; });
    const bool is_replaced = instead != command.flags.end() && !grammar.own(*instead).empty();
    if (is_replaced && !values.empty())
      faults.push_back(std::string(command.name) + ": expected " + std::string(flag.name) + " or " + std::string(flag.unless) +
                       ", got both");
    if (values.empty() && flag.is_required && !is_replaced)
      faults.push_back(std::string(command.name) + ": expected " + std::string(flag.name) +
                       (flag.value.empty() ? "" : " " + std::string(flag.value)));
    if (!flag.repeats && !at_most_once(flag.name, values.size(), faults)) continue;
    for (const std::string& value : values)
      if (const std::string expected = flag.apply(options, value); !expected.empty())
        faults.push_back(std::string(flag.name) + ": expected " + expected + ", got " + in_quotes(value));
  }
}

ParseOutcome refused(const std::vector<std::string>& faults) {
  ParseOutcome outcome;
  for (const std::string& fault : faults) outcome.err += "kmem_exporter: " + fault + "\n";
  outcome.err += "Try `kmem_exporter --help`.\n";
  outcome.exit_code = kExitUnusable;
  return outcome;
}

}  // namespace

ParseOutcome parse_arguments(int argc, const char* const* argv) {
  std::vector<std::string> faults;
  const std::vector<std::string> arguments = normalize(argc, argv, faults);
  Grammar grammar;
  try {
    grammar.parse(arguments);
  } catch (const CLI::Error& error) {
    faults.emplace_back(error.what());
    return refused(faults);
  }

  const CommandRow* const named = grammar.command();
  const CommandRow& command = named == nullptr ? command_table().front() : *named;
  ParseOutcome outcome;
  if (grammar.given("--help")) outcome.out = help_text(named);
  if (grammar.given("--version")) outcome.out = version_text();
  if (!outcome.out.empty()) return outcome;

  Options options;
  options.command = command.command;
  report_extras(grammar, command, faults);
  take_common_flags(grammar, options, faults);
  const bool has_config_flag = !options.config_file.empty();
  take_knobs(grammar, options, faults);
  take_own_flags(grammar, command, options, faults);
  if (command.command == Command::kCheckConfig) {
    const bool has_argument = !grammar.own(command.flags[0]).empty();
    if (has_argument == has_config_flag) faults.emplace_back("check-config: expected one FILE");
  }
  if (command.command == Command::kAnalyze && options.prometheus_url.empty() &&
      (!options.selectors.empty() || !options.prometheus_config.empty()))
    faults.emplace_back("analyze: expected --prometheus.url with --label and --prometheus.config");
  if (command.command == Command::kService && !common_arguments(options).empty() &&
      options.service_action != service::Action::kInstall && options.service_action != service::Action::kConfigure)
    faults.emplace_back("service: flags of serve belong to install and configure, which give them to the service");
  if (!faults.empty()) return refused(faults);
  outcome.options = std::move(options);
  return outcome;
}

Resolved resolve(const Options& options, base::FileSystem& files) {
  Resolved out;
  config::Config base_values;
  if (options.disable_default_collectors)
    for (const config::KnobInfo& knob : config::knobs())
      if (knob.name.starts_with("source.collectors.")) (void)config::set_knob(base_values, knob, {"false"});

  const auto take_faults = [&out](const std::vector<config::Fault>& faults) {
    for (const config::Fault& fault : faults) out.faults.push_back(fault.text());
  };
  out.config = base_values;
  if (!options.config_file.empty()) {
    if (const auto text = base::read_file(files, options.config_file, config::kMaxFileBytes); !text) {
      out.faults.push_back("--config.file: " + text.error().message);
    } else {
      config::LoadResult loaded = config::load(*text, options.config_file, base_values);
      take_faults(loaded.faults);
      out.config = std::move(loaded.config);
    }
  }
  for (const Override& change : options.overrides)
    for (const config::ValueFault& fault : config::set_knob(out.config, *change.knob, change.values))
      out.faults.push_back(change.knob->flag + ": " + fault.message);

  if (const std::string& path = out.config.web.config_file; !path.empty()) {
    config::WebLoadResult loaded = http::read_web_file(path, files);
    take_faults(loaded.faults);
    out.web_security = std::move(loaded.security);
  }
  return out;
}

std::string version_text() {
  const metrics::BuildInfo build = metrics::build_info();
  return "kmem_exporter, version " + std::string(build.version) + " (revision " + std::string(build.revision) +
         "), built with " + std::string(build.compiler) + "\n";
}

}  // namespace kmem
