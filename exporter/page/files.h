// STAGE 6, the page: what belongs to it and is compiled in: style, script, icon and the alerts' runbooks. Constants in
// the program's read-only part: what nobody asks for is never in memory. Pure.
#pragma once

#include <iterator>
#include <span>
#include <string_view>

namespace kmem::page {

struct File {
  std::string_view name;  // "page.css"; of a runbook the alert's name
  std::string_view bytes;
};

[[nodiscard]] std::span<const File> assets();
[[nodiscard]] std::span<const File> runbooks();
/// nullptr: there is no such file.
[[nodiscard]] const File* find_file(std::span<const File> files, std::string_view name);
/// By the name's extension; text for a runbook.
[[nodiscard]] std::string_view content_type_of(const File& file);

}  // namespace kmem::page
