#include "collectors/drivers/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "collectors/drivers/image_tags.h"
#include "collectors/drivers/kernel_modules.h"
#include "collectors/drivers/pooltag_text.h"
#include "pe_bytes.h"

namespace kmem::drivers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> who(const Attribution& known, Pool pool, std::string_view tag) {
  std::vector<std::string> all;
  for (const Candidate& one : known.candidates(pool, tag)) all.push_back(one.driver + "|" + one.description + "|" + one.source);
  return all;
}

std::shared_ptr<const PoolTagText> text(std::string lines) { return std::make_shared<const PoolTagText>(std::move(lines)); }
std::shared_ptr<const ImageTags> images(std::initializer_list<std::pair<const char*, ImageTag>> held) {
  std::vector<ImageFile> files;
  for (const auto& [path, tag] : held) files.push_back({path, 1, 0, false, {tag}});
  return std::make_shared<const ImageTags>(std::move(files));
}

TEST(Attribution, TheTableKnowsWithoutAnyFile) {
  const Attribution known;
  EXPECT_THAT(who(known, Pool::kNonpaged, "Leak"),
              ElementsAre("myfault.sys|NotMyfault: leaks on purpose, to practise|builtin"));
  EXPECT_THAT(who(known, Pool::kPaged, "Zqx7"), IsEmpty());
  EXPECT_THAT(who(known, Pool::kPercpu, "Leak"), IsEmpty());
}

TEST(Attribution, PooltagTextComesFirstAndNamesOfOneDriverAreOne) {
  Attribution known;
  known.use(
      text("MmSt - nt!mm - Mm section object prototype ptes\nLeak - <unknown> - somebody leaks\nTwo1 - A.SYS - "
           "one\nTwo1 - b.sys - two\n"));
  EXPECT_THAT(who(known, Pool::kPaged, "MmSt"), ElementsAre("nt!mm|Mm section object prototype ptes|pooltag.txt"))
      << "nt!mm and ntoskrnl.exe are the same";
  EXPECT_THAT(who(known, Pool::kPaged, "Leak"),
              ElementsAre("|somebody leaks|pooltag.txt", "myfault.sys|NotMyfault: leaks on purpose, to practise|builtin"));
  known.use(images({{"/d/a.sys", {tag("Two1"), Evidence::kArgument, 1}}, {"/d/c.sys", {tag("Two1"), Evidence::kArgument, 1}}}));
  EXPECT_THAT(who(known, Pool::kNonpaged, "Two1"),
              ElementsAre("A.SYS|one|pooltag.txt", "b.sys|two|pooltag.txt", "c.sys||image_scan"));
}

TEST(Attribution, WhereNobodyIsKnownWeakEvidenceIsAllThereIs) {
  Attribution known;
  known.use(images({{"/d/x.sys", {tag("Zqx7"), Evidence::kData, 1}},
                    {"/d/y.sys", {tag("MmSt"), Evidence::kData, 1}},
                    {"/d/z.sys", {tag("Ddk "), Evidence::kImmediate, 1}}}));
  EXPECT_THAT(who(known, Pool::kPaged, "Zqx7"), ElementsAre("x.sys||image_scan"));
  EXPECT_THAT(who(known, Pool::kPaged, "MmSt"), ElementsAre(testing::StartsWith("ntoskrnl.exe|")))
      << "y.sys may mean anything by it";
  EXPECT_THAT(who(known, Pool::kPaged, "Ddk "), ElementsAre(testing::StartsWith("|default"), "z.sys||image_scan"));
}

TEST(Attribution, CandidatesAreBounded) {
  std::vector<ImageFile> files;
  for (char c = 'a'; c <= 'z'; ++c)
    files.push_back({std::string(1, c) + ".sys", 1, 0, false, {{tag("Zqx7"), Evidence::kArgument, 1}}});
  Attribution known;
  known.use(std::make_shared<const ImageTags>(files));
  const auto all = known.candidates(Pool::kPaged, "Zqx7");
  EXPECT_EQ(all.size(), kMaxCandidates);
  EXPECT_EQ(joined_drivers(all), "a.sys, b.sys, c.sys, d.sys and 4 more");
  EXPECT_EQ(joined_sources(all), "image_scan");
}

TEST(Attribution, ForeignTextsBecomeHarmlessLabels) {
  Attribution known;
  known.use(text("Odd1 - bad\x01\xff.sys - <script>\x7f\n"));
  const auto all = known.candidates(Pool::kPaged, "Odd1");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].driver, "bad\\x01\\xff.sys");
  EXPECT_EQ(all[0].description, "<script>\\x7f");
  known.use(text("Odd1 - " + std::string(5000, 'd') + ".sys - " + std::string(5000, 'w')));
  EXPECT_EQ(known.candidates(Pool::kPaged, "Odd1")[0].driver.size(), 128U);
  EXPECT_EQ(known.candidates(Pool::kPaged, "Odd1")[0].description.size(), 128U);
}

TEST(Attribution, LinuxCachesAndCallers) {
  Attribution known;
  EXPECT_THAT(who(known, Pool::kSlabReclaimable, "ext4_inode_cache"), ElementsAre("ext4|ext4|builtin"));
  KernelModules modules;
  modules.add_module("mine");
  modules.add_constructor("ext4_inode_cache", "init_once [ext4_backport]");
  known.use(std::make_shared<const KernelModules>(modules));
  EXPECT_THAT(who(known, Pool::kSlabReclaimable, "ext4_inode_cache"), ElementsAre("ext4_backport|ext4|modules"));
  EXPECT_THAT(who(known, Pool::kSlabUnreclaimable, "mine_objects"), ElementsAre("mine||modules"));
  EXPECT_THAT(who(known, Pool::kSlabUnreclaimable, "kmalloc-64"), ElementsAre("|kmalloc of this size: any driver|builtin"));
  EXPECT_THAT(who(known, Pool::kVmalloc, "load_one+0x10/0x20 [mine]"), ElementsAre("mine||modules"));
  EXPECT_THAT(who(known, Pool::kVmalloc, "kernel_clone+0x94/0x3e0"), IsEmpty());
  EXPECT_THAT(who(known, Pool::kAllocinfo, "mine:alloc:drivers/mine.c"), ElementsAre("mine||modules"));
  EXPECT_THAT(who(known, Pool::kSlabUnreclaimable, "Leak"), IsEmpty()) << "a pool tag is no cache";
}

TEST(Attribution, WordsForSeveral) {
  const std::vector<Candidate> all = {
      {"", "", "builtin"}, {"a.sys", "", "pooltag.txt"}, {"b.sys", "what b does", "image_scan"}, {"a.sys", "", "image_scan"}};
  EXPECT_EQ(joined_drivers(all), "a.sys, b.sys");
  EXPECT_EQ(best_description(all), "what b does");
  EXPECT_EQ(joined_sources(all), "builtin, pooltag.txt, image_scan");
  EXPECT_EQ(joined_drivers({}), "");
  EXPECT_EQ(best_description({}), "");
}

TEST(Attribution, AskedWhileItLearns) {
  Attribution known;
  const std::uint64_t before = known.generation();
  std::jthread learns([&known] {
    for (int i = 0; i < 200; ++i) known.use(i % 2 == 0 ? text("Zqx7 - z.sys - x") : std::shared_ptr<const PoolTagText>());
  });
  for (int i = 0; i < 2000; ++i) {
    const auto all = known.candidates(Pool::kPaged, "Zqx7");
    EXPECT_TRUE(all.empty() || all[0].driver == "z.sys");
  }
  learns.join();
  EXPECT_EQ(known.generation(), before + 200);
  EXPECT_THAT(who(known, Pool::kPaged, "Zqx7"), IsEmpty());
}

}  // namespace
}  // namespace kmem::drivers
