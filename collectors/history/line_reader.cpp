#include "collectors/history/line_reader.h"

#include <algorithm>
#include <span>

namespace kmem::history {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

}  // namespace

base::Result<LineState> LineReader::next() {
  line_.clear();
  bool too_long = false;
  for (bool any = false;; any = true) {
    if (at_ == chunk_.size()) {
      if (auto filled = fill(); !filled) return filled.error();
      if (chunk_.empty() && !any) return LineState::kEnd;
      if (chunk_.empty()) break;
    }
    const std::size_t end = std::min(chunk_.find('\n', at_), chunk_.size());
    const std::size_t length = end - at_;
    const std::size_t room = max_line_bytes_ - line_.size();
    line_.append(chunk_, at_, std::min(length, room));
    too_long |= length > room;
    at_ = end;
    if (end < chunk_.size()) {
      ++at_;
      break;
    }
  }
  ++number_;
  while (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return too_long ? LineState::kTooLong : LineState::kLine;
}

base::Result<void> LineReader::fill() {
  at_ = 0;
  do {  // UTF-16 may leave nothing of the first bytes
    const std::size_t had = half_.size();
    chunk_ = half_;
    half_.clear();
    chunk_.resize(had + kChunkBytes);
    const auto got = file_->read(std::as_writable_bytes(std::span(chunk_).subspan(had)));
    chunk_.resize(had + (got ? *got : 0));
    if (!got) return got.error();
    if (*got == 0) {
      chunk_.clear();
      return {};
    }
    if (!begun_) {
      utf16_ = chunk_.starts_with("\xff\xfe");
      chunk_.erase(0, utf16_ ? 2 : chunk_.starts_with("\xef\xbb\xbf") ? 3 : 0);
      begun_ = true;
    }
    if (utf16_) narrow();
  } while (chunk_.empty());
  return {};
}

void LineReader::narrow() {
  if (chunk_.size() % 2 != 0) {
    half_.assign(1, chunk_.back());
    chunk_.pop_back();
  }
  for (std::size_t i = 0; i < chunk_.size(); i += 2) chunk_[i / 2] = chunk_[i + 1] == 0 ? chunk_[i] : '?';
  chunk_.resize(chunk_.size() / 2);
}

}  // namespace kmem::history
