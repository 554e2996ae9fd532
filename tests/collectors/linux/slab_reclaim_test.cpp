#include "collectors/linux/slab_reclaim.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace kmem::linux {
namespace {

using std::chrono::seconds;

std::string slabinfo(const std::vector<std::string>& caches) {
  std::string text = "slabinfo - version: 2.1\n# name\n";
  for (const std::string& cache : caches) text += cache + "   1 2 3 4 1 : tunables 0 0 0 : slabdata 1 1 0\n";
  return text;
}

struct Sysfs {
  std::map<std::string, bool, std::less<>> caches;
  std::vector<std::string> asked;
  ReclaimLookup lookup() {
    return [this](std::string_view cache) -> std::optional<bool> {
      asked.emplace_back(cache);
      const auto found = caches.find(cache);
      return found == caches.end() ? std::nullopt : std::optional(found->second);
    };
  }
};

TEST(KnownReclaimable, FollowsTheKernelsFlags) {
  for (const char* name : {"dentry", "buffer_head", "radix_tree_node", "ext4_inode_cache", "proc_inode_cache", "inode_cache",
                           "xfs_inode", "xfs_ili", "btrfs_inode", "sock_inode_cache", "kmalloc-rcl-1k", "ext4_groupinfo_4k",
                           "jbd2_journal_head", "mb_cache_entry", "erofs_pcluster-64", "f2fs_extent_node", "dquot"})
    EXPECT_TRUE(is_known_reclaimable(name)) << name;
  for (const char* name : {"shmem_inode_cache", "hugetlbfs_inode_cache", "mqueue_inode_cache", "lsm_inode_cache", "jbd2_inode",
                           "jffs2_inode_cache", "kmalloc-1k", "task_struct", "filp", "kernfs_node_cache", "ext4_io_end_vec",
                           "ext4_system_zone", "xfs_buf_item", "", "inode"})
    EXPECT_FALSE(is_known_reclaimable(name)) << name;
}

TEST(ReclaimAnswers, AsksOnceACacheAndThenOnlyForNewOnes) {
  Sysfs sysfs{{{"a", true}, {"b", false}, {"c", true}}, {}};
  ReclaimAnswers answers;
  EXPECT_EQ(answers.update(slabinfo({"a", "b"}), seconds(0), sysfs.lookup()), "a 1\nb 0\n");
  EXPECT_EQ(answers.update(slabinfo({"a", "b"}), seconds(3600), sysfs.lookup()), "a 1\nb 0\n");
  EXPECT_EQ(answers.update(slabinfo({"c", "a", "b"}), seconds(3601), sysfs.lookup()), "c 1\na 1\nb 0\n");
  EXPECT_EQ(sysfs.asked, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ReclaimAnswers, ACacheThatWentAndCameBackIsAskedAgain) {
  Sysfs sysfs{{{"a", true}, {"b", false}}, {}};
  ReclaimAnswers answers;
  answers.update(slabinfo({"a", "b"}), seconds(0), sysfs.lookup());
  EXPECT_EQ(answers.update(slabinfo({"a"}), seconds(1), sysfs.lookup()), "a 1\n");
  sysfs.caches["b"] = true;
  EXPECT_EQ(answers.update(slabinfo({"a", "b"}), seconds(2), sysfs.lookup()), "a 1\nb 1\n");
  EXPECT_EQ(sysfs.asked, (std::vector<std::string>{"a", "b", "b"}));
}

TEST(ReclaimAnswers, ANameThatIsAnothersBeginningIsANewOne) {
  Sysfs sysfs{{{"kmalloc-1", false}, {"kmalloc-1k", true}}, {}};
  ReclaimAnswers answers;
  answers.update(slabinfo({"kmalloc-1"}), seconds(0), sysfs.lookup());
  EXPECT_EQ(answers.update(slabinfo({"kmalloc-1k"}), seconds(1), sysfs.lookup()), "kmalloc-1k 1\n");
}

TEST(ReclaimAnswers, WithoutAnAnswerTheNameIsLeftOutAndAskedAgainInAMinute) {
  Sysfs sysfs{{{"a", true}}, {}};
  ReclaimAnswers answers;
  EXPECT_EQ(answers.update(slabinfo({"a", "late"}), seconds(0), sysfs.lookup()), "a 1\n");
  EXPECT_EQ(answers.update(slabinfo({"a", "late"}), seconds(59), sysfs.lookup()), "a 1\n");
  EXPECT_EQ(sysfs.asked, (std::vector<std::string>{"a", "late"}));
  sysfs.caches["late"] = true;
  EXPECT_EQ(answers.update(slabinfo({"a", "late"}), seconds(60), sysfs.lookup()), "a 1\nlate 1\n");
  EXPECT_EQ(sysfs.asked, (std::vector<std::string>{"a", "late", "late"}));
}

TEST(ReclaimReader, AnyOrderHolesAndBadRows) {
  ReclaimReader reader("a 1\nb 0\nbad\nx 2\nmy cache 1\nc 1\nlast 1");
  EXPECT_TRUE(reader.reclaimable("a"));
  EXPECT_TRUE(reader.reclaimable("dentry"));  // no row: the table
  EXPECT_FALSE(reader.reclaimable("b"));
  EXPECT_TRUE(reader.reclaimable("c"));
  EXPECT_FALSE(reader.reclaimable("x"));  // its row is not 0 or 1: the table
  EXPECT_TRUE(reader.reclaimable("my cache"));
  EXPECT_TRUE(reader.reclaimable("a"));
  EXPECT_TRUE(reader.reclaimable("last"));
  EXPECT_FALSE(reader.reclaimable(""));
}

}  // namespace
}  // namespace kmem::linux
