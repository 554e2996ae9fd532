#include "collectors/linux/slabinfo.h"
#include "collectors/linux/text_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/collectors/linux/tags_of.h"

namespace kmem::linux {
namespace {

using test::tags_of;
using ::testing::ElementsAre;
using ::testing::Pair;

const std::string kHead =
    "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n";

std::string slab(const std::string& name, const std::string& numbers, const std::string& slabs) {
  return name + "   " + numbers + " : tunables    0    0    0 : slabdata     9     " + slabs + "      0\n";
}

TEST(Slabinfo, BytesAreWholeSlabsAndOutstandingAreActiveObjects) {
  Snapshot out;
  const auto skipped = parse_slabinfo(
      kHead + slab("dentry", "41000 42000 192 21 2", "2000") + slab("kmalloc-64", "7 64 64 64 1", "3"), "", 4096, out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_reclaimable/dentry", Pair(2000U * 2 * 4096, 41000U)),
                                        Pair("slab_unreclaimable/kmalloc-64", Pair(3U * 4096, 7U))));
  EXPECT_EQ(out.tags[0].key, tag_key(Pool::kSlabReclaimable, "dentry"));
  EXPECT_EQ(out.tags[0].counter_bits, 0);
}

TEST(FieldReader, NumbersOfAnyLengthWhereverTheLineEnds) {
  std::string digits;
  for (int length = 1; length <= 22; ++length) {
    digits += static_cast<char>('0' + length * 7 % 10);
    for (const std::string_view behind : {"", " ", "\t", " 1", "     x", "              12345678", "x", "-", ":234567890"}) {
      for (const std::string_view before : {"", " ", "\t", "       ", "        ", "  \t          "}) {
        const std::string line = std::string(before) + digits + std::string(behind);
        std::uint64_t expected = 0, value = 0;
        const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), expected);
        const bool ends = behind.empty() || behind[0] == ' ' || behind[0] == '\t';
        FieldReader fields(line);
        ASSERT_EQ(fields.number(value), error == std::errc() && ends) << line;
        if (error == std::errc() && ends) {
          EXPECT_EQ(value, expected);
          EXPECT_EQ(fields.rest(), behind);
        }
      }
    }
  }
}

TEST(Slabinfo, PagesOf64KiB) {
  Snapshot out;
  ASSERT_TRUE(parse_slabinfo(kHead + slab("task_struct", "10 18 3520 18 1", "4"), "", 65536, out));
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_unreclaimable/task_struct", Pair(4U * 65536, 10U))));
}

TEST(Slabinfo, TheKernelsAnswerWinsOverTheTable) {
  Snapshot out;
  ASSERT_TRUE(parse_slabinfo(
      kHead + slab("dentry", "1 1 1 1 1", "1") + slab("kmalloc-64", "1 1 1 1 1", "1") + slab("buffer_head", "1 1 1 1 1", "1"),
      "dentry 0\nkmalloc-64 1\n", 4096, out));
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_reclaimable/buffer_head", Pair(4096U, 1U)),
                                        Pair("slab_reclaimable/kmalloc-64", Pair(4096U, 1U)),
                                        Pair("slab_unreclaimable/dentry", Pair(4096U, 1U))));
}

TEST(Slabinfo, DeadCachesAreLeftOutAndCachesThatOnlyHoldMemoryStay) {
  Snapshot out;
  ASSERT_TRUE(parse_slabinfo(kHead + slab("idle", "0 0 64 64 1", "0") + slab("empty", "0 64 64 64 1", "1"), "", 4096, out));
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_unreclaimable/empty", Pair(4096U, 0U))));
}

TEST(Slabinfo, RowsThatWereNotKeptAreCounted) {
  Snapshot out;
  for (const char* wrong : {"!left_out 18446744073709551615\n", "!left_out 9x\n", "!left_out -1\n"}) {
    Snapshot other;
    const auto none = parse_slabinfo(kHead + slab("good", "5 6 7 8 1", "2") + wrong, "", 4096, other);
    ASSERT_TRUE(none.ok());
    EXPECT_EQ(*none, 0U) << wrong << "is no count of ours";
  }
  const auto skipped = parse_slabinfo(kHead + slab("good", "5 6 7 8 1", "2") + "!left_out 99997\n", "", 4096, out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 99'997U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_unreclaimable/good", Pair(8192U, 5U))));
}

TEST(Slabinfo, BadRowsAreSkippedAndCounted) {
  Snapshot out;
  const auto skipped = parse_slabinfo(
      kHead + slab("good", "5 6 7 8 1", "2") + slab("minus", "-5 6 7 8 1", "2") + slab("few", "5 6 7 8", "2") + "torn 5 6 7\n" +
          slab("huge", "1 1 1 1 18446744073709551615", "2") + slab("too_long", "99999999999999999999999 1 1 1 1", "2") +
          "   \n" + "half 5 6 7 8 1 : tunables 0 0 0 : slab",
      "", 4096, out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 7U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_unreclaimable/good", Pair(8192U, 5U))));
}

TEST(Slabinfo, NamesMayHoldBlanksColonsAndForeignBytes) {
  Snapshot out;
  const auto skipped = parse_slabinfo(kHead + slab("my cache 2", "5 6 7 8 1", "2") +
                                          slab("dentry(1:a.scope)", "3 6 7 8 1", "1") + slab("caf\xc3\xa9", "4 6 7 8 1", "1"),
                                      "my cache 2 1\n", 4096, out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  // A memory cgroup's cache is in the pool of the one that it is a part of.
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_reclaimable/dentry(1:a.scope)", Pair(4096U, 3U)),
                                        Pair("slab_reclaimable/my cache 2", Pair(8192U, 5U)),
                                        Pair("slab_unreclaimable/caf\\xc3\\xa9", Pair(4096U, 4U))));
}

TEST(Slabinfo, TwoCachesOfOneNameAreSummedAndARowReadTwiceIsNot) {
  Snapshot out;
  const std::string bio = slab("bio", "5 6 7 8 1", "2");
  ASSERT_TRUE(parse_slabinfo(kHead + bio + bio + slab("bio", "1 6 7 8 1", "3"), "", 4096, out));
  EXPECT_EQ(out.tags.size(), 1U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_unreclaimable/bio", Pair(5U * 4096, 6U))));
}

TEST(Slabinfo, StatisticsOfDebugKernelsAreIgnored) {
  Snapshot out;
  ASSERT_TRUE(
      parse_slabinfo("slabinfo - version: 2.1 (statistics)\n"
                     "filp 5 6 7 8 2 : tunables 120 60 8 : slabdata 3 4 0 : globalstat 1 2 3 : cpustat 4 5 6 7\n",
                     "", 4096, out));
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("slab_unreclaimable/filp", Pair(4U * 2 * 4096, 5U))));
}

TEST(Slabinfo, OtherVersionsAndTextsAreRefusedWithAReason) {
  for (const std::string& text :
       {std::string(), std::string("slabinfo - version: 1.1\n"), std::string("slabinfo - version: 3.0\n"),
        std::string("slabinfo - version: 2"), std::string("MemTotal: 1 kB\n"), kHead + "a b c\n"}) {
    Snapshot out;
    const auto result = parse_slabinfo(text, "", 4096, out);
    ASSERT_FALSE(result) << text;
    EXPECT_FALSE(result.error().message.empty());
    EXPECT_TRUE(out.tags.empty());
  }
  Snapshot out;
  EXPECT_FALSE(parse_slabinfo(kHead + slab("a", "1 1 1 1 1", "1"), "", 0, out));
}

}  // namespace
}  // namespace kmem::linux
