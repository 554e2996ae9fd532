#include "collectors/linux/vmallocinfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/collectors/linux/tags_of.h"

namespace kmem::linux {
namespace {

using test::tags_of;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Vmallocinfo, SumsByCallerWithoutOffset) {
  Snapshot out;
  const auto skipped = parse_vmallocinfo(
      "0x000000008a75c393-0x00000000fad4f189   20480 kernel_clone+0xca/0x100 pages=4 vmalloc N0=4\n"
      "0x00000000fad4f189-0x00000000db7a167a    8192 acpi_os_map_iomem+0x1bc/0x1e0 phys=0x00000000000a0000 ioremap\n"
      "0x00000000f24be744-0x00000000a7a953f9   12288 kernel_clone+0xdd/0x100 pages=2 vmalloc N0=2\n",
      out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  EXPECT_THAT(tags_of(out),
              ElementsAre(Pair("vmalloc/acpi_os_map_iomem", Pair(8192U, 1U)), Pair("vmalloc/kernel_clone", Pair(32768U, 2U))));
}

TEST(Vmallocinfo, AModuleBelongsToTheTag) {
  Snapshot out;
  ASSERT_TRUE(
      parse_vmallocinfo("0x1-0x2 4096 os_map+0x1/0x2 [nvidia] phys=0x0 ioremap\n0x1-0x2 4096 os_map+0x9/0x20 [nvidia]\n"
                        "0x1-0x2 8192 os_map+0x1/0x2 vmap\n",
                        out));
  EXPECT_THAT(tags_of(out),
              ElementsAre(Pair("vmalloc/os_map", Pair(8192U, 1U)), Pair("vmalloc/os_map [nvidia]", Pair(8192U, 2U))));
  EXPECT_EQ(out.tags[0].key, tag_key(Pool::kVmalloc, "os_map [nvidia]"));
}

TEST(Vmallocinfo, RowsWithoutACallerAreUnknownAndABareAddressIsACaller) {
  Snapshot out;
  ASSERT_TRUE(
      parse_vmallocinfo("0x1-0x2   20480 unpurged vm_area\n0x1-0x2   4096 vm_map_ram\n0x1-0x2   4096\n"
                        "0x1-0x2   4096 pages=1 vmalloc N0=1\n0x1-0x2 4096 0xffffffff81234567 vmalloc\n",
                        out));
  EXPECT_THAT(tags_of(out),
              ElementsAre(Pair("vmalloc/0xffffffff81234567", Pair(4096U, 1U)), Pair("vmalloc/unknown", Pair(32768U, 4U))));
}

TEST(Vmallocinfo, BadRowsAreCountedAndAnEmptyFileIsFine) {
  Snapshot out;
  const auto skipped = parse_vmallocinfo("0x1-0x2 -4096 a+0x1/0x2\nnonsense\n0x1-0x2 4096 a+0x1/0x2\n0x1-0x2", out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 3U);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("vmalloc/a", Pair(4096U, 1U))));
  Snapshot empty;
  EXPECT_TRUE(parse_vmallocinfo("", empty));
  EXPECT_FALSE(parse_vmallocinfo("MemTotal: 5 kB\n", empty));
  EXPECT_TRUE(empty.tags.empty());
}

TEST(Vmallocinfo, SumsStopAtTheLargestNumber) {
  Snapshot out;
  ASSERT_TRUE(parse_vmallocinfo("0x1-0x2 18446744073709551615 a+0x1/0x2\n0x1-0x2 4096 a+0x1/0x2\n", out));
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("vmalloc/a", Pair(UINT64_MAX, 2U))));
}

}  // namespace
}  // namespace kmem::linux
