// The one table of a Snapshot's fields: what merges readings and what exports totals goes through it, so that a new
// field cannot be forgotten. Adding one breaks the count below until it stands here. Thread: constants.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "collectors/snapshot.h"

namespace kmem {

namespace fields {

/// Takes the place of any field, to count them.
struct Anything {
  template <typename T>
  operator T() const;
};

template <typename T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}
/// How many fields an aggregate has.
template <typename T, std::size_t N = 0>
constexpr std::size_t count() {
  if constexpr (takes<T>(std::make_index_sequence<N + 1>())) return count<T, N + 1>();
  else return N;
}

}  // namespace fields

inline constexpr std::tuple kPoolFields{
    &PoolTotals::pool,  &PoolTotals::bytes,          &PoolTotals::resident_bytes, &PoolTotals::allocations,
    &PoolTotals::frees, &PoolTotals::lookaside_hits, &PoolTotals::limit,          &PoolTotals::trim_threshold_bytes};

inline constexpr std::tuple kSnapshotFields{&Snapshot::system,
                                            &Snapshot::time,
                                            &Snapshot::boot_time,
                                            &Snapshot::repeated,
                                            &Snapshot::pools,
                                            &Snapshot::tags,
                                            &Snapshot::session_tags,
                                            &Snapshot::processes,
                                            &Snapshot::object_handles,
                                            &Snapshot::big_pool,
                                            &Snapshot::memory_lists,
                                            &Snapshot::kernel_memory,
                                            &Snapshot::gaps,
                                            &Snapshot::settings,
                                            &Snapshot::parts,
                                            &Snapshot::failure_events,
                                            &Snapshot::event_log,
                                            &Snapshot::os,
                                            &Snapshot::user_address_space_bytes,
                                            &Snapshot::system_ptes_free,
                                            &Snapshot::commit_bytes,
                                            &Snapshot::commit_limit_bytes,
                                            &Snapshot::commit_peak_bytes,
                                            &Snapshot::physical_memory_bytes,
                                            &Snapshot::available_bytes,
                                            &Snapshot::file_cache_bytes,
                                            &Snapshot::file_cache_peak_bytes,
                                            &Snapshot::kernel_stack_bytes,
                                            &Snapshot::page_table_bytes,
                                            &Snapshot::unaccounted_bytes};

static_assert(std::tuple_size_v<decltype(kPoolFields)> == fields::count<PoolTotals>());
static_assert(std::tuple_size_v<decltype(kSnapshotFields)> == fields::count<Snapshot>());

/// visit(mine.field, theirs.field) for every field of the table.
template <typename Table, typename T, typename Visit>
void for_each_field(const Table& table, T& mine, T& theirs, Visit visit) {
  std::apply([&](auto... field) { (visit(mine.*field, theirs.*field), ...); }, table);
}

}  // namespace kmem
