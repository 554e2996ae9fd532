#include "exporter/page/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/page/page.h"
#include "tests/exporter/page/views.h"

namespace kmem::page {
namespace {

using test::row_of;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string_view> kAll = {"pool", "filter", "sort", "order", "limit", "offset", "course"};

std::vector<std::string> names(const std::vector<TagRow>& rows) {
  std::vector<std::string> out;
  for (const TagRow& row : rows) out.push_back(row.tag);
  return out;
}

std::vector<TagRow> rows() {
  std::vector<TagRow> rows = {row_of(Pool::kPaged, "Bbbb", 300), row_of(Pool::kNonpaged, "aaaa", 100),
                              row_of(Pool::kNonpaged, "Cccc", 200)};
  rows[0].growth_per_second = -1;
  rows[2].growth_per_second = 5;
  rows[1].outstanding = 4;
  rows[1].drivers = {{"Xyz.sys", "a filter", "image_scan"}};
  return rows;
}

std::string fault_of(std::string_view query) {
  const auto parsed = parse_query(query, kAll);
  return parsed ? "none" : parsed.error().message;
}

TEST(Query, ReadsEveryParameter) {
  const auto query = parse_query("pool=nonpaged&filter=%3Cimg+x%20%25&sort=growth&order=asc&limit=7&offset=9&course=1", kAll);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->pool, Pool::kNonpaged);
  EXPECT_EQ(query->filter, "<img x %");
  EXPECT_EQ(query->sort, Column::kGrowth);
  EXPECT_FALSE(query->descending);
  EXPECT_EQ(query->limit, 7U);
  EXPECT_EQ(query->offset, 9U);
  EXPECT_TRUE(query->course);
}

TEST(Query, NamesReadFromAToZUnlessAskedOtherwise) {
  EXPECT_FALSE(parse_query("sort=tag", kAll)->descending);
  EXPECT_TRUE(parse_query("sort=tag&order=desc", kAll)->descending);
  EXPECT_TRUE(parse_query("sort=bytes", kAll)->descending);
}

TEST(Query, FaultsSayWhatIsWanted) {
  EXPECT_THAT(fault_of("limit=1001"), HasSubstr("limit: want a number from 1 to 1000"));
  for (const char* query : {"limit=0", "limit=", "limit=-1", "limit=9999999999999999999999", "limit=1x", "offset=a"})
    EXPECT_THAT(fault_of(query), HasSubstr("want a number")) << query;
  EXPECT_THAT(fault_of("pool=other"), HasSubstr("one of paged, nonpaged"));
  EXPECT_THAT(fault_of("sort=size"), HasSubstr("one of tag, pool, bytes"));
  EXPECT_THAT(fault_of("order=up"), HasSubstr("asc or desc"));
  EXPECT_THAT(fault_of("course=yes"), HasSubstr("0 or 1"));
  EXPECT_THAT(fault_of("page=2"), HasSubstr("unknown parameter page; known are pool"));
  EXPECT_THAT(fault_of("filter=" + std::string(300, 'a')), HasSubstr("at most 256 bytes"));
  EXPECT_EQ(fault_of("&&filter=%zz%4&"), "none") << "a broken escape stands for itself";
}

TEST(Query, ThePageTakesWhatItCanAndLeavesTheRest) {
  const TagQuery query = parse_query_leniently("sort=size&limit=0&utm=1&filter=x", page_parameters(), page_defaults());
  EXPECT_EQ(query.sort, Column::kBytes);
  EXPECT_EQ(query.limit, page_defaults().limit);
  EXPECT_EQ(query.filter, "x");
}

TEST(Query, LinksSayOnlyWhatDiffersAndReadBackAsWritten) {
  TagQuery query = page_defaults();
  EXPECT_EQ(query_link(query, page_defaults()), "./");
  query.filter = "a&b=\"<%";
  query.chart = "nonpaged/Irp \\xff";
  query.pool = Pool::kPaged;
  query.sort = Column::kTag;
  const std::string link = query_link(query, page_defaults());
  EXPECT_THAT(link, HasSubstr("filter=a%26b%3D%22%3C%25"));
  const TagQuery back = parse_query_leniently(link.substr(1), page_parameters(), page_defaults());
  EXPECT_EQ(back.filter, query.filter);
  EXPECT_EQ(back.chart, query.chart);
  EXPECT_EQ(back.pool, query.pool);
  EXPECT_EQ(back.sort, query.sort);
  EXPECT_EQ(back.descending, query.descending);
}

TEST(Query, SortsWithTheUnknownLast) {
  const auto sorted = [](std::string_view query) {
    auto all = rows();
    EXPECT_EQ(choose(all, *parse_query(query, kAll)), 3U);
    return names(all);
  };
  EXPECT_THAT(sorted(""), ElementsAre("Bbbb", "Cccc", "aaaa"));
  EXPECT_THAT(sorted("order=asc"), ElementsAre("aaaa", "Cccc", "Bbbb"));
  EXPECT_THAT(sorted("sort=growth"), ElementsAre("Cccc", "Bbbb", "aaaa"));
  EXPECT_THAT(sorted("sort=growth&order=asc"), ElementsAre("Bbbb", "Cccc", "aaaa"));
  EXPECT_THAT(sorted("sort=bytes_per_allocation"), ElementsAre("aaaa", "Bbbb", "Cccc"));
  EXPECT_THAT(sorted("sort=tag"), ElementsAre("Bbbb", "Cccc", "aaaa"));
  EXPECT_THAT(sorted("sort=driver"), ElementsAre("aaaa", "Bbbb", "Cccc"));
}

TEST(Query, FiltersByTagDriverAndPool) {
  const auto found = [](std::string_view query) {
    auto all = rows();
    const std::size_t matched = choose(all, *parse_query(query, kAll));
    EXPECT_EQ(matched, all.size());
    return names(all);
  };
  EXPECT_THAT(found("filter=CC"), ElementsAre("Cccc"));
  EXPECT_THAT(found("filter=xYZ.s"), ElementsAre("aaaa"));
  EXPECT_THAT(found("filter=a+filter"), ElementsAre("aaaa"));
  EXPECT_THAT(found("pool=nonpaged"), ElementsAre("Cccc", "aaaa"));
  EXPECT_THAT(found("filter=none"), ElementsAre());
}

TEST(Query, CutsAfterCounting) {
  auto all = rows();
  EXPECT_EQ(choose(all, *parse_query("limit=1&offset=1", kAll)), 3U);
  EXPECT_THAT(names(all), ElementsAre("Cccc"));
  all = rows();
  EXPECT_EQ(choose(all, *parse_query("offset=1000", kAll)), 3U);
  EXPECT_TRUE(all.empty());
}

TEST(Query, AParameterThatIsGivenTwiceIsRefused) {
  const auto twice = parse_query("limit=1&offset=2&limit=3", kAll);
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().message, "parameter limit is given twice");
  EXPECT_EQ(parse_query_leniently("limit=1&limit=3", kAll, {}).limit, 1U) << "the page takes the first";
}

}  // namespace
}  // namespace kmem::page
