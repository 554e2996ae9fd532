#include "collectors/linux/slabinfo.h"

#include <limits>

#include "collectors/linux/slab_reclaim.h"
#include "collectors/linux/tag_sums.h"
#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

constexpr std::string_view kHeading = "slabinfo - version: ";
constexpr std::size_t kUsualCaches = 256;

/// As SLUB writes them, which has no tunables.
constexpr std::string_view kSlubColumns = " : tunables    0    0    0 : slabdata ";

bool skip_tunables(FieldReader& fields) {
  std::uint64_t ignored = 0;
  return fields.skip(kSlubColumns) ||
         (fields.literal(":") && fields.literal("tunables") && fields.number(ignored) && fields.number(ignored) &&
          fields.number(ignored) && fields.literal(":") && fields.literal("slabdata"));
}

bool parse_columns(FieldReader fields, SlabRow& row) {
  std::uint64_t ignored = 0;
  return fields.number(row.active_objects) && fields.number(ignored) && fields.number(ignored) && fields.number(ignored) &&
         fields.number(row.pages_per_slab) && skip_tunables(fields) && fields.number(ignored) && fields.number(row.slabs);
}

}  // namespace

bool slab_bytes(const SlabRow& row, std::uint64_t page_bytes, std::uint64_t& bytes) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (row.pages_per_slab > kMax / page_bytes) return false;
  const std::uint64_t one = row.pages_per_slab * page_bytes;
  if (one != 0 && row.slabs > kMax / one) return false;
  bytes = one * row.slabs;
  return true;
}

bool is_slab_row(std::string_view line) {
  return !line.empty() && line.front() != '#' && line.front() != '!' && !line.starts_with(kHeading);
}

bool parse_slab_row(std::string_view line, SlabRow& row) {
  FieldReader fields(line);
  if (fields.token(row.cache) && parse_columns(fields, row)) return true;
  // kmem_cache_create() only warns of blanks in a name ("confuses parsers"), and out-of-tree modules use them: then
  // the name is what stands before the five numbers that end at ": tunables".
  std::size_t at = line.find(" : tunables");
  if (at == std::string_view::npos) return false;
  for (int column = 0; column < 5; ++column) {
    at = line.find_last_not_of(' ', at);
    if (at == std::string_view::npos) return false;
    at = line.find_last_of(' ', at);
    if (at == std::string_view::npos) return false;
  }
  const std::size_t last = line.find_last_not_of(' ', at);
  if (last == std::string_view::npos) return false;
  row.cache = line.substr(0, last + 1);
  return parse_columns(FieldReader(line.substr(at)), row);
}

base::Result<std::uint64_t> parse_slabinfo(std::string_view text, std::string_view reclaim, std::uint32_t page_bytes,
                                           Snapshot& out) {
  const auto malformed = [](const char* why) { return base::Error{base::ErrorCode::kMalformed, why}; };
  LineReader lines(text);
  std::string_view line;
  if (!lines.next(line) || major_version(line, kHeading) != 2)
    return malformed("not slabinfo version 2.x, whose columns are known");
  if (page_bytes == 0) return malformed("the page size is not known");

  TagSums sums(out.tags, kUsualCaches);
  ReclaimReader pools(reclaim);
  std::uint64_t skipped = 0;
  std::uint64_t rows = 0;
  std::string_view previous;
  while (lines.next(line)) {
    skipped += left_out_rows(line);
    // The kernel gives the list a page at a time and a new cache joins at its head, so that the row at a page's end
    // comes twice.
    if (!is_slab_row(line) || line == previous) continue;
    previous = line;
    SlabRow row;
    std::uint64_t bytes = 0;
    if (!parse_slab_row(line, row) || !slab_bytes(row, page_bytes, bytes)) {
      ++skipped;
      continue;
    }
    ++rows;
    const bool reclaimable = pools.reclaimable(row.cache);
    sums.add(reclaimable ? Pool::kSlabReclaimable : Pool::kSlabUnreclaimable, row.cache, bytes, row.active_objects);
  }
  if (rows == 0 && skipped != 0) return malformed("no row of slabinfo could be understood");
  return skipped;
}

}  // namespace kmem::linux
