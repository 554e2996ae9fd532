#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/knobs.h"

namespace kmem::config {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::string_view kIntroduction =
    "# Configuration of kmem_exporter: every knob with its default. What is left out keeps its default.\n"
    "# Durations: 1500ms, 60s, 5m, 2h, 28d, 1h30m. Sizes: 8192, 8KiB, 1MiB. Paths are relative to this file.\n"
    "# A flag wins over this file. `kmem_exporter check-config FILE` tells every fault at once; SIGHUP reloads what\n"
    "# does not need a restart.\n";

std::string comment(std::string_view text, std::size_t indent) {
  const std::string start = std::string(indent, ' ') + "#";
  std::string out, line = start, word;
  std::istringstream words{std::string(text)};
  while (words >> word) {
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = start;
    }
    line += " " + word;
  }
  return out + line + "\n";
}

std::vector<std::string> split_name(std::string_view name) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(name)};
  for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
  return parts;
}

std::string sentence(std::string text) {
  // Not the first of a list of values: "info" is one, "Info" is none.
  if (text.starts_with("a ")) text[0] = 'A';
  return text + ".";
}

std::string facts(const KnobInfo& knob) {
  std::string out;
  if (knob.type != KnobType::kBool)
    out = sentence(knob.type == KnobType::kList ? "a list, each " + knob.expected : knob.expected);
  out += (out.empty() ? "" : " ") + std::string("Default: ") + knob.default_value + ". Flag: " + knob.flag + ".";
  if (knob.needs_restart) out += " Needs a restart.";
  return out;
}

}  // namespace

std::string example_yaml() {
  std::string out(kIntroduction);
  std::vector<std::string> section;
  for (const KnobInfo& knob : knobs()) {
    const std::vector<std::string> path = split_name(knob.name);
    const std::vector<std::string> parents(path.begin(), path.end() - 1);
    const auto shared = std::mismatch(section.begin(), section.end(), parents.begin(), parents.end());
    for (auto entered = shared.second; entered != parents.end(); ++entered) {
      const auto depth = static_cast<std::size_t>(entered - parents.begin());
      out += "\n" + std::string(2 * depth, ' ') + *entered + ":\n";
    }
    section = parents;
    const std::size_t indent = 2 * parents.size();
    out += comment(knob.help, indent) + comment(facts(knob), indent);
    out += std::string(indent, ' ') + path.back() + ": " + knob.default_value + "\n";
  }
  return out;
}

}  // namespace kmem::config
