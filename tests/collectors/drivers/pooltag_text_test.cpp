#include "collectors/drivers/pooltag_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kmem::drivers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> found(const PoolTagText& text, std::string_view tag) {
  std::vector<std::string> rows;
  for (const PoolTagText::Row& row : text.find(tag))
    rows.push_back(std::string(row.tag.data(), 4) + "|" + std::string(row.driver) + "|" + std::string(row.description));
  return rows;
}

TEST(PoolTagText, TagDriverDescription) {
  const PoolTagText text(
      "\xEF\xBB\xBF// a remark\r\nrem another - one\r\nREM\r\nrem - r.sys - a tag\r\n\r\n"
      "Leak - myfault.sys - allocated by NotMyfault - on purpose\r\n"
      "None - <unknown>   - no tag\r\n"
      "MmSt - nt!mm       - Mm section object prototype ptes\n"
      "Bare - bare.sys");
  EXPECT_THAT(found(text, "Leak"), ElementsAre("Leak|myfault.sys|allocated by NotMyfault - on purpose"));
  EXPECT_THAT(found(text, "None"), ElementsAre("None||no tag"));
  EXPECT_THAT(found(text, "MmSt"), ElementsAre("MmSt|nt!mm|Mm section object prototype ptes"));
  EXPECT_THAT(found(text, "Bare"), ElementsAre("Bare|bare.sys|"));
  EXPECT_THAT(found(text, "rem "), ElementsAre("rem |r.sys|a tag"));
  EXPECT_EQ(text.size(), 5U);
  EXPECT_EQ(text.skipped(), 0U);
}

TEST(PoolTagText, BlanksAndCaseBelongToATag) {
  const PoolTagText text(
      "Irp  - nt!io - requests\nFsb -  netio.sys - sent\nio   - a.sys - lower\nIo   - nt!io - upper\n"
      "a-b! - dash.sys - a dash within\n");
  EXPECT_THAT(found(text, "Irp "), ElementsAre("Irp |nt!io|requests"));
  EXPECT_THAT(found(text, "Fsb "), ElementsAre("Fsb |netio.sys|sent")) << "three characters and the dash in the fourth's place";
  EXPECT_THAT(found(text, "Io  "), ElementsAre("Io  |nt!io|upper"));
  EXPECT_THAT(found(text, "io  "), ElementsAre("io  |a.sys|lower"));
  EXPECT_THAT(found(text, "a-b!"), ElementsAre("a-b!|dash.sys|a dash within"));
  EXPECT_THAT(found(text, "Irp"), IsEmpty());
  EXPECT_THAT(found(text, "Irp  "), IsEmpty());
}

TEST(PoolTagText, EveryRowOfATagIsKept) {
  const PoolTagText text("Dup1 - a.sys - one\nOth1 - o.sys - between\nDup1 - b.sys - two\nDup1 - <unknown> - three\n");
  EXPECT_THAT(found(text, "Dup1"), ElementsAre("Dup1|a.sys|one", "Dup1|b.sys|two", "Dup1||three"));
}

TEST(PoolTagText, AnExactRowWinsAndThenTheFewestWildcards) {
  const PoolTagText text("CM?? - nt!cm - hives\nCM1? - nt!cm - nearer\nCM25 - nt!cm - exact\n???? - any.sys - all\n");
  EXPECT_THAT(found(text, "CM25"), ElementsAre("CM25|nt!cm|exact"));
  EXPECT_THAT(found(text, "CM16"), ElementsAre("CM1?|nt!cm|nearer"));
  EXPECT_THAT(found(text, "CM31"), ElementsAre("CM??|nt!cm|hives"));
  EXPECT_THAT(found(text, "Leak"), IsEmpty()) << "a row for every tag tells nothing";
}

TEST(PoolTagText, WhatIsNoRowIsCounted) {
  const PoolTagText text(
      "no dash here\nTag\x01 - a.sys - control\nWords before the - dash\n     - b.sys - no tag\n"
      "Good - g.sys - one\n-\n");
  EXPECT_EQ(text.size(), 1U);
  EXPECT_EQ(text.skipped(), 5U);
  EXPECT_THAT(found(text, "Good"), ElementsAre("Good|g.sys|one"));
}

TEST(PoolTagText, RowsAreBounded) {
  std::string many;
  for (std::size_t i = 0; i < PoolTagText::kMaxRows + 10; ++i) many += "Tag1 - a.sys - x\n";
  const PoolTagText text(many);
  EXPECT_EQ(text.size(), PoolTagText::kMaxRows);
  EXPECT_EQ(text.skipped(), 10U);
}

}  // namespace
}  // namespace kmem::drivers
