// STAGE 6: Snapshot -> the page behind "/": what runs, what it sees now, which parts cannot be read and why, and where
// the rest is. One self-contained HTML document; works without JavaScript. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "collectors/snapshot.h"

namespace kmem {

[[nodiscard]] std::string status_page(const Snapshot& snapshot, std::string_view version, std::string_view telemetry_path);

/// Text -> text that is harmless inside an HTML element or a quoted attribute.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace kmem
