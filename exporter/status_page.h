// STAGE 6: Snapshot -> the page behind "/": what leaks, what runs, what it sees now, which parts cannot be read and
// why, and where the rest is. One self-contained HTML document; works without JavaScript. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "collectors/snapshot.h"

namespace kmem {

/// `verdict`: the trend's, a line each; empty when it is switched off.
[[nodiscard]] std::string status_page(const Snapshot& snapshot, std::span<const std::string> verdict,
                                      std::string_view version, std::string_view telemetry_path);

/// Text -> text that is harmless inside an HTML element or a quoted attribute.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace kmem
