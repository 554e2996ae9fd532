#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/commands/manual.h"

namespace kmem {
namespace {

/// One flag of the command line, whichever table it is from.
struct Entry {
  std::string name, value, help;  // value empty: a switch
  ValueChoice choice;
  bool repeats = false;
};

Entry entry_of(const CommandFlag& flag) {
  return {std::string(flag.name), std::string(flag.value), std::string(flag.help), choice_of(flag), flag.repeats};
}

/// Of every command.
std::vector<Entry> common_entries() {
  std::vector<Entry> entries;
  for (const CommonFlag& flag : common_flags())
    entries.push_back({std::string(flag.name), std::string(flag.value), std::string(flag.help), {{}, !flag.value.empty()}});
  for (const config::KnobInfo& knob : config::knobs()) {
    const bool is_bool = knob.type == config::KnobType::kBool;
    entries.push_back({knob.flag, is_bool ? "" : std::string(value_word(knob)), std::string(knob.help), choice_of(knob),
                       knob.type == config::KnobType::kList});
    if (is_bool) entries.push_back({negated(knob.flag), "", "Not: " + std::string(knob.help), {}});
  }
  return entries;
}

std::vector<Entry> entries_of(const CommandRow& row, bool positional) {
  std::vector<Entry> entries;
  for (const CommandFlag& flag : row.flags)
    if (flag.is_positional() == positional) entries.push_back(entry_of(flag));
  return entries;
}

std::string joined(const std::vector<std::string>& words, std::string_view between = " ") {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : between).append(word);
  return out;
}

std::string names(const std::vector<Entry>& entries) {
  std::vector<std::string> all;
  all.reserve(entries.size());
  for (const Entry& entry : entries) all.push_back(entry.name);
  return joined(all);
}

std::vector<std::string> command_names() {
  std::vector<std::string> all;
  for (const CommandRow& row : command_table()) all.emplace_back(row.name);
  return all;
}

/// `text` with a mark before each of `special`.
std::string escaped(std::string_view text, std::string_view special, std::string_view mark) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != special.npos) out += mark;
    out += c;
  }
  return out;
}

/// Between single quotes as sh, fish and PowerShell have them.
std::string sh_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}
std::string fish_quoted(std::string_view text) { return "'" + escaped(text, "\\'", "\\") + "'"; }
std::string powershell_quoted(std::string_view text) { return "'" + escaped(text, "'", "'") + "'"; }

// --- bash ------------------------------------------------------------------------------------------------------------

std::string bash_values(const Entry& entry) {
  if (!entry.choice.words.empty()) return "COMPREPLY=($(compgen -W '" + joined(entry.choice.words) + "' -- \"$cur\"))";
  if (entry.choice.is_path) return "_kmem_exporter_files";
  return "COMPREPLY=()";
}

std::string bash() {
  std::string values, own;
  const auto add_value = [&values](const std::string& pattern, const Entry& entry) {
    values += "    " + pattern + ") " + bash_values(entry) + "; return ;;\n";
  };
  for (const CommandRow& row : command_table()) {
    const std::vector<Entry> arguments = entries_of(row, true), flags = entries_of(row, false);
    for (const Entry& entry : flags)
      if (!entry.value.empty()) add_value(std::string(row.name) + entry.name, entry);
    own += "    " + std::string(row.name) + ") flags='" + names(flags) + "'\n      arguments() { " +
           (arguments.empty() ? "COMPREPLY=()" : bash_values(arguments[0])) + "; } ;;\n";
  }
  for (const Entry& entry : common_entries())
    if (!entry.value.empty()) add_value("*" + entry.name, entry);
  return "# bash completion of kmem_exporter\n"
         "_kmem_exporter_files() {\n"
         "  compopt -o filenames 2> /dev/null\n"
         "  local IFS=$'\\n'\n"
         "  COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "}\n"
         "_kmem_exporter() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= flags= i\n"
         "  # \"--flag=value\" comes as three words.\n"
         "  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in " +
         joined(command_names(), "|") +
         ") command=${COMP_WORDS[i]}; break ;; esac\n"
         "  done\n"
         "  case $command$prev in\n" +
         values +
         "  esac\n"
         "  arguments() { COMPREPLY=($(compgen -W '" +
         joined(command_names()) +
         "' -- \"$cur\")); }\n"
         "  case $command in\n" +
         own +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags " +
         names(common_entries()) +
         "\" -- \"$cur\"))\n"
         "  else\n"
         "    arguments\n"
         "  fi\n"
         "  unset -f arguments\n"
         "}\n"
         "complete -F _kmem_exporter kmem_exporter\n";
}

// --- zsh -------------------------------------------------------------------------------------------------------------

std::string zsh_action(const Entry& entry) {
  if (!entry.choice.words.empty()) return "(" + joined(entry.choice.words) + ")";
  return entry.choice.is_path ? "_files" : " ";
}

std::string zsh_flag(const Entry& entry) {
  std::string spec = (entry.repeats ? "*" : "") + entry.name + (entry.value.empty() ? "" : "=") + "[" +
                     escaped(entry.help, "[]\\:", "\\") + "]";
  if (!entry.value.empty()) spec += ":" + entry.value + ":" + zsh_action(entry);
  return "      " + sh_quoted(spec) + "\n";
}

std::string zsh() {
  std::string commands, common, own;
  for (const CommandRow& row : command_table()) {
    commands += "    " + sh_quoted(std::string(row.name) + ":" + escaped(row.help, ":\\", "\\")) + "\n";
    own += "    " + std::string(row.name) + ") own=(\n";
    for (const Entry& entry : entries_of(row, false)) own += zsh_flag(entry);
    for (const Entry& entry : entries_of(row, true))
      own += "      " + sh_quoted("*:" + entry.name + ":" + zsh_action(entry)) + "\n";
    own += "    ) ;;\n";
  }
  for (const Entry& entry : common_entries()) common += zsh_flag(entry);
  return "#compdef kmem_exporter\n"
         "_kmem_exporter_commands() {\n  local -a commands=(\n" +
         commands +
         "  )\n  _describe command commands\n}\n"
         "_kmem_exporter() {\n"
         "  local command= word\n"
         "  local -a own=('1:command:_kmem_exporter_commands')\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    case $word in " +
         joined(command_names(), "|") +
         ") command=$word; break ;; esac\n"
         "  done\n"
         "  case $command in\n" +
         own +
         "  esac\n"
         "  [[ -z $command ]] || own=('1:command:' $own)\n"
         "  local -a common=(\n" +
         common +
         "  )\n"
         "  _arguments $own $common\n"
         "}\n"
         "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _kmem_exporter \"$@\"; else compdef _kmem_exporter kmem_exporter; fi\n";
}

// --- fish ------------------------------------------------------------------------------------------------------------

std::string fish_values(const Entry& entry) {
  if (!entry.choice.words.empty()) return " -a " + fish_quoted(joined(entry.choice.words));
  return entry.choice.is_path ? " -F" : "";
}

std::string fish_flag(const Entry& entry, const std::string& condition) {
  return "complete -c kmem_exporter" + condition + " -l " + entry.name.substr(2) +
         (entry.value.empty() ? "" : (entry.choice.is_path ? " -r" : " -x") + fish_values(entry)) + " -d " +
         fish_quoted(entry.help) + "\n";
}

std::string fish() {
  const std::string all = joined(command_names());
  std::string out = "# fish completion of kmem_exporter\ncomplete -c kmem_exporter -f\n";
  for (const CommandRow& row : command_table()) {
    const std::string seen = " -n '__fish_seen_subcommand_from " + std::string(row.name) + "'";
    out += "complete -c kmem_exporter -n 'not __fish_seen_subcommand_from " + all + "' -a " + std::string(row.name) + " -d " +
           fish_quoted(row.help) + "\n";
    for (const Entry& entry : entries_of(row, false)) out += fish_flag(entry, seen);
    for (const Entry& entry : entries_of(row, true))
      if (const std::string values = fish_values(entry); !values.empty())
        out += "complete -c kmem_exporter" + seen + values + "\n";
  }
  for (const Entry& entry : common_entries()) out += fish_flag(entry, "");
  return out;
}

// --- PowerShell ------------------------------------------------------------------------------------------------------

std::string powershell_list(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + powershell_quoted(word);
  return "@(" + out + ")";
}

std::string powershell_flags(const std::vector<Entry>& entries) {
  std::string out;
  for (const Entry& entry : entries)
    out += "      " + powershell_quoted(entry.name) + " = " + powershell_quoted(entry.help) + "\n";
  return out;
}

std::string powershell() {
  std::string commands, own, values;
  const auto add_values = [&values](const std::string& key, const Entry& entry) {
    if (!entry.choice.words.empty())
      values += "    " + powershell_quoted(key) + " = " + powershell_list(entry.choice.words) + "\n";
  };
  for (const CommandRow& row : command_table()) {
    const std::string name(row.name);
    commands += "    " + powershell_quoted(name) + " = " + powershell_quoted(row.help) + "\n";
    own += "    " + powershell_quoted(name) + " = [ordered]@{\n" + powershell_flags(entries_of(row, false)) + "    }\n";
    for (const Entry& entry : entries_of(row, false)) add_values(name + " " + entry.name, entry);
    for (const Entry& entry : entries_of(row, true)) add_values(name, entry);
  }
  for (const Entry& entry : common_entries()) add_values(entry.name, entry);
  return "# PowerShell completion of kmem_exporter: dot-source it, or add it to $PROFILE\n"
         "Register-ArgumentCompleter -Native -CommandName kmem_exporter, kmem_exporter.exe -ScriptBlock {\n"
         "  param($wordToComplete, $commandAst, $cursorPosition)\n"
         "  $commands = [ordered]@{\n" +
         commands +
         "  }\n"
         "  $own = @{\n" +
         own +
         "  }\n"
         "  $common = [ordered]@{\n" +
         powershell_flags(common_entries()) +
         "  }\n"
         "  $values = @{\n" +
         values +
         "  }\n"
         "  $before = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |\n"
         "    ForEach-Object { \"$_\" })\n"
         "  $command = $before | Where-Object { $commands.Contains($_) } | Select-Object -First 1\n"
         "  $flag = if ($before.Count) { $before[-1] } else { '' }\n"
         "  $lead = ''\n"
         "  $typed = $wordToComplete\n"
         "  if ($typed -match '^(--[^=]+)=(.*)$') { $flag = $Matches[1]; $lead = \"$flag=\"; $typed = $Matches[2] }\n"
         "  $known = $values[\"$command $flag\"]\n"
         "  if (-not $known) { $known = $values[$flag] }\n"
         "  if ($flag.StartsWith('-') -and $known) {\n"
         "    $found = $known | ForEach-Object { ,@($_, $_) }\n"
         "  } elseif ($typed.StartsWith('-')) {\n"
         "    $flags = if ($command) { $own[$command], $common } else { ,$common }\n"
         "    $found = foreach ($table in $flags) { foreach ($name in $table.Keys) { ,@($name, $table[$name]) } }\n"
         "  } elseif (-not $command) {\n"
         "    $found = foreach ($name in $commands.Keys) { ,@($name, $commands[$name]) }\n"
         "  } else {\n"
         "    $found = $values[$command] | Where-Object { $_ } | ForEach-Object { ,@($_, $_) }\n"
         "  }\n"
         "  $found | Where-Object { $_[0] -like \"$typed*\" } | ForEach-Object {\n"
         "    [System.Management.Automation.CompletionResult]::new($lead + $_[0], $_[0], 'ParameterValue', $_[1])\n"
         "  }\n"
         "}\n";
}

}  // namespace

std::string completions(Shell shell) {
  switch (shell) {
    case Shell::kBash: return bash();
    case Shell::kZsh: return zsh();
    case Shell::kFish: return fish();
    case Shell::kPowershell: return powershell();
  }
  return {};
}

}  // namespace kmem
