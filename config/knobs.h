// The one table of knobs: name in the file, flag, unit, range, help, whether a change needs a restart. Reading,
// checking, the shipped example, --help and reload all follow it. Adding a knob = a field in config.h + a row in
// knobs.cpp; a collector = a row in collectors.h. Thread: pure; the table is made once. Failure: messages that say what was expected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace kmem::config {

enum class KnobType : std::uint8_t { kBool, kCount, kBytes, kDuration, kText, kPath, kChoice, kList };

struct KnobInfo {
  std::string_view name;  // dotted, as nested in the file: "web.max_requests"
  std::string flag;       // "--web.max-requests"; kBool: also "--no-..."; kList: repeatable
  KnobType type = KnobType::kText;
  std::string_view help;      // one or two sentences
  std::string expected;       // "1..1000 requests", "a duration of 1s..1h, such as 60s"
  std::string default_value;  // as written in the file
  bool needs_restart = false;
};

/// In the order of the example, sections together.
[[nodiscard]] const std::vector<KnobInfo>& knobs();
[[nodiscard]] const KnobInfo* find_knob(std::string_view name);

/// Where in that knob's `value` a path begins: 0, behind "replay:", npos where there is none. The one rule for what is
/// relative to the file, or not to be.
[[nodiscard]] std::size_t path_at(const KnobInfo& knob, std::string_view value);

/// What was wrong with values[index], or with their number: kAllValues.
inline constexpr auto kAllValues = static_cast<std::size_t>(-1);
struct ValueFault {
  std::size_t index = 0;
  std::string message;
};

/// Checks every value and, if all are good, sets the knob. Exactly one value unless kList.
[[nodiscard]] std::vector<ValueFault> set_knob(Config& config, const KnobInfo& knob, const std::vector<std::string>& values);

/// As YAML would write it: 40, 60s, "text", ["a", "b"].
[[nodiscard]] std::string knob_text(const Config& config, const KnobInfo& knob);

/// What differs between the running configuration and a fresh one, by the knobs' names.
struct ReloadPlan {
  std::vector<std::string_view> apply;  // can change while running
  std::vector<std::string_view> need_restart;
  Config next;  // the fresh one, but for what needs a restart
};
[[nodiscard]] ReloadPlan reloadable(const Config& running, const Config& fresh);

/// The whole commented example with every knob at its default: config/kmem_exporter.yml.
[[nodiscard]] std::string example_yaml();

}  // namespace kmem::config
