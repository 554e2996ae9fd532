// What packages ship beside the program, from the tables of commands, flags and knobs: the manual page and completions.
// Thread: pure. Failure: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/commands/command_table.h"

namespace kmem {

/// kmem_exporter(1), as roff.
[[nodiscard]] std::string manual_page();

/// Source text for that shell.
[[nodiscard]] std::string completions(Shell shell);

/// What can stand behind a flag, or in place of an argument.
struct ValueChoice {
  std::vector<std::string> words;  // all there are; empty: anything
  bool is_path = false;
};
[[nodiscard]] ValueChoice choice_of(const CommandFlag& flag);
[[nodiscard]] ValueChoice choice_of(const config::KnobInfo& knob);

}  // namespace kmem
