// A file's first bytes -> which of these formats it has, or what it looks like that cannot be used. Thread: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/history/snapshot_reader.h"

namespace kmem::history {

/// xperf's table of single allocations, whose heading looks like a script's.
[[nodiscard]] bool are_events(std::string_view text);
/// What a format is called in reports.
[[nodiscard]] std::string_view format_name(Format format);

[[nodiscard]] Format recognise(std::string_view head);

/// What a line that a format cannot use begins by its looks: "a table of poolmon", "CSV". Empty: nothing that is known.
[[nodiscard]] std::string_view begins_other(std::string_view line);
/// Its rows look like those of any CSV.
[[nodiscard]] bool is_table_of_csv(std::string_view what);
/// The same as a reason to pass over what comes.
[[nodiscard]] std::string other_begins(std::string_view what);

/// Of what is none: "looks like ...; what would make it usable".
[[nodiscard]] std::optional<std::string> unusable_look(std::string_view head);

}  // namespace kmem::history
