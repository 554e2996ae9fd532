#include "collectors/windows/nt_query.h"

#include <algorithm>

namespace kmem::windows {

namespace {

constexpr std::size_t kRoomBytes = 2 << 10;

/// `call` (buffer, bytes needed -> status) fills the whole of `answer`, which is cut to what was filled.
template <typename Call>
NtStatus ask(Call call, std::string& answer, std::uint32_t& needed_bytes) {
  needed_bytes = 0;
  const NtStatus status = call(std::as_writable_bytes(std::span(answer)), needed_bytes);
  if (!succeeded(status)) return status;
  // 0 on success: the kernel does not say. The answer's own counts bound it then.
  if (needed_bytes != 0) answer.resize(std::min<std::size_t>(needed_bytes, answer.size()));
  return kStatusOk;
}

template <typename Call>
NtStatus grow(Call call, std::size_t start_bytes, std::size_t most_bytes, std::string& answer) {
  // By what was there last time: a buffer of which the answer fills a tenth is zeroed by us and locked by the kernel in
  // vain, which was a third of a scrape's instructions.
  const std::size_t before = answer.size(), most_known = std::max(start_bytes, answer.capacity());
  answer.resize(std::min({before == 0 ? most_known : before + before / 4 + kRoomBytes, most_known, most_bytes}));
  NtStatus status = kStatusOk;
  for (int tries = 0; tries < kMaxQueryTries; ++tries) {
    std::uint32_t needed_bytes = 0;
    status = ask(call, answer, needed_bytes);
    if (status == kStatusOk) return status;
    const bool too_small =
        status == kStatusLengthMismatch || status == kStatusBufferTooSmall || status == kStatusBufferOverflow;
    if (!too_small || answer.size() == most_bytes) break;
    // Class 22 may report 0 or the size of a single entry as needed: doubling gets there all the same. The margin is
    // for what the kernel adds between two calls.
    const std::size_t needed = std::size_t{needed_bytes} + needed_bytes / 4;
    const std::size_t larger = std::min(std::max(2 * answer.size(), needed), most_bytes);
    answer.clear();
    answer.resize(larger);
  }
  answer.clear();
  answer.shrink_to_fit();
  return status;
}

}  // namespace

NtStatus read_all(NtQuery& query, std::uint32_t info_class, std::size_t start_bytes, std::string& answer,
                  std::size_t most_bytes) {
  const auto call = [&](std::span<std::byte> buffer, std::uint32_t& needed) { return query.query(info_class, buffer, needed); };
  return grow(call, start_bytes, most_bytes, answer);
}

NtStatus read_object_types(NtQuery& query, std::string& answer) {
  constexpr std::size_t kUsualBytes = 16 << 10, kMostBytes = 1 << 20;
  const auto call = [&](std::span<std::byte> buffer, std::uint32_t& needed) {
    return query.query_object_types(buffer, needed);
  };
  return grow(call, kUsualBytes, kMostBytes, answer);
}

NtStatus read_fixed(NtQuery& query, std::uint32_t info_class, std::size_t bytes, std::string& answer) {
  answer.assign(bytes, '\0');
  std::uint32_t needed_bytes = 0;
  const auto call = [&](std::span<std::byte> buffer, std::uint32_t& needed) { return query.query(info_class, buffer, needed); };
  const NtStatus status = ask(call, answer, needed_bytes);
  if (status != kStatusOk) answer.clear();
  return status;
}

}  // namespace kmem::windows
