#include "collectors/windows/windows_parse.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

const PartStatus* status_of(const Snapshot& snapshot, std::string_view collector) {
  const auto at = std::find_if(snapshot.parts.begin(), snapshot.parts.end(),
                               [&](const PartStatus& part) { return part.collector == collector; });
  return at == snapshot.parts.end() ? nullptr : &*at;
}

Snapshot parse(const RawFrame& frame) {
  Snapshot snapshot;
  parse_windows_frame(frame, snapshot);
  return snapshot;
}

RawFrame frame_of(std::uint8_t pointer_bytes, std::initializer_list<std::pair<std::string, std::string>> parts) {
  RawFrame frame;
  frame.system = System::kWindows;
  frame.pointer_bytes = pointer_bytes;
  for (const auto& [name, bytes] : parts) frame.part(name).bytes = bytes;
  return frame;
}

NtBytes performance() {
  NtBytes bytes(312);
  const std::uint32_t values[][2] = {{44, 3'000'000}, {48, 2'000'000}, {52, 8'000'000}, {56, 2'500'000}, {112, 60'000},
                                     {116, 50'000},   {120, 9},        {124, 4},        {128, 70},       {132, 30},
                                     {136, 200'000},  {152, 11},       {156, 12},       {168, 40'000}};
  for (const auto& [offset, value] : values) bytes.put(offset, value);
  return bytes;
}

TEST(WindowsParse, AWholeFrameOfA64BitKernel) {
  NtBytes process(256);
  process.put(56, std::uint16_t{8}).put(64, std::uint64_t{0x10000 + 256}).put(80, std::uint64_t{77});
  process.put(96, std::uint32_t{5}).put(160, std::uint64_t{1ULL << 33}).put(176, std::uint64_t{640});
  process.text(256, std::string_view("n\0a\0m\0e\0", 8));
  NtBytes tags(8 + 40);
  tags.put(0, std::uint32_t{1}).text(8, "Even").put(24, std::uint32_t{0}).put(32, std::uint32_t{500});
  tags.put(36, std::uint32_t{100}).put(40, std::uint64_t{19'200});
  NtBytes sessions(16 + 40);
  sessions.put(8, std::uint32_t{2}).put(12, std::uint32_t{1}).text(16, "Gh05").put(20, std::uint32_t{9});
  sessions.put(32, std::uint64_t{5120});
  RawFrame frame = frame_of(8, {{"nt/0", NtBytes(64).put(8, std::uint32_t{4096}).put(12, std::uint32_t{4'000'000}).str()},
                                {"nt/2", performance().str()},
                                {"nt/3", NtBytes(48).put(0, std::int64_t{134'396'946'165'130'000}).str()},
                                {"nt/5", process.str()},
                                {"nt/5.base", "65536"},
                                {"nt/21", NtBytes(64).put(0, std::uint64_t{4096}).put(8, std::uint64_t{8192}).str()},
                                {"nt/22", tags.str()},
                                {"nt/67", sessions.str()},
                                {"kmem/registry", "SystemPages=7\n"}});
  frame.part("nt/2").micros = 1500;
  const Snapshot snapshot = parse(frame);

  EXPECT_EQ(snapshot.physical_memory_bytes, 16'384'000'000u);  // more than 32 bits
  EXPECT_EQ(snapshot.available_bytes, 12'288'000'000u);
  EXPECT_EQ(snapshot.commit_bytes, 8'192'000'000u);
  EXPECT_EQ(snapshot.commit_limit_bytes, 32'768'000'000u);
  EXPECT_EQ(snapshot.commit_peak_bytes, 10'240'000'000u);
  EXPECT_EQ(snapshot.system_ptes_free, 200'000u);
  EXPECT_EQ(snapshot.boot_time, 1'795'221'016'513);
  EXPECT_EQ(snapshot.file_cache_bytes, 4096u);
  EXPECT_EQ(snapshot.file_cache_peak_bytes, 8192u);
  EXPECT_EQ(snapshot.page_table_bytes, std::nullopt);
  ASSERT_EQ(snapshot.pools.size(), 2u);
  EXPECT_EQ(snapshot.pools[0].pool, Pool::kPaged);
  EXPECT_EQ(snapshot.pools[0].bytes, 245'760'000u);
  EXPECT_EQ(snapshot.pools[0].resident_bytes, 163'840'000u);
  EXPECT_EQ(snapshot.pools[0].allocations, 9u);
  EXPECT_EQ(snapshot.pools[0].frees, 4u);
  EXPECT_EQ(snapshot.pools[0].lookaside_hits, 12u);
  EXPECT_EQ(snapshot.pools[1].pool, Pool::kNonpaged);
  EXPECT_EQ(snapshot.pools[1].bytes, 204'800'000u);
  EXPECT_EQ(snapshot.pools[1].resident_bytes, std::nullopt);
  EXPECT_EQ(snapshot.pools[1].lookaside_hits, 11u);
  ASSERT_EQ(snapshot.processes.size(), 1u);
  EXPECT_EQ(snapshot.processes[0].name, "name");
  EXPECT_EQ(snapshot.processes[0].pid, 77u);
  EXPECT_EQ(snapshot.processes[0].paged_pool_bytes, 1ULL << 33);
  ASSERT_EQ(snapshot.tags.size(), 1u);
  EXPECT_EQ(snapshot.tags[0].pool, Pool::kNonpaged);
  EXPECT_EQ(snapshot.tags[0].outstanding, 400u);
  EXPECT_EQ(snapshot.tags[0].bytes, 19'200u);
  ASSERT_EQ(snapshot.settings.size(), 1u);
  EXPECT_EQ(snapshot.settings[0].name, "SystemPages");

  ASSERT_EQ(snapshot.session_tags.size(), 1u);
  EXPECT_EQ(snapshot.session_tags[0].session, 2u);
  EXPECT_EQ(snapshot.session_tags[0].usage.tag, "Gh05");
  EXPECT_EQ(snapshot.session_tags[0].usage.bytes, 5120u);

  ASSERT_EQ(snapshot.parts.size(), 8u);
  for (const char* const name :
       {"basic", "performance", "time_of_day", "file_cache", "processes", "pool_tags", "session_pool_tags", "settings"}) {
    ASSERT_NE(status_of(snapshot, name), nullptr) << name;
    EXPECT_EQ(status_of(snapshot, name)->state, PartState::kOk) << name;
    EXPECT_EQ(status_of(snapshot, name)->reason, "") << name;
  }
  EXPECT_DOUBLE_EQ(status_of(snapshot, "performance")->seconds, 0.0015);
}

TEST(WindowsParse, PartsThatWereNotAskedForLeaveNoStatus) {
  const Snapshot snapshot = parse(frame_of(8, {}));
  EXPECT_TRUE(snapshot.parts.empty());
  EXPECT_TRUE(snapshot.pools.empty());
  EXPECT_EQ(snapshot.available_bytes, std::nullopt);
}

TEST(WindowsParse, RefusedAndUnsupportedAreToldApart) {
  RawFrame frame = frame_of(8, {{"nt/2", ""}, {"nt/21", ""}, {"nt/5", ""}, {"nt/22", ""}, {"kmem/registry", ""}});
  frame.part("nt/2").status = 0xC0000022;
  frame.part("nt/21").status = 0xC0000002;
  frame.part("nt/5").status = 0xC0000005;
  frame.part("nt/22").status = 0xC0000003;
  frame.part("kmem/registry").status = 0xC0000034;
  const Snapshot snapshot = parse(frame);
  EXPECT_EQ(status_of(snapshot, "performance")->state, PartState::kFailed);
  EXPECT_EQ(status_of(snapshot, "performance")->reason, "access denied, status 0xc0000022");
  EXPECT_EQ(status_of(snapshot, "file_cache")->state, PartState::kUnsupported);
  EXPECT_EQ(status_of(snapshot, "file_cache")->reason, "this kernel does not have it, status 0xc0000002");
  EXPECT_EQ(status_of(snapshot, "processes")->state, PartState::kFailed);
  EXPECT_EQ(status_of(snapshot, "processes")->reason, "the kernel refused, status 0xc0000005");
  EXPECT_EQ(status_of(snapshot, "pool_tags")->state, PartState::kUnsupported);
  EXPECT_EQ(status_of(snapshot, "settings")->state, PartState::kUnsupported);
}

TEST(WindowsParse, OneMalformedPartLosesNothingElse) {
  const Snapshot snapshot =
      parse(frame_of(8, {{"nt/0", "x"}, {"nt/2", performance().str()}, {"nt/3", "abc"}, {"nt/5", "p"}, {"nt/22", "t"}}));
  EXPECT_EQ(status_of(snapshot, "basic")->state, PartState::kFailed);
  EXPECT_EQ(status_of(snapshot, "basic")->reason, "basic information of 1 bytes");
  EXPECT_EQ(status_of(snapshot, "time_of_day")->state, PartState::kFailed);
  EXPECT_EQ(status_of(snapshot, "processes")->state, PartState::kFailed);
  EXPECT_EQ(status_of(snapshot, "pool_tags")->reason, "pool tag table of 1 bytes");
  EXPECT_EQ(status_of(snapshot, "performance")->state, PartState::kOk);
  EXPECT_EQ(snapshot.commit_bytes, 8'192'000'000u);  // pages of 4096 where class 0 does not tell
}

TEST(WindowsParse, PageSizeComesFromClass0ThenFromTheFrame) {
  RawFrame frame = frame_of(8, {{"nt/2", performance().str()}});
  frame.page_bytes = 8192;
  EXPECT_EQ(parse(frame).commit_bytes, 16'384'000'000u);
  frame.page_bytes = 3;
  EXPECT_EQ(parse(frame).commit_bytes, 8'192'000'000u);
  frame.part("nt/0").bytes = NtBytes(64).put(8, std::uint32_t{16384}).str();
  EXPECT_EQ(parse(frame).commit_bytes, 32'768'000'000u);
}

TEST(WindowsParse, WineGivesCommitAndNoPools) {
  NtBytes wine(312);
  wine.put(44, std::uint32_t{10}).put(48, std::uint32_t{20}).put(52, std::uint32_t{30});
  const Snapshot snapshot = parse(frame_of(8, {{"nt/2", wine.str()}, {"nt/21", std::string(64, '\0')}}));
  EXPECT_EQ(snapshot.available_bytes, 40'960u);
  EXPECT_EQ(snapshot.commit_bytes, 81'920u);
  EXPECT_EQ(snapshot.commit_limit_bytes, 122'880u);
  EXPECT_TRUE(snapshot.pools.empty());
  EXPECT_EQ(snapshot.system_ptes_free, std::nullopt);
  EXPECT_EQ(snapshot.commit_peak_bytes, std::nullopt);
  EXPECT_EQ(snapshot.file_cache_bytes, std::nullopt);
  EXPECT_EQ(status_of(snapshot, "performance")->state, PartState::kOk);
}

TEST(WindowsParse, PageTablesOfA24H2Kernel) {
  NtBytes bytes = performance();
  bytes.put(360, std::uint64_t{1000}).put(368, std::uint64_t{0});
  EXPECT_EQ(parse(frame_of(8, {{"nt/2", bytes.str()}})).page_table_bytes, 4'096'000u);
}

TEST(WindowsParse, TagsComeFrom255WhereItAnsweredAndElseFrom22) {
  NtBytes narrow(8 + 40);
  narrow.put(0, std::uint32_t{1}).text(8, "Narr").put(12, std::uint32_t{1}).put(24, std::uint64_t{5});
  NtBytes wide(8 + 56);
  wide.put(0, std::uint32_t{1}).text(8, "Wide").put(16, std::uint64_t{1}).put(32, std::uint64_t{5});
  RawFrame frame = frame_of(8, {{"nt/255", wide.str()}, {"nt/22", narrow.str()}});
  Snapshot snapshot = parse(frame);
  ASSERT_EQ(snapshot.tags.size(), 1u);
  EXPECT_EQ(snapshot.tags[0].tag, "Wide");
  EXPECT_EQ(snapshot.tags[0].counter_bits, 64);
  for (const std::int64_t status : {0xC0000003, 0xC0000022}) {
    frame.part("nt/255").status = status;
    snapshot = parse(frame);
    ASSERT_EQ(snapshot.tags.size(), 1u);
    EXPECT_EQ(snapshot.tags[0].tag, "Narr");
    EXPECT_EQ(snapshot.tags[0].counter_bits, 32);
    ASSERT_EQ(snapshot.parts.size(), 1u);
    EXPECT_EQ(snapshot.parts[0].state, PartState::kOk);
  }
}

TEST(WindowsParse, AWrongLengthIsToldByTheKindOfClass) {
  RawFrame frame = frame_of(8, {{"nt/80", ""}, {"nt/5", ""}});
  for (RawPart& part : frame.parts) part.status = 0xC0000004;
  const Snapshot snapshot = parse(frame);
  EXPECT_EQ(status_of(snapshot, "memory_lists")->reason,
            "the answer is of another length than this program asks for, status 0xc0000004");
  EXPECT_EQ(status_of(snapshot, "processes")->reason, "the answer is longer than this program reads, status 0xc0000004");
}

TEST(WindowsParse, SkippedRowsMakeAPartPartial) {
  NtBytes torn(4 + 28);
  torn.put(0, std::uint32_t{3}).text(4, "Torn").put(8, std::uint32_t{1}).put(12, std::uint32_t{2});
  torn.put(16, std::uint32_t{64});
  const Snapshot snapshot = parse(frame_of(4, {{"nt/22", torn.str()}, {"kmem/registry", "bad\nGood=1\n"}}));
  EXPECT_EQ(status_of(snapshot, "pool_tags")->state, PartState::kPartial);
  EXPECT_EQ(status_of(snapshot, "pool_tags")->skipped_rows, 3u);
  EXPECT_EQ(status_of(snapshot, "pool_tags")->reason, "torn or damaged rows: 3");
  ASSERT_EQ(snapshot.tags.size(), 1u);
  EXPECT_EQ(snapshot.tags[0].bytes, 64u);
  EXPECT_TRUE(snapshot.gaps.has(Pool::kPaged) && snapshot.gaps.has(Pool::kNonpaged));
  EXPECT_FALSE(snapshot.gaps.processes);
  EXPECT_EQ(status_of(snapshot, "settings")->state, PartState::kPartial);
  ASSERT_EQ(snapshot.settings.size(), 1u);
  EXPECT_EQ(snapshot.settings[0].value, 1.0);
}

TEST(WindowsParse, ADamagedBaseIsAsNoBase) {
  NtBytes process(184);
  process.put(56, std::uint16_t{2}).put(60, std::uint32_t{0xdead0000}).put(68, std::uint32_t{8});
  process.text(184, std::string_view("x\0", 2));
  for (const char* const base : {"", "12z", "-1", "99999999999999999999999"}) {
    const Snapshot snapshot = parse(frame_of(4, {{"nt/5", process.str()}, {"nt/5.base", base}}));
    ASSERT_EQ(snapshot.processes.size(), 1u) << base;
    EXPECT_EQ(snapshot.processes[0].name, "x") << base;
  }
}

}  // namespace
}  // namespace kmem::windows
