// STAGE 1, before parsing: one reading of a kernel as it answered, bytes and statuses, nothing interpreted.
// A live source fills a RawFrame, `record` writes it, replay reads it back; the same parsers see all three, so a
// capture from Windows is understood on Linux. Thread: value type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"

namespace kmem {

enum class System : std::uint8_t { kLinux = 1, kWindows = 2 };

/// One answer. Names on Windows: "nt/22" for information class 22, "kmem/registry". Names on Linux: the path below
/// the roots, "proc/slabinfo", and what has to be gathered from many files: "kmem/slab_reclaim", "kmem/processes".
struct RawPart {
  std::string name;
  std::int64_t status = 0;          // 0 = answered; else NTSTATUS as an unsigned 32-bit value, or errno
  std::uint64_t micros = 0;         // how long the kernel took
  std::string bytes;                // empty unless status is 0, or no_answer(): then what was answered last, if that is not old
  std::string_view collector = {};  // whose it is, as the live source names it; a literal
  base::UnixMillis time = 0;        // when it was read; 0: with the frame
};

/// The status of a part whose reading has not returned in time: ETIMEDOUT, STATUS_IO_TIMEOUT.
[[nodiscard]] constexpr std::int64_t no_answer(System system) {
  return system == System::kLinux ? std::int64_t{110} : std::int64_t{0xC00000B5};
}

struct RawFrame {
  System system = System::kLinux;
  std::uint8_t pointer_bytes = 8;  // layout of the kernel's structures: 4 or 8
  std::uint32_t page_bytes = 4096;
  base::UnixMillis time = 0;
  bool repeated = false;  // nothing new could be read: it is the frame of `time` again
  std::vector<RawPart> parts;

  [[nodiscard]] const RawPart* find(std::string_view name) const {
    for (const RawPart& part : parts)
      if (part.name == name) return &part;
    return nullptr;
  }
  /// The part of that name, made if needed; its buffer is kept between readings.
  RawPart& part(std::string_view name) {
    for (RawPart& part : parts)
      if (part.name == name) return part;
    RawPart& made = parts.emplace_back();
    made.name = name;
    return made;
  }
};

}  // namespace kmem
