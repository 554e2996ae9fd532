#include "collectors/history/text_header.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "collectors/history/csv_fields.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kMaxKib = std::numeric_limits<std::uint64_t>::max() / kKib;

std::optional<std::uint64_t> number_at(std::string_view text, std::size_t at) {
  at = text.find_first_not_of(" \t", at);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

// "Avail:  1204220K" -> bytes.
std::optional<std::uint64_t> kib_after(std::string_view line, std::string_view label) {
  const std::size_t at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  const auto kib = number_at(line, at + label.size());
  return kib && *kib <= kMaxKib ? std::optional(*kib * kKib) : std::nullopt;
}

std::string_view from(std::string_view line, std::string_view word) {
  return line.substr(std::min(line.find(word), line.size()));
}

}  // namespace

bool apply_memory_line(std::string_view line, SnapshotBuilder& out) {
  const auto memory = kib_after(line, "Memory:");
  const auto available = kib_after(line, "Avail:");
  if (!memory || !available) return false;
  out.snapshot().physical_memory_bytes = memory;
  out.snapshot().available_bytes = available;
  if (const auto resident = kib_after(from(line, "Krnl:"), " P:")) out.totals(Pool::kPaged).resident_bytes = resident;
  return true;
}

bool apply_commit_line(std::string_view line, SnapshotBuilder& out) {
  const auto commit = kib_after(line, "Commit:");
  const auto limit = kib_after(line, "Limit:");
  if (!commit || !limit) return false;
  out.snapshot().commit_bytes = commit;
  out.snapshot().commit_limit_bytes = limit;
  out.snapshot().commit_peak_bytes = kib_after(line, "Peak:");
  const std::string_view pool = from(line, "Pool N:");
  if (const auto nonpaged = kib_after(pool, "Pool N:")) out.totals(Pool::kNonpaged).bytes = nonpaged;
  if (const auto paged = kib_after(pool, " P:")) out.totals(Pool::kPaged).bytes = paged;
  return true;
}

bool apply_vm_line(std::string_view line, SnapshotBuilder& out) {
  const std::size_t colon = line.find(':');
  const std::size_t bracket = line.find('(', std::min(colon, line.size()));
  if (bracket == std::string_view::npos || !same_word(trimmed(line.substr(line.find_last_of("0123456789") + 1)), "Kb)"))
    return false;
  const std::string_view name = trimmed(line.substr(0, colon));
  const auto pages = number_at(line, colon + 1);
  const auto kib = number_at(line, bracket + 1);
  if (!pages || !kib || *kib > kMaxKib) return false;
  const std::uint64_t bytes = *kib * kKib;
  Snapshot& snapshot = out.snapshot();
  if (same_word(name, "NonPagedPool Usage")) out.totals(Pool::kNonpaged).bytes = bytes;
  else if (same_word(name, "PagedPool Usage")) out.totals(Pool::kPaged).bytes = bytes;
  else if (same_word(name, "Free System PTEs")) snapshot.system_ptes_free = pages;
  else if (same_word(name, "Committed pages")) snapshot.commit_bytes = bytes;
  else if (same_word(name, "Commit limit")) snapshot.commit_limit_bytes = bytes;
  else if (same_word(name, "Available Pages")) snapshot.available_bytes = bytes;
  else if (same_word(name, "Physical Memory")) snapshot.physical_memory_bytes = bytes;
  return true;
}

std::optional<base::UnixMillis> parse_system_time(std::string_view line) {
  constexpr std::string_view kName = "!SystemTime=";
  return line.starts_with(kName) ? parse_us_time(line.substr(kName.size())) : std::nullopt;
}

std::optional<std::uint32_t> parse_tick_count(std::string_view line) {
  constexpr std::string_view kName = "!TickCount=";
  if (!line.starts_with(kName)) return std::nullopt;
  const auto ticks = number_at(line, kName.size());
  return ticks && *ticks <= std::numeric_limits<std::uint32_t>::max()
             ? std::optional(static_cast<std::uint32_t>(*ticks))
             : std::nullopt;
}

std::string_view without_escapes(std::string_view line, std::string& storage) {
  constexpr char kEscape = '\x1b';
  constexpr std::string_view kControls("\x1b\f\0\b", 4);
  if (line.find_first_of(kControls) == std::string_view::npos) return line;
  storage.clear();
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == kEscape && at + 1 < line.size()) {
      // ESC [ parameters letter, or ESC letter
      if (line[++at] == '[')
        for (++at; at < line.size() && !(line[at] >= '@' && line[at] <= '~');) ++at;
    } else if (kControls.find(line[at]) == std::string_view::npos) {
      storage.push_back(line[at]);
    }
  }
  return storage;
}

}  // namespace kmem::history
