#include "collectors/linux/allocinfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/collectors/linux/tags_of.h"

namespace kmem::linux {
namespace {

using test::tags_of;
using ::testing::ElementsAre;
using ::testing::Pair;

const std::string kHead1 = "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n";

TEST(Allocinfo, KeyedByModuleFunctionAndFileSummedOverLines) {
  Snapshot out;
  const auto skipped = parse_allocinfo(kHead1 +
                                           "           0        0 init/main.c:1314 func:do_initcalls \n"
                                           "       49152       48 mm/slub.c:100 func:alloc_slab_page \n"
                                           "        1024        2 mm/slub.c:220 func:alloc_slab_page \n"
                                           "        4096        1 drivers/net/veth.c:7 [veth] func:veth_open \n"
                                           "        4096        3 mm/slub.c:9 [other] func:alloc_slab_page \n",
                                       out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("allocinfo/kernel:alloc_slab_page:mm/slub.c", Pair(50176U, 50U)),
                                        Pair("allocinfo/other:alloc_slab_page:mm/slub.c", Pair(4096U, 3U)),
                                        Pair("allocinfo/veth:veth_open:drivers/net/veth.c", Pair(4096U, 1U))));
  EXPECT_TRUE(out.pools.empty());  // a second view of the same memory: no total
  EXPECT_EQ(out.tags[0].key, tag_key(Pool::kAllocinfo, "kernel:alloc_slab_page:mm/slub.c"));
}

TEST(Allocinfo, Version2MarksInaccurateCounters) {
  Snapshot out;
  const auto skipped =
      parse_allocinfo("allocinfo - version: 2.0\n49152 48 a/b.c:2709 func:mce_create accurate:no\n8 1 a/c.c:1 func:f\n", out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("allocinfo/kernel:f:a/c.c", Pair(8U, 1U)),
                                        Pair("allocinfo/kernel:mce_create:a/b.c", Pair(49152U, 48U))));
}

TEST(Allocinfo, NegativeBytesAreNone) {
  Snapshot out;
  ASSERT_TRUE(parse_allocinfo(kHead1 + "-64 3 a.c:1 func:f\n-64 0 a.c:1 func:g\n", out));
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("allocinfo/kernel:f:a.c", Pair(0U, 3U))));
}

TEST(Allocinfo, BadRowsAreSkippedAndCounted) {
  Snapshot out;
  const auto skipped = parse_allocinfo(kHead1 +
                                           "1 1 a.c:1 func:f\n1 x a.c:1 func:f\n1 1 a.c func:f\n1 1 a.c:1\n1 1 a.c:1 [m]\n"
                                           "1 1 a.c:1 func:\n1 1 a.c:1 [] func:f\n1 1\n",
                                       out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 7U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("allocinfo/kernel:f:a.c", Pair(1U, 1U))));
}

TEST(Allocinfo, OtherVersionsAndTextsAreRefused) {
  for (const std::string& text :
       {std::string(), std::string("allocinfo - version: 3.0\n"), std::string("allocinfo - version: x\n"),
        std::string("1 1 a.c:1 func:f\n"), kHead1 + "nonsense\n"}) {
    Snapshot out;
    EXPECT_FALSE(parse_allocinfo(text, out)) << text;
    EXPECT_TRUE(out.tags.empty());
  }
}

TEST(Allocinfo, ThousandsOfSites) {
  std::string text = kHead1;
  for (int i = 0; i < 9000; ++i) text += "16 1 f.c:" + std::to_string(i) + " func:f" + std::to_string(i % 4500) + "\n";
  Snapshot out;
  ASSERT_TRUE(parse_allocinfo(text, out));
  ASSERT_EQ(out.tags.size(), 4500U);
  for (const TagUsage& tag : out.tags) ASSERT_EQ(tag.bytes, 32U) << tag.tag;
}

}  // namespace
}  // namespace kmem::linux
