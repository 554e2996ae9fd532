#include "collectors/drivers/leak_signatures.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace kmem::drivers {
namespace {

std::optional<LeakSignatures::Row> signature_of(const PoolTagText::Row& text) {
  LeakSignatures::Row row;
  row.driver = text.driver;
  const std::size_t split = text.description.find(" - ");
  std::string_view versions = text.description.substr(0, split);
  while (versions.ends_with(' ')) versions.remove_suffix(1);
  if (row.driver.empty() || split == std::string_view::npos || versions.empty()) return std::nullopt;
  row.words = text.description.substr(split + 3);
  while (row.words.starts_with(' ')) row.words.remove_prefix(1);
  if (versions == "any") {
    row.any_version = true;
    return row;
  }
  constexpr std::uint16_t kHighest = 0xFFFF;
  const std::size_t dots = versions.find("..");
  const std::string_view from = versions.substr(0, dots);
  const std::string_view to = dots == std::string_view::npos ? versions : versions.substr(dots + 2);
  if (from.empty() && to.empty()) return std::nullopt;
  const auto first = from.empty() ? std::optional<FileVersion>(1) : parse_version(from);
  const auto last = to.empty() ? std::optional<FileVersion>(~FileVersion{0}) : parse_version(to, kHighest);
  if (!first || !last || *first > *last) return std::nullopt;
  row.first = *first, row.last = *last;
  return row;
}

}  // namespace

LeakSignatures::LeakSignatures(std::string text) : text_(std::move(text)) {
  for (const PoolTagText::Row& row : text_.rows())
    if (const auto signature = signature_of(row)) rows_.emplace_back(row, *signature);
    else if (no_signatures_.size() < PoolTagText::kMostLinesTold) no_signatures_.push_back(row.line);
}

std::string LeakSignatures::skipped_lines() const {
  std::vector<std::uint32_t> lines = text_.skipped_lines();
  lines.insert(lines.end(), no_signatures_.begin(), no_signatures_.end());
  std::sort(lines.begin(), lines.end());
  const std::size_t told = std::min(lines.size(), PoolTagText::kMostLinesTold);
  std::string out;
  for (std::size_t i = 0; i < told; ++i) out += (i == 0 ? "" : i + 1 == skipped() ? " and " : ", ") + std::to_string(lines[i]);
  if (skipped() > told) out += " and " + std::to_string(skipped() - told) + " more";
  return out.empty() ? out : (skipped() > 1 ? "lines " : "line ") + out;
}

std::vector<LeakSignatures::Row> LeakSignatures::find(std::string_view tag) const {
  std::vector<Row> rows;
  for (const auto& [text, row] : rows_)
    if (text.matches(tag)) rows.push_back(row);
  return rows;
}

}  // namespace kmem::drivers
