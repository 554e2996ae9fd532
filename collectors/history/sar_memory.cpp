#include "collectors/history/sar_memory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"

namespace kmem::history {
namespace {

struct Name {
  std::string_view column;
  std::string_view json;
  SarValue value;
};
constexpr std::array<Name, 7> kSarNames = {{{"kbavail", "avail", SarValue::kAvailable},
                                            {"kbcommit", "commit", SarValue::kCommit},
                                            {"kbcached", "cached", SarValue::kFileCache},
                                            {"kbslab", "slab", SarValue::kSlab},
                                            {"kbkstack", "kstack", SarValue::kKernelStack},
                                            {"kbpgtbl", "pgtbl", SarValue::kPageTables},
                                            {"kbvmused", "vmused", SarValue::kVmalloc}}};

}  // namespace

std::vector<SarColumn> sar_columns(const std::vector<std::string_view>& names) {
  std::vector<SarColumn> columns;
  // Other tables have columns of these names' kind, but no commit.
  if (std::find(names.begin(), names.end(), "kbcommit") == names.end() &&
      std::find(names.begin(), names.end(), "kbmemused") == names.end())
    return columns;
  for (std::size_t i = 0; i < names.size(); ++i)
    for (const Name& name : kSarNames)
      if (names[i] == name.column) columns.push_back({i, name.value, name.column});
  return columns;
}

std::optional<SarValue> sar_json_value(std::string_view name) {
  for (const Name& known : kSarNames)
    if (known.json == name) return known.value;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_sar_amount(std::string_view text) {
  constexpr std::string_view kUnits = "kMGTP";
  double scale = 1024;
  if (!text.empty()) {
    if (const std::size_t unit = kUnits.find(text.back()); unit != std::string_view::npos) {
      scale = std::pow(1024.0, static_cast<double>(unit + 1));
      text.remove_suffix(1);
    }
  }
  std::string digits(text);
  std::replace(digits.begin(), digits.end(), ',', '.');
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  value *= scale;
  return value >= 0 && value < 9e18 ? std::optional(static_cast<std::uint64_t>(std::llround(value))) : std::nullopt;
}

void set_sar_value(SarValue value, std::uint64_t bytes, SnapshotBuilder& out) {
  Snapshot& snapshot = out.snapshot();
  switch (value) {
    case SarValue::kAvailable: snapshot.available_bytes = bytes; break;
    case SarValue::kCommit: snapshot.commit_bytes = bytes; break;
    case SarValue::kFileCache: snapshot.file_cache_bytes = bytes; break;
    case SarValue::kKernelStack: snapshot.kernel_stack_bytes = bytes; break;
    case SarValue::kPageTables: snapshot.page_table_bytes = bytes; break;
    case SarValue::kVmalloc:
      // Linux 4.4 to 5.2 always say 0 here.
      if (bytes > 0) out.totals(Pool::kVmalloc).bytes = bytes;
      break;
    case SarValue::kSlab: {
      TagUsage row;
      row.pool = Pool::kSlabUnreclaimable;
      row.tag = kSarSlabTag;
      row.bytes = bytes;
      row.has_outstanding = false;
      (void)out.add(std::move(row));
      break;
    }
  }
}

RowSubject sar_subject(const std::string& host, SarValue value) {
  if (value == SarValue::kSlab) return {host, Pool::kSlabUnreclaimable, std::string(kSarSlabTag)};
  if (value == SarValue::kVmalloc) return {host, Pool::kVmalloc, {}};
  for (const Name& name : kSarNames)
    if (name.value == value) return {host, {}, std::string(name.column), RowSubject::Kind::kValue};
  return {host, {}, {}};
}

std::optional<SarHeading> parse_sar_heading(std::string_view line) {
  if (!line.starts_with("Linux ")) return std::nullopt;
  const std::size_t open = line.find('(');
  const std::size_t close = line.find(')', std::min(open, line.size()));
  if (close == std::string_view::npos || line.find(" #") < open) return std::nullopt;  // of `uname -a`
  std::string_view rest = trimmed(line.substr(close + 1));
  const std::size_t end = std::min(rest.find('_', 0), std::min(rest.find('\t'), rest.find("  ")));
  rest = trimmed(rest.substr(0, std::min(end, rest.size())));
  if (rest.empty() || rest.find_first_of("0123456789") == std::string_view::npos) return std::nullopt;
  return SarHeading{sar_host_label(line.substr(open + 1, close - open - 1)), rest};
}

std::string sar_host_label(std::string_view text) { return base::label_text(text.substr(0, 256)); }

}  // namespace kmem::history
