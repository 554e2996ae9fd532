// STAGE 1: which slab caches the kernel counts as reclaimable (flag SLAB_RECLAIM_ACCOUNT), pool slab_reclaimable.
// The live source asks sysfs once a cache, as the flag never changes while a cache lives, and puts the answers into
// part "kmem/slab_reclaim": lines "name 0|1" in slabinfo's order. Names without an answer go by a table.
// Thread: one caller at a time. Failure: none; an unanswered name is asked again when the list of caches changes or
// after a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::linux {

/// By name alone, from the flags in the kernel's sources.
[[nodiscard]] bool is_known_reclaimable(std::string_view cache);

/// Asks sysfs for one cache: its reclaim_account, nullopt when it cannot be told.
using ReclaimLookup = std::function<std::optional<bool>(std::string_view cache)>;

/// The live source's memory of answers.
class ReclaimAnswers {
 public:
  /// The part's bytes for this slabinfo text.
  const std::string& update(std::string_view slabinfo, std::chrono::nanoseconds now, const ReclaimLookup& lookup);

 private:
  struct Entry {
    std::string cache;
    std::optional<bool> reclaimable;
  };
  [[nodiscard]] bool same_caches(std::string_view slabinfo) const;

  std::vector<Entry> entries_;  // slabinfo's order
  std::string bytes_;
  std::optional<std::chrono::nanoseconds> ask_again_at_;
};

/// Reads the part back. Rows are expected in slabinfo's order, any other order is only slower.
class ReclaimReader {
 public:
  explicit ReclaimReader(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}
  /// The part's answer, else the table's.
  [[nodiscard]] bool reclaimable(std::string_view cache);

 private:
  struct Row {
    std::string_view cache;
    bool reclaimable;
    std::size_t end;  // offset of the next row
  };
  static std::optional<Row> row(std::string_view line, std::size_t end);
  void index();

  std::string_view bytes_;
  std::string_view rest_;
  bool indexed_ = false;
  std::vector<Row> index_;  // sorted by cache
};

}  // namespace kmem::linux
