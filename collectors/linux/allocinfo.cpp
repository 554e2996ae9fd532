#include "collectors/linux/allocinfo.h"

#include <string>

#include "collectors/linux/tag_sums.h"
#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

constexpr std::string_view kAllocinfoHeading = "allocinfo - version: ";
constexpr std::size_t kUsualSites = 2048;

/// "mm/slub.c:1234 [module] func:name", what follows (accurate:no) is for others.
bool site_tag(FieldReader& fields, std::string& tag) {
  std::string_view place;
  std::string_view field;
  std::string_view module = "kernel";
  if (!fields.token(place) || !fields.token(field)) return false;
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (field.size() > 2 && field.front() == '[' && field.back() == ']') {
    module = field.substr(1, field.size() - 2);
    if (!fields.token(field)) return false;
  }
  constexpr std::string_view kFunction = "func:";
  if (!field.starts_with(kFunction) || field.size() == kFunction.size()) return false;
  tag.assign(module).append(":").append(field.substr(kFunction.size())).append(":").append(place.substr(0, colon));
  return true;
}

}  // namespace

base::Result<std::uint64_t> parse_allocinfo(std::string_view text, Snapshot& out) {
  LineReader lines(text);
  std::string_view line;
  unsigned version = 0;
  if (lines.next(line)) version = major_version(line, kAllocinfoHeading);
  if (version != 1 && version != 2)
    return base::Error{base::ErrorCode::kMalformed, "not allocinfo version 1.x or 2.x, whose columns are known"};

  TagSums sums(out.tags, kUsualSites);
  std::string tag;
  std::uint64_t rows = 0;
  std::uint64_t skipped = 0;
  while (lines.next(line)) {
    skipped += left_out_rows(line);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    FieldReader fields(line);
    std::int64_t bytes = 0;
    std::uint64_t calls = 0;
    if (!fields.number(bytes) || !fields.number(calls)) {
      ++skipped;
      continue;
    }
    ++rows;
    // Counters of several CPUs are summed while they move: a free seen before its allocation makes it negative.
    if (bytes < 0) bytes = 0;
    if (bytes == 0 && calls == 0) continue;
    if (!site_tag(fields, tag)) {
      --rows;
      ++skipped;
      continue;
    }
    sums.add(Pool::kAllocinfo, tag, static_cast<std::uint64_t>(bytes), calls);
  }
  if (rows == 0 && skipped != 0) return base::Error{base::ErrorCode::kMalformed, "no row of allocinfo could be understood"};
  return skipped;
}

}  // namespace kmem::linux
