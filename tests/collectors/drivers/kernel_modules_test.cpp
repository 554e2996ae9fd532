#include "collectors/drivers/kernel_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kmem::drivers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ProcModules, FirstWordsOfLines) {
  EXPECT_THAT(parse_proc_modules("ext4 1114112 2 - Live 0x0000000000000000\nnf_conntrack 196608 1 nf_nat, Live 0x0 (E)\n\n"
                                 "\tindented 1\nlast"),
              ElementsAre("ext4", "nf_conntrack", "last"));
  EXPECT_THAT(parse_proc_modules(""), IsEmpty());
  std::string many;
  for (std::size_t i = 0; i < kMaxModules + 5; ++i) many += "m" + std::to_string(i) + " 1\n";
  EXPECT_EQ(parse_proc_modules(many).size(), kMaxModules);
}

TEST(Symbol, ItsModuleStandsBehindIt) {
  EXPECT_EQ(module_of_symbol("init_once+0x0/0x10 [ext4]\n"), "ext4");
  EXPECT_EQ(module_of_symbol("load_one+0x1af0/0x2000 [nf_tables]"), "nf_tables");
  EXPECT_EQ(module_of_symbol("init_once [ext4 0123abcd]"), "ext4") << "with a build id";
  EXPECT_EQ(module_of_symbol("kernel_clone+0x94/0x3e0"), "");
  EXPECT_EQ(module_of_symbol("x[ext4]"), "");
  EXPECT_EQ(module_of_symbol(" []"), "");
  EXPECT_EQ(module_of_symbol(""), "");
}

TEST(Site, ItsModuleStandsBeforeIt) {
  EXPECT_EQ(module_of_site("ext4:ext4_alloc_inode:fs/ext4/super.c"), "ext4");
  EXPECT_EQ(module_of_site("kernel:x:y"), "");
  EXPECT_EQ(module_of_site("mm/slub.c"), "");
}

TEST(Caches, ByConstructorThenByTheLongestName) {
  KernelModules modules;
  for (const char* name : {"nf_conntrack", "nf", "ext4", "kernel", "dm-mod", "snd", ""}) modules.add_module(name);
  modules.add_constructor("odd_name", "init_once+0x0/0x10 [btrfs]\n");
  modules.add_constructor("ext4_own", "init+0x0/0x10\n");
  EXPECT_EQ(modules.module_of_cache("odd_name"), "btrfs");
  EXPECT_EQ(modules.module_of_cache("ext4_own"), "ext4") << "the kernel's constructor says nothing";
  EXPECT_EQ(modules.module_of_cache("nf_conntrack_expect"), "nf_conntrack");
  EXPECT_EQ(modules.module_of_cache("nf_bridge"), "nf");
  EXPECT_EQ(modules.module_of_cache("nf_conntrack"), "nf_conntrack");
  EXPECT_EQ(modules.module_of_cache("dm_mod_io"), "dm_mod");
  EXPECT_EQ(modules.module_of_cache("dm-mod-io"), "dm_mod");
  EXPECT_EQ(modules.module_of_cache("nfs_inode_cache"), "") << "only whole words";
  EXPECT_EQ(modules.module_of_cache("kernel_thing"), "");
  EXPECT_EQ(modules.module_of_cache("dentry"), "");
  EXPECT_EQ(modules.module_of_cache(""), "");
}

}  // namespace
}  // namespace kmem::drivers
