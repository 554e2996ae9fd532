#include "collectors/windows/process_info.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

struct Process {
  std::uint64_t pid;
  std::u16string name;
  std::uint32_t threads;
  std::uint32_t handles;
  std::uint64_t paged_quota;
  std::uint64_t nonpaged_quota;
  std::int64_t create_time = 0;
};

/// Builds the chain. `gap` bytes lie between an entry's threads and its name, `slack` after the name (odd values make
/// the next entry unaligned, as Wine's are).
class ProcessList {
 public:
  ProcessList(int pointer_bytes, std::uint64_t address, std::size_t gap = 0, std::size_t slack = 0)
      : p_(pointer_bytes), address_(address), gap_(gap), slack_(slack) {}

  ProcessList& add(const Process& process) {
    const std::size_t at = end_;
    if (at != last_) bytes_.put(last_, static_cast<std::uint32_t>(at - last_));
    const bool x86 = p_ == 4;
    const std::size_t name_at = at + (x86 ? 184 + 64 * process.threads : 256 + 80 * process.threads) + gap_;
    const auto name_bytes = static_cast<std::uint16_t>(process.name.size() * 2);
    bytes_.put(at, std::uint32_t{0}).put(at + 4, process.threads).put(at + 56, name_bytes);
    bytes_.put(at + 32, process.create_time);
    bytes_.word(at + (x86 ? 60 : 64), name_bytes == 0 ? 0 : address_ + name_at, p_);
    bytes_.word(at + (x86 ? 68 : 80), process.pid, p_);
    bytes_.put(at + (x86 ? 76 : 96), process.handles);
    bytes_.word(at + (x86 ? 112 : 160), process.paged_quota, p_);
    bytes_.word(at + (x86 ? 120 : 176), process.nonpaged_quota, p_);
    bytes_.text(name_at, std::string_view(reinterpret_cast<const char*>(process.name.data()), name_bytes));
    last_ = at;
    end_ = name_at + name_bytes + 2 + slack_;
    bytes_.put(end_ - 1, '\0');
    return *this;
  }
  [[nodiscard]] NtBytes& bytes() { return bytes_; }
  [[nodiscard]] std::size_t last() const { return last_; }

 private:
  int p_;
  std::uint64_t address_;
  std::size_t gap_, slack_, last_ = 0, end_ = 0;
  NtBytes bytes_{0};
};

std::vector<ProcessUsage> parse_good(const NtBytes& bytes, std::uint8_t pointer_bytes, std::optional<std::uint64_t> address,
                                     std::uint64_t skipped = 0) {
  std::vector<ProcessUsage> rows;
  const auto result = parse_processes(bytes.span(), pointer_bytes, address, rows);
  EXPECT_TRUE(result.ok());
  if (result) { EXPECT_EQ(*result, skipped); }
  return rows;
}

class ProcessLayouts : public testing::TestWithParam<std::uint8_t> {
 protected:
  [[nodiscard]] std::uint64_t address() const { return GetParam() == 4 ? 0xfff00000 : 0x7ff6'1234'5671; }
};
INSTANTIATE_TEST_SUITE_P(Both, ProcessLayouts, testing::Values(std::uint8_t{4}, std::uint8_t{8}));

TEST_P(ProcessLayouts, EveryFieldIsReadFromItsPlaceAtAnyAlignment) {
  for (const std::size_t slack : {0u, 1u, 3u, 6u}) {
    ProcessList list(GetParam(), address(), 8, slack);
    list.add({0, u"", 2, 0, 0, 0}).add({4, u"", 20, 92, 0, 700}).add({120, u"csrss.exe", 6, 164, 4164, 2248});
    const auto rows = parse_good(list.bytes(), GetParam(), address());
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].name, "Idle");
    EXPECT_EQ(rows[0].handles, 0u);
    EXPECT_EQ(rows[1].name, "System");
    EXPECT_EQ(rows[1].pid, 4u);
    EXPECT_EQ(rows[1].handles, 92u);
    EXPECT_EQ(rows[1].paged_pool_bytes, 0u);
    EXPECT_EQ(rows[1].nonpaged_pool_bytes, 700u);
    EXPECT_EQ(rows[2].name, "csrss.exe");
    EXPECT_EQ(rows[2].pid, 120u);
    EXPECT_EQ(rows[2].handles, 164u);
    EXPECT_EQ(rows[2].paged_pool_bytes, 4164u);
    EXPECT_EQ(rows[2].nonpaged_pool_bytes, 2248u);
  }
}

TEST_P(ProcessLayouts, WithoutTheAddressNamesAreFoundBehindTheThreads) {
  ProcessList list(GetParam(), address());
  list.add({4, u"System", 3, 9, 1, 1}).add({1000, u"a.exe", 0, 5, 1, 1});
  const auto rows = parse_good(list.bytes(), GetParam(), std::nullopt);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].name, "System");
  EXPECT_EQ(rows[1].name, "a.exe");
}

TEST_P(ProcessLayouts, NamePointerOutOfTheBytesLosesTheNameOnly) {
  for (const std::uint64_t wrong : {std::uint64_t{0}, address() - 1, address() + 100'000}) {
    ProcessList list(GetParam(), address());
    list.add({40, u"x.exe", 1, 5, 1, 1}).add({44, u"y.exe", 1, 6, 1, 1});
    list.bytes().word(GetParam() == 4 ? 60 : 64, wrong, GetParam());
    const auto rows = parse_good(list.bytes(), GetParam(), address(), 1);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].name, "");
    EXPECT_EQ(rows[0].handles, 5u);
    EXPECT_EQ(rows[1].name, "y.exe");
  }
}

TEST_P(ProcessLayouts, ThreadCountThatOverflowsLosesTheNameOnly) {
  ProcessList list(GetParam(), address());
  list.add({40, u"x.exe", 1, 5, 1, 1});
  list.bytes().put(4, std::uint32_t{0xffffffff});
  const auto rows = parse_good(list.bytes(), GetParam(), std::nullopt, 1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].pid, 40u);
}

TEST_P(ProcessLayouts, QuotasThatAreZeroEverywhereAreAbsent) {
  ProcessList list(GetParam(), address());
  list.add({4, u"System", 1, 9, 0, 0}).add({8, u"b.exe", 1, 5, 0, 0});
  for (const ProcessUsage& row : parse_good(list.bytes(), GetParam(), address())) {
    EXPECT_EQ(row.paged_pool_bytes, std::nullopt);
    EXPECT_EQ(row.nonpaged_pool_bytes, std::nullopt);
    EXPECT_TRUE(row.handles.has_value());
  }
}

TEST_P(ProcessLayouts, LinksThatDoNotGoForwardEndTheList) {
  const std::uint32_t header = GetParam() == 4 ? 184 : 256;
  for (const std::uint32_t link : {1u, 8u, header - 1, 0x7fffffffu, 0xffffffffu, 0xfffffff8u}) {
    ProcessList list(GetParam(), address());
    list.add({4, u"System", 1, 9, 1, 1}).add({8, u"b.exe", 1, 5, 1, 1}).add({12, u"c.exe", 1, 7, 1, 1});
    list.bytes().put(0, link);
    const auto rows = parse_good(list.bytes(), GetParam(), address(), 1);
    ASSERT_EQ(rows.size(), 1u) << link;
    EXPECT_EQ(rows[0].name, "System");
  }
}

TEST_P(ProcessLayouts, EntryCutByTheEndOfTheBytesIsSkipped) {
  ProcessList list(GetParam(), address());
  list.add({4, u"System", 1, 9, 1, 1}).add({8, u"b.exe", 1, 5, 1, 1});
  NtBytes cut(0);
  cut.text(0, std::string_view(list.bytes().str()).substr(0, list.last() + 100));
  EXPECT_EQ(parse_good(cut, GetParam(), address(), 1).size(), 1u);
  NtBytes to_the_end(0);
  to_the_end.text(0, std::string_view(list.bytes().str()).substr(0, list.last()));
  EXPECT_EQ(parse_good(to_the_end, GetParam(), address(), 1).size(), 1u);
}

TEST_P(ProcessLayouts, NotEvenOneEntryIsMalformed) {
  std::vector<ProcessUsage> rows;
  const auto result = parse_processes(NtBytes(100).span(), GetParam(), std::nullopt, rows);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "process list of 100 bytes");
  EXPECT_TRUE(rows.empty());
}

std::string label(std::u16string_view text) { return utf16_label(std::as_bytes(std::span(text))); }

TEST(Utf16Label, BecomesLegalUtf8) {
  EXPECT_EQ(label(u"svchost.exe"), "svchost.exe");
  EXPECT_EQ(label(u"\u00e9\u4e2d.exe"), "\xc3\xa9\xe4\xb8\xad.exe");
  EXPECT_EQ(label(u"\U0001f600"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(label(u"a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(label(u"\u009b2J\u202egpj.exe\ufeff\u00a0\u2027"), "\\u009b2J\\u202egpj.exe\\ufeff\xc2\xa0\xe2\x80\xa7");
}

TEST(Utf16Label, LoneSurrogatesAreReplaced) {
  const char16_t high_then_letter[] = {0xd83d, u'a'};
  const char16_t low[] = {0xde00};
  const char16_t high_at_end[] = {u'z', 0xd83d};
  EXPECT_EQ(label({high_then_letter, 2}),
            "\xef\xbf\xbd"
            "a");
  EXPECT_EQ(label({low, 1}), "\xef\xbf\xbd");
  EXPECT_EQ(label({high_at_end, 2}), "z\xef\xbf\xbd");
}

TEST(Utf16Label, HalfACharacterAtTheEndIsDropped) { EXPECT_EQ(utf16_label(std::as_bytes(std::span("a\0b", 3))), "a"); }

TEST_P(ProcessLayouts, OfTwoWithOneIdTheLaterStartedLivesAndTheOtherIsCounted) {
  ProcessList list(GetParam(), address());
  list.add({88, u"a.exe", 1, 5, 1, 1, 134'396'946'165'130'000})
      .add({4, u"b.exe", 1, 1, 1, 1})
      .add({88, u"a.exe", 1, 7, 1, 1, 134'396'946'175'130'000})
      .add({4, u"b.exe", 1, 9, 1, 1});
  const auto rows = parse_good(list.bytes(), GetParam(), address(), 2);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].pid, 88u);
  EXPECT_EQ(rows[0].handles, 7u);
  EXPECT_EQ(rows[1].pid, 4u);
  EXPECT_EQ(rows[1].handles, 9u) << "of equal starts the later listed";
}

TEST_P(ProcessLayouts, TheStartTellsTwoProcessesOfOneIdApart) {
  ProcessList list(GetParam(), address());
  list.add({0, u"", 1, 0, 0, 0}).add({88, u"a.exe", 1, 5, 1, 1, 134'396'946'165'130'000});
  const auto rows = parse_good(list.bytes(), GetParam(), address());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].started, std::nullopt);
  EXPECT_EQ(rows[1].started, 1'795'221'016'513);
}

}  // namespace
}  // namespace kmem::windows
