// STAGE 3 beside the trend: Snapshot and what it was at boot -> findings, what is wrong with this host's set-up and what
// to do about it, each with this host's numbers. The advice is that of Microsoft's articles on pools, free PTEs and the
// registry (sources at the rows in findings.cpp). Thread: pure.
// Failure: none; without evidence there is no finding, and what is not known is no evidence.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/boot_settings.h"
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

/// Most severe first. `known`: of tags that leak or surge now.
[[nodiscard]] std::vector<Finding> find_findings(const Snapshot& snapshot, std::span<const BootSettings::Change> changes = {},
                                                 std::span<const drivers::KnownLeak> known = {});

/// All that there can be, for the runbook's test.
[[nodiscard]] std::span<const std::string_view> finding_names();

}  // namespace kmem::page
