#include "collectors/windows/memory_lists.h"

#include <gmock/gmock.h>

#include "collectors/windows/unaccounted.h"
#include "collectors/windows/windows_parse.h"
#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

NtBytes lists(int width, std::size_t words = 21) {
  NtBytes bytes(words * static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < words; ++i) bytes.word(i * static_cast<std::size_t>(width), 10 + i, width);
  return bytes;
}

class MemoryListsTest : public testing::TestWithParam<int> {};

TEST_P(MemoryListsTest, EveryListIsReadFromItsPlaceInBytes) {
  const auto width = static_cast<std::uint8_t>(GetParam());
  for (const std::size_t words : {21u, 22u, 40u}) {  // newer kernels add to the end
    const auto read = parse_memory_lists(lists(GetParam(), words).span(), width, 8192);
    ASSERT_TRUE(read.ok());
    ASSERT_EQ(read->size(), 13U);
    constexpr std::string_view kNames[] = {"zero", "free", "modified", "modified_no_write", "bad"};
    for (std::size_t i = 0; i < 13; ++i) {
      EXPECT_EQ((*read)[i].name, i < 5 ? kNames[i] : "standby");
      EXPECT_EQ((*read)[i].priority, i < 5 ? -1 : static_cast<int>(i) - 5);
      EXPECT_EQ((*read)[i].bytes, (10 + i) * 8192);
    }
  }
  EXPECT_FALSE(parse_memory_lists(lists(GetParam(), 20).span(), width, 4096).ok());
}

INSTANTIATE_TEST_SUITE_P(Widths, MemoryListsTest, testing::Values(4, 8));

NtBytes memory_status(std::uint64_t physical, std::uint64_t available, std::uint64_t limit, std::uint64_t left) {
  return NtBytes(64).put(0, std::uint32_t{64}).put(8, physical).put(16, available).put(24, limit).put(32, left);
}

TEST(MemoryStatus, IsReadFromItsPlacesAndAnEmptyOneIsNone) {
  const auto read = parse_memory_status(memory_status(100, 40, 300, 120).span());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->physical_bytes, 100U);
  EXPECT_EQ(read->available_bytes, 40U);
  EXPECT_EQ(read->commit_limit_bytes, 300U);
  EXPECT_EQ(read->commit_left_bytes, 120U);
  EXPECT_FALSE(parse_memory_status(NtBytes(64).span()).ok());
  EXPECT_FALSE(parse_memory_status(memory_status(1, 1, 1, 1).span().first(63)).ok());
}

RawFrame frame_with(const NtBytes& status) {
  RawFrame frame;
  frame.system = System::kWindows;
  frame.part("nt/80").bytes = lists(8).str();
  frame.part("kmem/memory_status").bytes = status.str();
  return frame;
}

TEST(MemoryStatus, TellsWhatNobodyElseDoesAndWhatIsBeyond32BitsOfPages) {
  Snapshot snapshot;
  parse_windows_frame(frame_with(memory_status(1 << 30, 1 << 20, 3 << 20, 1 << 20)), snapshot);
  EXPECT_EQ(snapshot.physical_memory_bytes, 1U << 30);
  EXPECT_EQ(snapshot.available_bytes, 1U << 20);
  EXPECT_EQ(snapshot.commit_limit_bytes, 3U << 20);
  EXPECT_EQ(snapshot.commit_bytes, 2U << 20);
  EXPECT_EQ(snapshot.memory_lists.size(), 13U);

  RawFrame frame = frame_with(memory_status(1ULL << 45, 1ULL << 44, 1ULL << 46, 1ULL << 45));
  frame.part("nt/0").bytes = NtBytes(64).put(8, std::uint32_t{4096}).put(12, std::uint32_t{77}).str();
  snapshot.clear();
  parse_windows_frame(frame, snapshot);
  EXPECT_EQ(snapshot.physical_memory_bytes, 1ULL << 45);
  frame.part("kmem/memory_status").bytes = memory_status(1 << 30, 1, 2, 1).str();
  snapshot.clear();
  parse_windows_frame(frame, snapshot);
  EXPECT_EQ(snapshot.physical_memory_bytes, 77U * 4096U);
}

/// What each mutation of the layout does to the frame's part: refused, told, and not a number on the page.
TEST(MemoryLists, ALayoutThatCannotBeIsRefused) {
  const auto read = [](const std::string& bytes, std::uint8_t width) {
    RawFrame frame = frame_with(memory_status(1 << 30, 1 << 20, 3 << 20, 1 << 20));
    frame.pointer_bytes = width;
    frame.part("nt/80").bytes = bytes;
    Snapshot snapshot;
    parse_windows_frame(frame, snapshot);
    EXPECT_EQ(snapshot.physical_memory_bytes, 1U << 30) << "the other part stands";
    return snapshot;
  };
  EXPECT_EQ(read(lists(8).str(), 8).memory_lists.size(), 13U);
  // A pointer, a size in bytes or words of another width in the place of pages.
  NtBytes pointer = lists(8), bytes_not_pages = lists(8);
  pointer.put(24, std::uint64_t{0xFFFF'8000'1234'5000});
  for (std::size_t i = 0; i < 13; ++i) bytes_not_pages.put(8 * i, std::uint64_t{100 << 20});
  const std::string shifted = lists(8).str().substr(4) + std::string(4, '\0');
  for (const std::string& bytes :
       {pointer.str(), bytes_not_pages.str(), shifted, lists(8, 20).str(), lists(4).str(), std::string()}) {
    const Snapshot snapshot = read(bytes, 8);
    EXPECT_TRUE(snapshot.memory_lists.empty());
    ASSERT_FALSE(snapshot.parts.empty());
    EXPECT_EQ(snapshot.parts[0].collector, "memory_lists");
    EXPECT_EQ(snapshot.parts[0].state, PartState::kFailed);
    EXPECT_THAT(snapshot.parts[0].reason, testing::HasSubstr("memory lists of "));
  }
  // Bad pages may be outside of what counts as memory.
  NtBytes bad = lists(8);
  bad.put(32, std::uint64_t{1 << 20});
  EXPECT_EQ(read(bad.str(), 8).memory_lists.size(), 13U);
}

TEST(MemoryLists, ARefusalIsNoFailure) {
  for (const std::int64_t status : {0xC0000022LL, 0xC0000061LL}) {
    RawFrame frame;
    frame.system = System::kWindows;
    for (const char* const part : {"nt/80", "kmem/big_pool", "kmem/object_handles"}) frame.part(part).status = status;
    Snapshot snapshot;
    parse_windows_frame(frame, snapshot);
    ASSERT_EQ(snapshot.parts.size(), 3U);
    for (const PartStatus& part : snapshot.parts) {
      EXPECT_EQ(part.state, PartState::kUnsupported) << part.collector;
      EXPECT_THAT(part.reason, testing::HasSubstr("access denied")) << part.collector;
    }
  }
}

class UnaccountedTest : public testing::Test {
 protected:
  UnaccountedTest() {
    snapshot_.physical_memory_bytes = 1'000'000;
    snapshot_.available_bytes = 300'000;
    snapshot_.processes = {{4, "System", 1, 0, 0, 1'000}, {8, "a.exe", 1, 0, 0, 99'000}};
    info_.nonpaged.pages = 10;
    info_.paged.resident_pages = 20;
    info_.resident_cache_pages = 5;
  }
  [[nodiscard]] std::optional<std::uint64_t> now() const { return unaccounted_bytes(snapshot_, info_, 1000); }

  Snapshot snapshot_;
  PerformanceInfo info_;
};

TEST_F(UnaccountedTest, IsWhatIsLeftOfPhysicalMemory) {
  EXPECT_EQ(now(), 1'000'000U - 300'000 - 100'000 - 35'000);
  info_.resident_driver_pages = 3;
  info_.resident_code_pages = 2;
  EXPECT_EQ(now(), 560'000U);
  snapshot_.memory_lists = {
      {"zero", -1, 9'000}, {"modified", -1, 50'000}, {"modified_no_write", -1, 10'000}, {"standby", 5, 7}};
  EXPECT_EQ(now(), 500'000U);
  snapshot_.processes[1].working_set_bytes = 900'000;
  EXPECT_EQ(now(), 0U);
}

TEST_F(UnaccountedTest, IsNotToldWhereAPieceIsMissing) {
  const auto without = [this](auto remove) {
    Snapshot snapshot = snapshot_;
    PerformanceInfo info = info_;
    remove(snapshot, info);
    return unaccounted_bytes(snapshot, info, 1000);
  };
  EXPECT_EQ(without([](Snapshot& s, PerformanceInfo&) { s.physical_memory_bytes.reset(); }), std::nullopt);
  EXPECT_EQ(without([](Snapshot& s, PerformanceInfo&) { s.available_bytes.reset(); }), std::nullopt);
  EXPECT_EQ(without([](Snapshot& s, PerformanceInfo&) { s.available_bytes = 0; }), std::nullopt);
  EXPECT_EQ(without([](Snapshot&, PerformanceInfo& i) { i.nonpaged.pages = 0; }), std::nullopt);
  EXPECT_EQ(without([](Snapshot& s, PerformanceInfo&) { s.processes.clear(); }), std::nullopt);
  EXPECT_EQ(without([](Snapshot&, PerformanceInfo& i) { i.nonpaged.pages.reset(); }), std::nullopt);
  EXPECT_EQ(without([](Snapshot&, PerformanceInfo& i) { i.paged.resident_pages.reset(); }), std::nullopt);
  EXPECT_EQ(without([](Snapshot&, PerformanceInfo& i) { i.resident_cache_pages.reset(); }), std::nullopt);
  EXPECT_EQ(without([](Snapshot& s, PerformanceInfo&) { s.gaps.processes = true; }), std::nullopt) << "a torn list";
  const auto with_lists = [&](PartState state, bool has_rows) {
    return without([&](Snapshot& s, PerformanceInfo&) {
      PartStatus part;
      part.collector = "memory_lists";
      part.state = state;
      s.parts = {part};
      if (has_rows) s.memory_lists = {{"modified", -1, 65'000}};
    });
  };
  EXPECT_EQ(with_lists(PartState::kFailed, false), std::nullopt) << "asked, and no answer this time";
  EXPECT_EQ(with_lists(PartState::kFailed, true), 500'000U) << "its last answer stands";
  EXPECT_EQ(with_lists(PartState::kUnsupported, false), 565'000U) << "it never answers";
  EXPECT_EQ(with_lists(PartState::kOk, true), 500'000U);
}

/// Class 5 of both widths: the private part from NT 6.0 on, else the whole working set.
TEST(WorkingSets, ArePrivateOnesWhereTheKernelTellsThem) {
  for (const int width : {4, 8}) {
    for (const bool has_private : {false, true}) {
      NtBytes entry(width == 4 ? 184 : 256);
      entry.word(width == 4 ? 68 : 80, 4, width).word(width == 4 ? 104 : 144, 70'000, width);
      if (has_private) entry.put(8, std::int64_t{50'000});
      RawFrame frame;
      frame.system = System::kWindows;
      frame.pointer_bytes = static_cast<std::uint8_t>(width);
      frame.part("nt/5").bytes = entry.str();
      Snapshot snapshot;
      parse_windows_frame(frame, snapshot);
      ASSERT_EQ(snapshot.processes.size(), 1U);
      EXPECT_EQ(snapshot.processes[0].working_set_bytes, has_private ? 50'000U : 70'000U) << width;
    }
  }
}

}  // namespace
}  // namespace kmem::windows
