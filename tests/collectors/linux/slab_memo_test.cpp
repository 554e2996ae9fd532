#include "collectors/linux/slab_memo.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "collectors/linux/slabinfo.h"

namespace kmem::linux {
namespace {

struct CacheRow {
  std::string name, numbers, slabs;
};

std::string slab_text(const std::vector<CacheRow>& rows) {
  std::string text = "slabinfo - version: 2.1\n# name            <active_objs>\n";
  for (const CacheRow& row : rows)
    text += row.name + "   " + row.numbers + " : tunables    0    0    0 : slabdata     9     " + row.slabs + "      0\n";
  return text;
}

/// A tag that stood there before is left alone.
void expect_same(SlabMemo& memo, const std::string& text, const std::string& reclaim, std::uint32_t page_bytes) {
  Snapshot by_memo, anew;
  for (Snapshot* out : {&by_memo, &anew}) out->tags.emplace_back().tag = "of another part";
  const auto got = memo.parse(text, reclaim, page_bytes, by_memo);
  const auto want = parse_slabinfo(text, reclaim, page_bytes, anew);
  ASSERT_EQ(got.ok(), want.ok()) << text;
  if (want) { ASSERT_EQ(*got, *want) << text; }
  ASSERT_EQ(by_memo.tags.size(), anew.tags.size()) << text;
  for (std::size_t i = 0; i < anew.tags.size(); ++i) {
    const TagUsage &a = by_memo.tags[i], &b = anew.tags[i];
    ASSERT_EQ(a.tag, b.tag) << text;
    ASSERT_EQ(a.pool, b.pool) << text;
    ASSERT_EQ(a.key, b.key) << text;
    ASSERT_EQ(a.bytes, b.bytes) << text;
    ASSERT_EQ(a.outstanding, b.outstanding) << text;
    ASSERT_EQ(a.allocations, b.allocations) << text;
    ASSERT_EQ(a.counter_bits, b.counter_bits) << text;
    ASSERT_EQ(a.has_outstanding, b.has_outstanding) << text;
  }
}

TEST(SlabMemo, GivesWhatTheParserGivesWhateverChanges) {
  std::mt19937 random(29);
  const auto numbers = [&random] {
    return std::to_string(random() % 3 == 0 ? 0 : random() % 100'000) + " 42000 192 21 " + std::to_string(1U << random() % 4);
  };
  const auto slabs = [&random] { return std::to_string(random() % 3 == 0 ? 0 : random() % 9999); };
  const std::vector<std::string> names = {"dentry",
                                          "dentr",
                                          "dentry_x",
                                          "my cache 2",
                                          "a\x01"
                                          "b",
                                          "kmalloc-64",
                                          "!left_out 3",
                                          "#x",
                                          "dentry 1"};
  SlabMemo memo;
  std::vector<CacheRow> rows;
  std::string reclaim;
  for (int look = 0; look < 6000; ++look) {
    const auto change = random() % 40;
    if (change == 0) rows.insert(rows.begin(), {names[random() % names.size()], numbers(), slabs()});
    if (change == 1 && !rows.empty()) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(random() % rows.size()));
    if (change == 2 && !rows.empty()) rows[random() % rows.size()].name = names[random() % names.size()];
    if (change == 3 && !rows.empty()) rows[random() % rows.size()].numbers = "18446744073709551616 1 1 1 1";
    if (change == 4 && !rows.empty()) rows[random() % rows.size()].slabs = "18446744073709551615";
    if (change == 5) reclaim = random() % 2 ? "dentry 0\nkmalloc-64 1\n" : "";
    if (change == 6) rows.resize(rows.size() / 2);
    if (change > 6 && change < 30 && !rows.empty()) {
      CacheRow& row = rows[random() % rows.size()];
      row.numbers = numbers();
      row.slabs = slabs();
    }
    std::string text = slab_text(rows);
    if (random() % 20 == 0) text.resize(random() % (text.size() + 1));
    if (random() % 50 == 0) text += text.substr(text.size() / 2);
    expect_same(memo, text, reclaim, random() % 100 == 0 ? 65536 : 4096);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace kmem::linux
