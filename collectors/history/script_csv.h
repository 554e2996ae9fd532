// Whether a header row is one of a PowerShell script. Thread: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kmem::history {

enum class ScriptCsv : std::uint8_t {
  kTags,      // pool tags
  kCounters,  // samples of Get-Counter, one a row
  kReadings,  // Get-Counter's own objects: Timestamp, Readings
};
[[nodiscard]] std::optional<ScriptCsv> script_csv_kind(std::string_view header);

}  // namespace kmem::history
