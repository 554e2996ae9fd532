// Text as people write it in configuration: durations, sizes, counts; and text safe to repeat in a message.
// Thread: pure functions. Failure: nullopt.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kmem::config {

/// Digits only.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// "1500ms", "60s", "5m", "2h", "28d", "1w" and falling sequences like "1h30m"; also "0".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

/// "8192", "8192B", "8KiB", "1MiB", "1GiB".
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// In double quotes, shortened to about 60 characters, with nothing in it that would disturb a terminal or a log.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// `path` as seen from the folder of `file`; absolute and empty paths stay as they are (both systems' forms).
[[nodiscard]] std::string relative_to_file(std::string_view path, std::string_view file);

}  // namespace kmem::config
