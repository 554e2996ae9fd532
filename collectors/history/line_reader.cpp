#include "collectors/history/line_reader.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "collectors/history/text_header.h"

namespace kmem::history {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

}  // namespace

base::Result<LineState> LineReader::next() {
  if (std::exchange(has_below_, false)) {
    line_.swap(below_);
    open_ended_ = is_below_open_;
    return LineState::kLine;
  }
  for (;;) {
    auto state = read_line();
    if (!state || *state == LineState::kTooLong || !filter_) return state;
    above_.clear();
    if (*state == LineState::kEnd) {
      if (std::exchange(asked_for_rest_, true) || !filter_(line_, above_, 0) || line_.empty()) return LineState::kEnd;
      open_ended_ = true;
      return LineState::kLine;
    }
    if (!filter_(line_, above_, number_)) continue;
    if (above_.empty()) return state;
    below_.swap(line_);
    line_.swap(above_);
    is_below_open_ = std::exchange(open_ended_, false);
    has_below_ = true;
    return state;
  }
}

base::Result<LineState> LineReader::read_line() {
  line_.clear();
  bool too_long = false;
  open_ended_ = false;
  bool returned = false;  // a CR came last, and perhaps its LF
  for (bool any = false;; any = true) {
    if (at_ == chunk_.size()) {
      if (auto filled = fill(); !filled) return filled.error();
      if (chunk_.empty() && !any) return LineState::kEnd;
      if (chunk_.empty()) {
        open_ended_ = !returned;
        break;
      }
    }
    if (returned) {
      const std::size_t behind = std::min(chunk_.find_first_not_of('\r', at_), chunk_.size());
      if (behind == chunk_.size()) {
        at_ = behind;
        continue;
      }
      if (chunk_[behind] == '\n') at_ = behind + 1;
      break;
    }
    const std::size_t feed = std::min(chunk_.find('\n', at_), chunk_.size());
    const auto* const begin = chunk_.data() + at_;
    const auto* const found = static_cast<const char*>(std::memchr(begin, '\r', feed - at_));
    const std::size_t end = found != nullptr ? static_cast<std::size_t>(found - chunk_.data()) : feed;
    const std::size_t length = end - at_;
    const std::size_t room = max_line_bytes_ - line_.size();
    line_.append(chunk_, at_, std::min(length, room));
    too_long |= length > room;
    at_ = end;
    if (end == chunk_.size()) continue;
    ++at_;
    if (chunk_[end] == '\n') break;
    returned = true;
    if (at_ == chunk_.size()) continue;
    // CRs before an LF are all of one line's end; a lone one ends its line.
    const std::size_t behind = chunk_.find_first_not_of('\r', at_);
    if (behind == std::string::npos) continue;
    if (chunk_[behind] == '\n') at_ = behind + 1;
    break;
  }
  ++number_;
  if (line_.starts_with("\xef\xbb\xbf")) line_.erase(0, 3);  // of a file that was put behind another
  take_off_dressing(line_);
  return too_long ? LineState::kTooLong : LineState::kLine;
}

base::Result<void> LineReader::fill() {
  at_ = 0;
  chunk_.clear();
  while (chunk_.empty() && !ended_) {  // UTF-16 may leave nothing of the first bytes
    raw_.resize(kChunkBytes);
    const auto got = file_->read(std::as_writable_bytes(std::span(raw_)));
    raw_.resize(got ? *got : 0);
    if (!got) return got.error();
    bytes_read_ += *got;
    ended_ = *got == 0;
    decoder_.decode(raw_, ended_, chunk_);
  }
  return {};
}

}  // namespace kmem::history
