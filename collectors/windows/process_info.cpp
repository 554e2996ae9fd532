#include "collectors/windows/process_info.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "collectors/base/byte_reader.h"
#include "collectors/base/label_text.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/time_of_day_info.h"

namespace kmem::windows {

namespace {

template <int P>
std::optional<std::span<const std::byte>> name_bytes(const base::ByteReader& reader, std::uint64_t entry_offset,
                                                     const NtProcess<P>& entry, std::optional<std::uint64_t> buffer_address) {
  const std::uint64_t offset = buffer_address ? entry.image_name.buffer - *buffer_address
                                              : entry_offset + sizeof(entry) + kThreadBytes<P> * std::uint64_t{entry.threads};
  if (offset > reader.size()) return std::nullopt;
  return reader.slice(static_cast<std::size_t>(offset), entry.image_name.length & ~std::size_t{1});
}

/// NT 5.x gives its first two processes no name.
std::string_view nameless(std::uint64_t pid) { return pid == 0 ? "Idle" : pid == 4 ? "System" : ""; }

/// The list is no picture of one moment: one that ends and one that gets its number may both be in it. The later
/// started one lives.
std::uint64_t keep_one_a_pid(std::vector<ProcessUsage>& rows, std::size_t first) {
  std::vector<std::size_t> order;
  for (std::size_t row = first; row < rows.size(); ++row) order.push_back(row);
  std::sort(order.begin(), order.end(), [&rows](std::size_t a, std::size_t b) {
    if (rows[a].pid != rows[b].pid) return rows[a].pid < rows[b].pid;
    if (rows[a].started != rows[b].started) return rows[a].started > rows[b].started;
    return a > b;
  });
  std::vector<std::size_t> gone;
  for (std::size_t i = 1; i < order.size(); ++i)
    if (rows[order[i]].pid == rows[order[i - 1]].pid) gone.push_back(order[i]);
  std::sort(gone.rbegin(), gone.rend());
  for (const std::size_t row : gone) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(row));
  return gone.size();
}

template <int P>
base::Result<std::uint64_t> parse(std::span<const std::byte> bytes, std::optional<std::uint64_t> buffer_address,
                                  std::vector<ProcessUsage>& out) {
  const base::ByteReader reader(bytes);
  const std::size_t first_row = out.size();
  std::uint64_t skipped = 0;
  bool has_quotas = false, has_private = false;
  std::vector<std::uint64_t> private_bytes;  // of the rows, before ids that are twice are taken out
  for (std::size_t offset = 0;;) {
    const auto entry = reader.read<NtProcess<P>>(offset);
    if (!entry && offset == 0)
      return base::Error{base::ErrorCode::kMalformed, "process list of " + std::to_string(bytes.size()) + " bytes"};
    if (!entry) {
      ++skipped;
      break;
    }
    ProcessUsage row;
    row.pid = entry->process_id;
    row.handles = entry->handles;
    row.paged_pool_bytes = entry->quota_paged_pool;
    row.nonpaged_pool_bytes = entry->quota_nonpaged_pool;
    row.working_set_bytes = entry->working_set;
    private_bytes.push_back(entry->working_set_private > 0 ? static_cast<std::uint64_t>(entry->working_set_private) : 0);
    has_private |= private_bytes.back() != 0;
    if (entry->create_time > 0) row.started = unix_millis(entry->create_time);
    has_quotas |= entry->quota_paged_pool != 0 || entry->quota_nonpaged_pool != 0;
    if (entry->image_name.length == 0) {
      row.name = nameless(row.pid);
    } else if (const auto name = name_bytes<P>(reader, offset, *entry, buffer_address)) {
      row.name = utf16_label(*name);
    } else {
      ++skipped;
    }
    out.push_back(std::move(row));

    const std::uint32_t next = entry->next_entry_offset;
    if (next == 0) break;
    if (next < sizeof(*entry) || next > bytes.size() - offset) {  // overlapping, or out of the bytes: a lie either way
      ++skipped;
      break;
    }
    offset += next;
  }
  // NT 6.0 and later count what no other process shares; before, the field is 0.
  if (has_private)
    for (std::size_t row = first_row; row < out.size(); ++row) out[row].working_set_bytes = private_bytes[row - first_row];
  skipped += keep_one_a_pid(out, first_row);
  if (!has_quotas)
    for (std::size_t row = first_row; row < out.size(); ++row) {
      out[row].paged_pool_bytes.reset();
      out[row].nonpaged_pool_bytes.reset();
    }
  return skipped;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code < 0x800) {
    text.append({static_cast<char>(0xc0 | (code >> 6)), tail(code)});
  } else if (code < 0x10000) {
    text.append({static_cast<char>(0xe0 | (code >> 12)), tail(code >> 6), tail(code)});
  } else {
    text.append({static_cast<char>(0xf0 | (code >> 18)), tail(code >> 12), tail(code >> 6), tail(code)});
  }
}

/// C1 controls, which terminals obey; invisible ones; marks and overrides of direction ("exe.gpj" read backwards).
bool is_deceptive(std::uint32_t code) {
  return (code >= 0x80 && code < 0xa0) || code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

void append_escape(std::string& text, std::uint32_t code) {
  static constexpr char kHex[] = "0123456789abcdef";
  text.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) text.push_back(kHex[(code >> shift) & 15]);
}

}  // namespace

base::Result<std::uint64_t> parse_processes(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                            std::optional<std::uint64_t> buffer_address, std::vector<ProcessUsage>& out) {
  return pointer_bytes == 4 ? parse<4>(bytes, buffer_address, out) : parse<8>(bytes, buffer_address, out);
}

std::string utf16_label(std::span<const std::byte> utf16) {
  constexpr std::uint32_t kReplacement = 0xfffd;
  const base::ByteReader reader(utf16);
  std::string text;
  text.reserve(utf16.size() / 2);
  for (std::size_t at = 0; at + 2 <= utf16.size(); at += 2) {
    std::uint32_t code = *reader.read<std::uint16_t>(at);
    if (code < 0x80) {
      const char c = static_cast<char>(code);
      text.append(base::label_text(std::string_view(&c, 1)));
      continue;
    }
    if (is_deceptive(code)) {
      append_escape(text, code);
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const std::uint32_t low = reader.read<std::uint16_t>(at + 2).value_or(0);
      const bool pair = code < 0xdc00 && low >= 0xdc00 && low < 0xe000;
      code = pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : kReplacement;
      if (pair) at += 2;
    }
    append_utf8(text, code);
  }
  return text;
}

}  // namespace kmem::windows
