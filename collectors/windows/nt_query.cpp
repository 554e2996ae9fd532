#include "collectors/windows/nt_query.h"

#include <algorithm>

namespace kmem::windows {

namespace {

NtStatus ask(NtQuery& query, std::uint32_t info_class, std::string& answer, std::uint32_t& needed_bytes) {
  needed_bytes = 0;
  const NtStatus status = query.query(info_class, std::as_writable_bytes(std::span(answer)), needed_bytes);
  if (!succeeded(status)) return status;
  // 0 on success: the kernel does not say. The answer's own counts bound it then.
  if (needed_bytes != 0) answer.resize(std::min<std::size_t>(needed_bytes, answer.size()));
  return kStatusOk;
}

}  // namespace

NtStatus read_all(NtQuery& query, std::uint32_t info_class, std::size_t start_bytes, std::string& answer) {
  answer.resize(std::min(std::max(start_bytes, answer.capacity()), kMaxAnswerBytes));
  NtStatus status = kStatusOk;
  for (int tries = 0; tries < kMaxQueryTries; ++tries) {
    std::uint32_t needed_bytes = 0;
    status = ask(query, info_class, answer, needed_bytes);
    if (status == kStatusOk) return status;
    const bool too_small =
        status == kStatusLengthMismatch || status == kStatusBufferTooSmall || status == kStatusBufferOverflow;
    if (!too_small || answer.size() == kMaxAnswerBytes) break;
    // Class 22 may report 0 or the size of a single entry as needed: doubling gets there all the same. The margin is
    // for what the kernel adds between two calls.
    const std::size_t needed = std::size_t{needed_bytes} + needed_bytes / 4;
    const std::size_t larger = std::min(std::max(2 * answer.size(), needed), kMaxAnswerBytes);
    answer.clear();
    answer.resize(larger);
  }
  answer.clear();
  answer.shrink_to_fit();
  return status;
}

NtStatus read_fixed(NtQuery& query, std::uint32_t info_class, std::size_t bytes, std::string& answer) {
  answer.assign(bytes, '\0');
  std::uint32_t needed_bytes = 0;
  const NtStatus status = ask(query, info_class, answer, needed_bytes);
  if (status != kStatusOk) answer.clear();
  return status;
}

}  // namespace kmem::windows
