// The product's parsers on what a real 32-bit kernel answered while one of its tags leaked.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/windows_parse.h"
#include "tests/support/nt_frames.h"

namespace kmem::windows {
namespace {

class Nt52Frames : public testing::Test {
 protected:
  Nt52Frames() : frames_(test::read_nt_frames("fixtures/nt52-i386/frames.bin.gz", 4)) {
    for (const RawFrame& frame : frames_) parse_windows_frame(frame, snapshots_.emplace_back());
  }
  static const TagUsage* tag(const Snapshot& snapshot, Pool pool, std::string_view name) {
    const auto at = std::find_if(snapshot.tags.begin(), snapshot.tags.end(),
                                 [&](const TagUsage& row) { return row.pool == pool && row.tag == name; });
    return at == snapshot.tags.end() ? nullptr : &*at;
  }
  static const ProcessUsage* process(const Snapshot& snapshot, std::uint64_t pid) {
    const auto at = std::find_if(snapshot.processes.begin(), snapshot.processes.end(),
                                 [&](const ProcessUsage& row) { return row.pid == pid; });
    return at == snapshot.processes.end() ? nullptr : &*at;
  }

  std::vector<RawFrame> frames_;
  std::vector<Snapshot> snapshots_;
};

TEST_F(Nt52Frames, EveryPartOfEveryReadingIsUnderstood) {
  ASSERT_EQ(frames_.size(), 11u);
  for (const Snapshot& snapshot : snapshots_) {
    EXPECT_EQ(snapshot.parts.size(), 6u);
    for (const PartStatus& part : snapshot.parts) EXPECT_EQ(part.state, PartState::kOk) << part.collector << part.reason;
  }
  EXPECT_EQ(frames_.front().time, 1'795'221'016'513);
  EXPECT_EQ(frames_.back().time, 1'795'221'191'522);
  EXPECT_EQ(frames_.front().find("nt/66")->status, 0xC0000002);
  EXPECT_EQ(frames_.front().find("nt/255")->status, 0xC0000003);
}

TEST_F(Nt52Frames, TotalsOfTheFirstAndTheLastReading) {
  const Snapshot& first = snapshots_.front();
  const Snapshot& last = snapshots_.back();
  EXPECT_EQ(first.physical_memory_bytes, 262'010u * 4096u);
  EXPECT_EQ(first.commit_bytes, 13'922u * 4096u);
  EXPECT_EQ(last.commit_bytes, 22'600u * 4096u);
  EXPECT_EQ(last.commit_peak_bytes, 22'616u * 4096u);
  EXPECT_EQ(first.commit_limit_bytes, 262'010u * 4096u);
  EXPECT_EQ(first.available_bytes, 228'449u * 4096u);
  EXPECT_EQ(first.boot_time, last.boot_time);
  ASSERT_TRUE(first.boot_time.has_value());
  EXPECT_LT(*first.boot_time, frames_.front().time);
  EXPECT_GT(*first.boot_time, frames_.front().time - 60'000);
  ASSERT_EQ(first.pools.size(), 2u);
  EXPECT_EQ(first.pools[0].bytes, 926u * 4096u);
  EXPECT_EQ(first.pools[0].allocations, 19'038u);
  EXPECT_EQ(first.pools[0].frees, 9'693u);
  EXPECT_EQ(first.pools[1].bytes, 3'829u * 4096u);
  EXPECT_EQ(first.pools[1].allocations, 113'015u);
  EXPECT_EQ(first.pools[1].lookaside_hits, 76'741u);
  EXPECT_EQ(first.pools[0].lookaside_hits, 102'878u);
  EXPECT_EQ(last.pools[1].bytes, 4'414u * 4096u);
  EXPECT_EQ(last.file_cache_bytes, 22'615u * 4096u);  // this kernel writes pages there
}

TEST_F(Nt52Frames, WhatThisKernelDoesNotCountIsAbsent) {
  for (const Snapshot& snapshot : snapshots_) {
    EXPECT_EQ(snapshot.system_ptes_free, std::nullopt);
    EXPECT_EQ(snapshot.pools.at(0).resident_bytes, std::nullopt);
    EXPECT_EQ(snapshot.page_table_bytes, std::nullopt);
  }
}

TEST_F(Nt52Frames, EventObjectsLeak) {
  std::uint64_t before = 0;
  for (const Snapshot& snapshot : snapshots_) {
    const TagUsage* const even = tag(snapshot, Pool::kNonpaged, "Even");
    ASSERT_NE(even, nullptr);
    EXPECT_GT(even->outstanding, before);
    EXPECT_NEAR(static_cast<double>(even->bytes) / static_cast<double>(even->outstanding), 48, 3);
    EXPECT_EQ(even->counter_bits, 32);
    before = even->outstanding;
  }
  EXPECT_EQ(tag(snapshots_.front(), Pool::kNonpaged, "Even")->outstanding, 163u);
  EXPECT_EQ(tag(snapshots_.front(), Pool::kNonpaged, "Even")->bytes, 8'208u);
  EXPECT_EQ(tag(snapshots_.back(), Pool::kNonpaged, "Even")->outstanding, 11'878u);
  EXPECT_EQ(tag(snapshots_.back(), Pool::kNonpaged, "Even")->bytes, 570'528u);
  EXPECT_EQ(tag(snapshots_.back(), Pool::kPaged, "Even"), nullptr);
}

TEST_F(Nt52Frames, HandleTablesFollow) {
  std::uint64_t before = 0;
  for (const Snapshot& snapshot : snapshots_) {
    const TagUsage* const tables = tag(snapshot, Pool::kPaged, "Obtb");
    ASSERT_NE(tables, nullptr);
    EXPECT_GE(tables->bytes, before);
    before = tables->bytes;
  }
  EXPECT_EQ(tag(snapshots_.front(), Pool::kPaged, "Obtb")->bytes, 91'872u);
  EXPECT_EQ(tag(snapshots_.back(), Pool::kPaged, "Obtb")->bytes, 190'256u);
}

TEST_F(Nt52Frames, TheLeakingProcessGainsHandles) {
  constexpr std::uint64_t kLeaker = 980;
  std::uint64_t before = 0;
  for (const Snapshot& snapshot : snapshots_) {
    const ProcessUsage* const leaker = process(snapshot, kLeaker);
    ASSERT_NE(leaker, nullptr);
    EXPECT_EQ(leaker->name, "evleak.exe");
    ASSERT_TRUE(leaker->handles.has_value());
    EXPECT_GT(*leaker->handles, before);
    before = *leaker->handles;
  }
  EXPECT_EQ(process(snapshots_.front(), kLeaker)->handles, 4u);
  EXPECT_GT(before, 11'000u);
}

TEST_F(Nt52Frames, ProcessesHaveNamesAndQuotas) {
  const Snapshot& first = snapshots_.front();
  EXPECT_EQ(first.processes.size(), 18u);
  EXPECT_EQ(process(first, 0)->name, "Idle");
  EXPECT_EQ(process(first, 4)->name, "System");
  EXPECT_EQ(process(first, 988)->name, "rawcap.exe");
  const ProcessUsage* const csrss = process(first, 120);
  ASSERT_NE(csrss, nullptr);
  EXPECT_EQ(csrss->name, "csrss.exe");
  EXPECT_EQ(csrss->handles, 164u);
  EXPECT_EQ(csrss->paged_pool_bytes, 4'164u);
  EXPECT_EQ(csrss->nonpaged_pool_bytes, 2'248u);
}

TEST_F(Nt52Frames, TwoTagsHaveBytesThatAreNoTextAndAreDead) {
  const base::ByteReader table(std::as_bytes(std::span(frames_.front().find("nt/22")->bytes)));
  const std::uint32_t count = *table.read<std::uint32_t>(0);
  ASSERT_EQ(count, 338u);
  std::vector<std::string> odd;
  for (std::size_t at = 4; at < table.size(); at += 28) {
    const auto raw = *table.slice(at, 4);
    const bool text =
        std::all_of(raw.begin(), raw.end(), [](std::byte b) { return b >= std::byte{0x20} && b <= std::byte{0x7e}; });
    if (!text) odd.emplace_back(reinterpret_cast<const char*>(raw.data()), raw.size());
  }
  std::sort(odd.begin(), odd.end());
  EXPECT_EQ(odd, (std::vector<std::string>{std::string("Vpm\0", 4), "\xf3LMN"}));
  for (const TagUsage& row : snapshots_.front().tags) EXPECT_EQ(row.tag.size(), 4u) << row.tag;

  // One live byte, and they appear, as legal text.
  RawFrame alive = frames_.front();
  std::string& bytes = alive.part("nt/22").bytes;
  for (const std::string& raw : odd) bytes[bytes.find(raw) + 12] = 1;
  Snapshot snapshot;
  parse_windows_frame(alive, snapshot);
  EXPECT_EQ(snapshot.tags.size(), snapshots_.front().tags.size() + 2);
  ASSERT_NE(tag(snapshot, Pool::kPaged, "Vpm\\x00"), nullptr);
  ASSERT_NE(tag(snapshot, Pool::kPaged, "\\xf3LMN"), nullptr);
  EXPECT_EQ(tag(snapshot, Pool::kPaged, "\\xf3LMN")->bytes, 1u);
}

}  // namespace
}  // namespace kmem::windows
