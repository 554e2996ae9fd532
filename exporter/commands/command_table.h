// The table of commands, their own flags and arguments. Adding a command = an enumerator, a row here, a field in
// Options for what is new. Thread: constants.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/commands/options.h"

namespace kmem {

struct CommandFlag {
  std::string_view name;   // "--output"; without dashes: a positional argument, "FILE"
  std::string_view value;  // "FILE", for help; empty on a flag with dashes: a switch
  std::string_view help;
  bool is_required = false;
  /// Takes the value over; gives what was expected when it cannot be used, else "".
  std::string (*apply)(Options& options, const std::string& value) = nullptr;
  bool repeats = false;          // apply is called for each
  std::string_view unless = {};  // it is not required where this one is given, nor wanted with it
  bool is_in_usage = true;       // else in the list below it alone

  [[nodiscard]] bool is_switch() const { return !is_positional() && value.empty(); }
  [[nodiscard]] bool is_positional() const { return !name.starts_with('-'); }
};

struct CommandRow {
  Command command = Command::kServe;
  std::string_view name;
  std::string_view help;
  std::vector<CommandFlag> flags;
};

/// The first is the default.
[[nodiscard]] const std::vector<CommandRow>& command_table();

/// Flags of every command that set no knob: --config.file and such.
struct CommonFlag {
  std::string_view name;
  std::string_view value;  // empty: a switch
  std::string_view help;
  void (*apply)(Options& options, const std::string& value) = nullptr;  // none: --help, --version
};
[[nodiscard]] std::span<const CommonFlag> common_flags();

// The words of help texts, also of the manual page.
[[nodiscard]] std::string usage_of(const CommandRow& row);
[[nodiscard]] std::string_view value_word(const config::KnobInfo& knob);  // "DURATION"
[[nodiscard]] std::string_view group_of(const config::KnobInfo& knob);
[[nodiscard]] std::string group_title(std::string_view group);
[[nodiscard]] std::string knob_words(const config::KnobInfo& knob);  // what it does, expects and is by default
[[nodiscard]] std::string negated(std::string_view flag);            // "--no-..."

/// For the whole program, or for one command.
[[nodiscard]] std::string help_text(const CommandRow* command);

}  // namespace kmem
