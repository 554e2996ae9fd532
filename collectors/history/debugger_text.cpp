// What only the debugger writes: the totals of !vm, and the sums below tables of !poolused.
#include "collectors/history/text_history.h"

#include <algorithm>
#include <utility>

#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"

namespace kmem::history {

void TextHistory::begin_vm() {
  begin(has_system_rows_ ? !of_debugger_ || has_vm_ : has_totals_);
  in_vm_ = has_vm_ = of_debugger_ = true;
}

bool TextHistory::vm_line(std::string_view line) {
  VmParts parts = vm_parts_;
  SnapshotBuilder looked;
  VmParts unused;
  if (in_vm_) {
    unused.kib_a_page = parts.kib_a_page;
    unused.kib = parts.kib;
  }
  const VmLine kind = apply_vm_line(line, unused, looked);
  if (kind == VmLine::kOther) return false;
  if (kind == VmLine::kUnknown && unused.part_of) {
    if (!in_vm_) begin_vm();
    if (std::uint64_t& first = vm_part_lines_[*unused.part_of == Pool::kNonpaged]; first == 0) first = lines_.number();
  }
  if (kind == VmLine::kUnknown) return true;
  if (kind == VmLine::kBroken) {
    notes_.skip(lines_.number(), unused.problem);
    if (!unused.is_broken) return true;
    // A part of the sum.
    (in_vm_ ? vm_parts_.is_broken : is_vm_torn_ahead_) = true;
    if (in_vm_) building_.totals(Pool::kNonpaged).bytes.reset();
    return true;
  }
  if (!in_vm_) {
    const bool is_torn = is_vm_torn_ahead_;
    begin_vm();
    parts = {};
    parts.is_broken = is_torn;
    is_vm_torn_ahead_ = false;
  }
  (void)apply_vm_line(line, parts, building_);
  if (parts.nonpaged_nx && !vm_parts_.nonpaged_nx) vm_nx_line_ = lines_.number();
  if (parts.nonpaged && !vm_parts_.nonpaged) vm_nonpaged_line_ = lines_.number();
  vm_parts_ = parts;
  return has_totals_ = true;
}

// Parts of a pool whose sum is not there: how many there were is not known.
void TextHistory::tell_parts_of_pools() {
  const bool is_nx_alone = vm_parts_.nonpaged_nx && !vm_parts_.nonpaged && !vm_parts_.is_broken;
  if (is_nx_alone && vm_part_lines_[1] == 0) vm_part_lines_[1] = vm_nx_line_;
  for (const Pool pool : {Pool::kPaged, Pool::kNonpaged}) {
    const std::uint64_t line = std::exchange(vm_part_lines_[pool == Pool::kNonpaged], 0);
    const auto& pools = building_.snapshot().pools;
    const bool is_told =
        std::any_of(pools.begin(), pools.end(), [&](const PoolTotals& one) { return one.pool == pool && one.bytes; });
    if (line == 0 || is_told || (pool == Pool::kNonpaged && vm_parts_.is_broken)) continue;
    notes_.skip(line,
                std::string("a part of ") + std::string(pool_name(pool)) + " pool, whose line \"" +
                    (pool == Pool::kNonpaged ? "NonPagedPool" : "PagedPool") +
                    " Usage:\" is missing: how large it is is not known",
                {{}, pool, {}});
  }
}

// Debuggers of systems that have it print it in every look: without it the other part alone looks like the sum.
void TextHistory::lose_half_of_nonpaged() {
  if (!vm_parts_.nonpaged || vm_parts_.nonpaged_nx || vm_parts_.is_broken || !has_nx_line()) return;
  building_.totals(Pool::kNonpaged).bytes.reset();
  notes_.skip(vm_nonpaged_line_,
              "a part of nonpaged pool, whose other one, \"NonPagedPoolNx Usage:\", stands in this file but not in this look: "
              "how large it is is not known",
              {{}, Pool::kNonpaged, {}});
}

bool TextHistory::has_nx_line() {
  constexpr std::string_view kName = "NonPagedPoolNx";
  if (!has_nx_line_) {
    has_nx_line_ = false;
    auto again = options_.again ? options_.again() : base::Result<LineReader>(base::Error{base::ErrorCode::kIo, {}});
    if (!again) return false;
    for (auto state = again->next(); !*has_nx_line_ && state && *state != LineState::kEnd; state = again->next())
      has_nx_line_ = again->line().find(kName) != std::string_view::npos;
  }
  return *has_nx_line_;
}

// TOTAL below a table of !poolused is the sum of its rows, where none is missing and each is right.
void TextHistory::compare_total(std::string_view text) {
  if (table_ != Table::kPoolused || poolused_.pools.empty() || !same_word(text.substr(0, 5), "TOTAL")) return;
  std::string_view rest = text.substr(5);
  const std::size_t width = poolused_.verbose ? 4 : 2;
  bool differs = false;
  std::vector<std::pair<Pool, std::uint64_t>> missing;  // of each pool
  for (std::size_t i = 0; i < poolused_.pools.size() * width; ++i) {
    const auto number = take_grouped(rest);
    if (!number) return;
    if (i % width != width - 1) continue;
    const Pool pool = poolused_.pools[i / width];
    const std::uint64_t used = used_[static_cast<std::size_t>(pool)];
    differs |= *number != used;
    if (*number > used) missing.emplace_back(pool, *number - used);
  }
  if (any_broken_ || !differs) {
    totals_that_fit_ += differs || any_broken_ ? 0 : 1;
    return;
  }
  constexpr const char* kNotTheSum = "TOTAL is not the sum of the rows above it: one is missing, or has a wrong number";
  if (totals_that_fit_ == 0) {
    if (!std::exchange(told_of_total_, true)) notes_.warn("line " + std::to_string(lines_.number()) + ": " + kNotTheSum);
  } else {
    notes_.skip(lines_.number(), kNotTheSum);
  }
  for (const auto& [pool, bytes] : missing)
    if (is_of_system()) lose_rows_cut_by(pool, bytes);
  lose_row();
}

// The digits of `whole` without one of them, or without some at the end, are `part`.
bool TextHistory::lost_digits(std::uint64_t whole, std::uint64_t part) {
  for (std::uint64_t behind = 1; behind <= whole; behind *= 10)
    if (whole / behind / 10 * behind + whole % behind == part || whole / behind == part) return true;
  return false;
}

// Those whose number lost as many digits as make the sum right.
void TextHistory::lose_rows_cut_by(Pool pool, std::uint64_t missing) {
  const auto is_cut = [&](const TagUsage& tag) {
    return tag.pool == pool && tag.bytes > 0 && lost_digits(tag.bytes + missing, tag.bytes);
  };
  std::vector<TagUsage>& tags = (behind_blank_ ? pending_ : building_).snapshot().tags;
  for (const TagUsage& tag : tags)
    if (is_cut(tag))
      notes_.skip(lines_.number(),
                  "the number of " + in_quotes(tag.tag) + " may be cut: with more digits TOTAL would be the sum of its rows",
                  {{}, pool, tag.tag});
  tags.erase(std::remove_if(tags.begin(), tags.end(), is_cut), tags.end());
}

}  // namespace kmem::history
