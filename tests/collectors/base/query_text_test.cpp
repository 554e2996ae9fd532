#include "collectors/base/query_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kmem::base {
namespace {

TEST(QueryText, IsDecodedWhereItIsAnEscape) {
  EXPECT_EQ(percent_decoded("a%20b+c%5b%5D"), "a b c[]");
  EXPECT_EQ(percent_decoded("%"), "%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%4g%zz%41"), "%4g%zzA");
}

TEST(QueryText, IsTakenApart) {
  std::vector<std::string> found;
  for_each_parameter("&a=1&&b&c==x%26&=v&d=", [&found](std::string_view name, std::string_view value) {
    found.push_back(std::string(name) + "|" + std::string(value));
  });
  EXPECT_THAT(found, testing::ElementsAre("a|1", "b|", "c|=x%26", "|v", "d|"));
}

}  // namespace
}  // namespace kmem::base
