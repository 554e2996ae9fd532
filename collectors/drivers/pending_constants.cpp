#include "collectors/drivers/pending_constants.h"

#include <iterator>

namespace kmem::drivers {

void PendingConstants::fill(std::int32_t offset) {
  if (filled_.size() == kMaxFilled) filled_.erase(filled_.begin());
  filled_.push_back(offset);
}

void PendingConstants::note_store(const Place& place, const Constant& what, Piece piece) {
  // Before it is known: what was there may have been a piece of a text.
  drop([&](const Pending& one) { return one.place == place; });
  stores_.note(place, what, piece);
  if (place.reg == kSp) fill(place.offset);
}

std::int32_t PendingConstants::first_argument(bool is_jump) const {
  // x64 keeps four words for the register arguments; a jump leaves the return address where it is.
  return (is_x64_ ? 0x20 : 0) + (is_jump ? word_ : 0) - depth_;
}

bool PendingConstants::is_stack_argument(const Place& place, bool is_jump) const {
  if (place.kind != Place::kStored || place.reg != kSp) return false;
  const std::int64_t offset = std::int64_t{place.offset} - first_argument(is_jump);
  return offset >= 0 && offset < (is_x64_ ? 0x50 : 0x24) && offset % word_ == 0;
}

bool PendingConstants::follows_arguments(const Place& place, bool is_jump) const {
  for (std::int64_t at = first_argument(is_jump); at < place.offset; at += word_)
    if (std::find(filled_.begin(), filled_.end(), at) == filled_.end()) return false;
  return true;
}

void PendingConstants::call_tagged(const TagCall& shape, bool is_jump) {
  Place wanted{Place::kRegister, 0, 0};
  if (is_x64_ && shape.argument < kArguments.size()) {
    wanted.reg = kArguments[shape.argument];
  } else {
    const std::int32_t words = is_x64_ ? shape.argument - 4 : shape.word;
    wanted = {Place::kStored, kSp, first_argument(is_jump) + words * word_};
  }
  const auto is_wanted = [&](const Pending& one) { return one.place == wanted; };
  auto found = std::find_if(pending_.rbegin(), pending_.rend(), is_wanted);
  if (found == pending_.rend())
    found = std::find_if(pending_.rbegin(), pending_.rend(), [](const Pending& one) { return one.passed_by; });
  if (found != pending_.rend()) {
    add(found->what, Evidence::kArgument);
    pending_.erase(std::next(found).base());
  }
  const std::int64_t end = is_x64_ ? std::int64_t{first_argument(is_jump)} + 0x50
                                   : std::int64_t{first_argument(is_jump)} + std::int64_t{shape.words} * word_;
  erase([&](const Pending& one) {
    if (one.place.kind == Place::kRegister) return is_x64_ && is_argument(one.place.reg);
    return is_stack_argument(one.place, is_jump) && one.place.offset < end;
  });
  drop([](const Pending& one) { return !one.is_pushed; });
}

void PendingConstants::call_without_tag(bool is_jump) {
  erase([&](const Pending& one) {
    if (one.place.kind == Place::kRegister) return is_argument(one.place.reg) && number_ - one.since <= kWindow;
    return !one.is_pushed && is_stack_argument(one.place, is_jump) && follows_arguments(one.place, is_jump);
  });
  drop([](const Pending& one) { return !one.is_pushed; });
  for (Pending& one : pending_) one.passed_by = true;
}

void PendingConstants::call_unknown() {
  for (const Pending& one : pending_) {
    if (one.passed_by && pushed_bytes_ == 0) continue;
    const bool is_near = number_ - one.since <= kWindow;
    const bool handed = is_near && !one.what.only_known &&
                        (one.place.kind == Place::kRegister
                             ? is_argument(one.place.reg)
                             : one.is_pushed || (is_stack_argument(one.place, false) &&
                                                 (follows_arguments(one.place, false) || !stores_.is_text(one.place))));
    handed ? add(one.what, Evidence::kArgument) : settle(one);
  }
  pending_.clear();
}

void PendingConstants::jump(bool may_call) {
  for (const Pending& one : pending_) {
    const bool handed = may_call && one.place.kind == Place::kRegister && is_argument(one.place.reg) && !one.what.only_known &&
                        number_ - one.since <= kWindow / 2;
    handed ? add(one.what, Evidence::kArgument) : settle(one);
  }
  pending_.clear();
}

}  // namespace kmem::drivers
