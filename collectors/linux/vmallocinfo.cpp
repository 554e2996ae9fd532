#include "collectors/linux/vmallocinfo.h"

#include <string>

#include "collectors/linux/tag_sums.h"
#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

constexpr std::size_t kUsualCallers = 128;

/// `scratch` holds the tag when a module belongs to it.
std::string_view caller_tag(FieldReader& fields, std::string& scratch) {
  std::string_view caller;
  if (!fields.token(caller)) return "unknown";
  const std::size_t offset = caller.find("+0x");
  // A kernel without symbol names prints the bare address: still one caller.
  if (offset == std::string_view::npos) return caller.starts_with("0x") ? caller : std::string_view("unknown");
  const std::string_view symbol = caller.substr(0, offset);
  std::string_view module;
  if (!fields.token(module) || module.front() != '[' || module.back() != ']') return symbol;
  scratch.assign(symbol).append(" ").append(module);
  return scratch;
}

}  // namespace

base::Result<std::uint64_t> parse_vmallocinfo(std::string_view text, Snapshot& out) {
  TagSums sums(out.tags, kUsualCallers);
  std::string scratch;
  std::uint64_t rows = 0;
  std::uint64_t skipped = 0;
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) continue;
    FieldReader fields(line);
    std::string_view range;
    std::uint64_t bytes = 0;
    if (!fields.token(range) || !range.starts_with("0x") || !fields.number(bytes)) {
      ++skipped;
      continue;
    }
    ++rows;
    sums.add(Pool::kVmalloc, caller_tag(fields, scratch), bytes, 1);
  }
  if (rows == 0 && skipped != 0) return base::Error{base::ErrorCode::kMalformed, "no row of vmallocinfo could be understood"};
  return skipped;
}

}  // namespace kmem::linux
