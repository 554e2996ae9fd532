#include "exporter/commands/manual.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/build_info.h"

namespace kmem {
namespace {

/// "debug, info, warn or error" -> its words; none where that is prose.
std::vector<std::string> listed_words(std::string_view expected) {
  std::vector<std::string> words;
  while (!expected.empty()) {
    const std::size_t comma = expected.find(", "), last = expected.find(" or ");
    const std::size_t end = std::min({comma, last, expected.size()});
    words.emplace_back(expected.substr(0, end));
    expected.remove_prefix(std::min(end + (end == last ? 4 : 2), expected.size()));
  }
  const auto is_word = [](const std::string& word) {
    return std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '_'; });
  };
  if (words.size() < 2 || !std::all_of(words.begin(), words.end(), is_word)) words.clear();
  return words;
}

bool names_path(std::string_view value) { return value == "FILE" || value == "PATH"; }

/// Text of a line of roff.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '\'') out += "\\(aq";
    else if (c == '.' && out.empty()) out += "\\&.";
    else out += c;
  }
  return out;
}

void add_entry(std::string& out, std::string_view name, std::string_view value, std::string_view help) {
  out += ".TP\n\\fB" + roff(name) + "\\fR";
  if (!value.empty()) out += "=\\fI" + roff(value) + "\\fR";
  out += "\n" + roff(help) + "\n";
}

}  // namespace

ValueChoice choice_of(const CommandFlag& flag) {
  ValueChoice choice;
  choice.is_path = names_path(flag.is_positional() ? flag.name : flag.value);
  // What it says when it cannot use a value lists those that it can.
  Options unused;
  if (!choice.is_path && !flag.is_switch()) choice.words = listed_words(flag.apply(unused, "\x01"));
  return choice;
}

ValueChoice choice_of(const config::KnobInfo& knob) {
  ValueChoice choice;
  choice.is_path = knob.type == config::KnobType::kPath || knob.expected == "a folder";
  if (knob.type == config::KnobType::kChoice) choice.words = listed_words(knob.expected);
  return choice;
}

std::string manual_page() {
  std::string out =
      ".TH KMEM_EXPORTER 1 \"\" \"kmem_exporter " + std::string(metrics::build_info().version) +
      "\"\n.SH NAME\nkmem_exporter \\- Prometheus exporter of kernel memory that sees slow leaks\n"
      ".SH SYNOPSIS\n.B kmem_exporter\n[\\fICOMMAND\\fR] [\\fIFLAGS\\fR]\n"
      ".SH DESCRIPTION\nShows the kernel's memory to Prometheus: pools, tags or slab caches, and commit. "
      "It keeps eight weeks of history\nand says which tag leaks, how fast, since when, and when memory runs out.\n"
      ".SH COMMANDS\n";
  for (const CommandRow& row : command_table()) {
    out += ".SS " + roff(usage_of(row)) + "\n" + roff(row.help) + "\n";
    for (const CommandFlag& flag : row.flags) add_entry(out, flag.name, flag.value, flag.help);
  }
  out += ".SH FLAGS\nBefore or after the command, as \\-\\-flag=VALUE or \\-\\-flag VALUE.\n";
  for (const CommonFlag& flag : common_flags()) add_entry(out, flag.name, flag.value, flag.help);
  std::string_view group;
  for (const config::KnobInfo& knob : config::knobs()) {
    if (group_of(knob) != group) out += ".SS " + roff(group_title(group_of(knob))) + "\n";
    group = group_of(knob);
    add_entry(out, knob.flag, knob.type == config::KnobType::kBool ? "" : value_word(knob), knob_words(knob));
  }
  return out +
         ".SH FILES\n.TP\n.I /etc/kmem_exporter/kmem_exporter.yml\nConfiguration of the service. The commented example is\n"
         ".IR /usr/share/doc/kmem\\-exporter/kmem_exporter.example.yml .\n"
         ".TP\n.I /var/lib/kmem_exporter\nHistory and exported tags of the service.\n"
         ".SH EXIT STATUS\n0 fine, 1 the work failed, 2 arguments or configuration cannot be used.\n";
}

}  // namespace kmem
