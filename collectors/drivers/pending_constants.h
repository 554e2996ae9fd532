// Numbers that x86 code holds and that may be tags, on their way to a call: in a register, pushed, or stored where
// arguments lie. A call settles them, by where the function that is called takes its tag, if that is known.
// Thread: value type of one reader of code. Bounds: kMaxPending numbers. Failure: none.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collectors/drivers/image_scan.h"
#include "collectors/drivers/stored_constants.h"
#include "collectors/drivers/tag_calls.h"

namespace kmem::drivers {

inline constexpr unsigned kAx = 0, kDx = 2, kSp = 4, kBp = 5;
inline constexpr std::uint32_t kWindow = 16;  // instructions from a constant to the call that it is handed to
/// Offsets beyond are nobody's: what is read need not be code.
inline constexpr std::int32_t kFarthest = 1 << 30, kDeepest = 1 << 24;
inline constexpr std::size_t kMaxPending = 16, kMaxFilled = 16;

/// Registers that carry arguments: rcx, rdx, r8, r9; fastcall's ecx, edx.
constexpr bool is_argument(unsigned reg) { return reg == 1 || reg == 2 || reg == 8 || reg == 9; }
inline constexpr std::array<unsigned, 4> kArguments = {1, 2, 8, 9};

/// A function call may change these.
constexpr bool is_volatile(unsigned reg, bool is_x64) { return reg <= 2 || (is_x64 && reg >= 8 && reg <= 11); }

struct Pending {
  Constant what;
  Place place;
  std::uint32_t since = 0;  // number of the instruction
  bool is_pushed = false;
  bool passed_by = false;  // pushed before a call that takes no tag: of that call, or of a later one
};

class PendingConstants {
 protected:
  PendingConstants(bool is_x64, Finds& finds) : is_x64_(is_x64), word_(is_x64 ? 8 : 4), finds_(finds) {}

  void fill(std::int32_t offset);
  void note_store(const Place& place, const Constant& what, Piece piece);
  /// The place on the stack where the call's arguments that lie there begin.
  [[nodiscard]] std::int32_t first_argument(bool is_jump) const;
  [[nodiscard]] bool is_stack_argument(const Place& place, bool is_jump) const;
  /// All arguments before it were stored for this call.
  [[nodiscard]] bool follows_arguments(const Place& place, bool is_jump) const;

  void call_tagged(const TagCall& shape, bool is_jump);
  void call_without_tag(bool is_jump);
  void call_unknown();
  /// Away from here: the last call of a function, if it may be one, or just a branch.
  void jump(bool may_call);

  void await(const Pending& one) {
    if (pending_.size() == kMaxPending) settle_oldest();
    pending_.push_back(one);
  }
  void move_depth(std::int64_t by) {
    depth_ = static_cast<std::int32_t>(std::clamp<std::int64_t>(depth_ + by, -kDeepest, kDeepest));
  }
  template <typename Which>
  void drop(Which which) {
    if (pending_.empty()) return;
    for (const Pending& one : pending_)
      if (which(one)) settle(one);
    std::erase_if(pending_, which);
  }
  template <typename Which>
  void erase(Which which) {
    if (!pending_.empty()) std::erase_if(pending_, which);
  }
  void settle_oldest() {
    settle(pending_.front());
    pending_.erase(pending_.begin());
  }
  void settle(const Pending& one) {
    if (one.passed_by || one.what.least == Evidence{}) return;
    if (one.place.kind != Place::kStored || one.is_pushed || !stores_.is_text(one.place)) add(one.what, one.what.least);
  }
  void add(const Constant& what, Evidence evidence) {
    finds_.add(what.tag, evidence);
    if (what.other != 0) finds_.add(what.other, evidence);
  }

  const bool is_x64_;
  const std::int32_t word_;
  Finds& finds_;
  std::uint32_t number_ = 0;  // of the instruction
  std::vector<Pending> pending_;
  StoredConstants stores_;
  std::vector<std::int32_t> filled_;  // words of the stack that were stored since the last call
  std::int32_t depth_ = 0;            // bytes on the stack since the function's start, as far as known
  std::int32_t pushed_bytes_ = 0;     // since the last call
};

}  // namespace kmem::drivers
