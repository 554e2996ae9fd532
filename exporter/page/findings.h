// STAGE 3 beside the trend: Snapshot and what it was at boot -> findings, what is wrong with this host's set-up and what
// to do about it, each with this host's numbers. The advice is that of Microsoft's articles on pools, free PTEs and the
// registry (sources at the rows in findings.cpp). Thread: find_findings() is pure; BootSettings: one caller.
// Failure: none; without evidence there is no finding, and what is not known is no evidence.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/drivers/leak_signatures.h"
#include "collectors/snapshot.h"

namespace kmem::page {

enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };
[[nodiscard]] std::string_view severity_name(Severity severity);

struct Finding {
  struct Number {
    std::string_view name;  // ends in its unit, or is a count
    double value = 0;
  };
  std::string_view name;  // one of finding_names()
  Severity severity = Severity::kWarning;
  std::string what, why, what_to_do;
  std::vector<Number> numbers;
};

/// Windows reads Memory Management at boot only: what has changed since then is not in force. Seen by this program while
/// it runs; of a change before it started nothing is known.
class BootSettings {
 public:
  struct Change {
    std::string name;
    std::optional<double> before, now;  // none: there was, is no such value
  };
  /// Once a reading; `boot`: which one it belongs to.
  void note(const Snapshot& snapshot, std::uint64_t boot);
  [[nodiscard]] std::span<const Change> changes() const { return changes_; }

 private:
  std::optional<std::uint64_t> boot_;
  std::vector<Setting> at_boot_;
  std::vector<Change> changes_;
};

/// Most severe first. `known`: of tags that leak or surge now.
[[nodiscard]] std::vector<Finding> find_findings(const Snapshot& snapshot, std::span<const BootSettings::Change> changes = {},
                                                 std::span<const drivers::KnownLeak> known = {});

/// All that there can be, for the runbook's test.
[[nodiscard]] std::span<const std::string_view> finding_names();

}  // namespace kmem::page
