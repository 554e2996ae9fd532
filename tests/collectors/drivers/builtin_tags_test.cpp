#include "collectors/drivers/builtin_tags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "collectors/base/label_text.h"

namespace kmem::drivers {
namespace {

TEST(KnownPoolTags, AtLeast150EachWithWords) {
  EXPECT_GE(known_pool_tags().size(), 150U);
  for (const KnownTag& row : known_pool_tags()) {
    EXPECT_EQ(row.tag.size(), 4U) << row.tag;
    EXPECT_GE(row.description.size(), 4U) << row.tag;
    EXPECT_LE(row.description.size(), 100U) << row.tag;
    EXPECT_EQ(base::label_text(row.description), row.description) << row.tag;
    EXPECT_TRUE(row.driver.empty() || row.driver.find('.') != std::string_view::npos) << row.tag;
    EXPECT_EQ(find_known_pool_tag(row.tag), &row);
  }
}

TEST(KnownPoolTags, ByNameAndByPattern) {
  const auto driver = [](std::string_view tag) {
    const KnownTag* const row = find_known_pool_tag(tag);
    return row == nullptr ? std::string("-") : std::string(row->driver);
  };
  EXPECT_EQ(driver("MmSt"), "ntoskrnl.exe");
  EXPECT_EQ(driver("Irp "), "ntoskrnl.exe");
  EXPECT_EQ(driver("Irp"), "-");
  EXPECT_EQ(driver("Leak"), "myfault.sys");
  EXPECT_EQ(driver("leak"), "-");
  EXPECT_EQ(driver("Ddk "), "") << "known, but nobody's";
  EXPECT_EQ(find_known_pool_tag("CMzz")->tag, "CM??");
  EXPECT_EQ(find_known_pool_tag("CMkb")->tag, "CMkb");
  EXPECT_EQ(find_known_pool_tag("Gh05")->tag, "Gh?5");
  EXPECT_EQ(find_known_pool_tag("Gh0?"), nullptr);
  EXPECT_EQ(find_known_pool_tag(""), nullptr);
  EXPECT_EQ(find_known_pool_tag("T\\xff"), nullptr);
}

TEST(KnownSlabCaches, ByNameAndByFamily) {
  const auto row = [](std::string_view cache) {
    const KnownTag* const found = find_known_slab_cache(cache);
    return found == nullptr ? std::string("-") : std::string(found->tag) + ">" + std::string(found->driver);
  };
  EXPECT_EQ(row("dentry"), "dentry>");
  EXPECT_EQ(row("ext4_inode_cache"), "ext4_>ext4");
  EXPECT_EQ(row("kmalloc-512"), "kmalloc->");
  EXPECT_EQ(row("kmalloc-rcl-512"), "kmalloc-rcl->") << "the longest family";
  EXPECT_EQ(row("kmem_cache_node"), "kmem_cache_node>");
  EXPECT_EQ(row("nf_conntrack"), "nf_conntrack>nf_conntrack");
  EXPECT_EQ(row("dentryx"), "-");
  EXPECT_EQ(row(""), "-");
  for (const KnownTag& known : known_slab_caches()) {
    EXPECT_GE(known.description.size(), 3U) << known.tag;
    EXPECT_EQ(find_known_slab_cache(known.tag), &known);
  }
}

}  // namespace
}  // namespace kmem::drivers
