// A file's first bytes -> which of these formats it has, or what it looks like that cannot be used. Thread: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kmem::history {

enum class Format : std::uint8_t { kOther, kPrometheusJson, kPrometheusLines, kSadfJson, kSar, kLinux, kScriptCsv };

/// What a format is called in reports.
[[nodiscard]] std::string_view format_name(Format format);

[[nodiscard]] Format recognise(std::string_view head);

/// Of what is none: "looks like ...; what would make it usable".
[[nodiscard]] std::optional<std::string> unusable_look(std::string_view head);

}  // namespace kmem::history
