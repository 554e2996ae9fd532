#include "exporter/page/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "exporter/encode/gzip.h"
#include "tests/support/pattern.h"

namespace kmem::page {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t packed_size(std::string_view bytes) {
  encode::Gzip gzip;
  std::string packed;
  EXPECT_TRUE(gzip.compress(bytes, packed));
  return packed.size();
}

TEST(Files, AreThoseOfTheSourceByteForByte) {
  ASSERT_EQ(assets().size(), 3U);
  for (const File& file : assets())
    EXPECT_EQ(file.bytes, read("../exporter/page/assets/" + std::string(file.name))) << file.name;
  EXPECT_EQ(find_file(assets(), "page.css")->bytes.substr(0, 7), ":root {");
  EXPECT_EQ(find_file(assets(), "none.css"), nullptr);
  EXPECT_EQ(find_file(assets(), ""), nullptr);
}

TEST(Files, EveryRunbookIsIn) {
  std::set<std::string> there, in;
  for (const auto& entry : std::filesystem::directory_iterator("../dashboards/runbooks"))
    if (entry.path().extension() == ".md") there.insert(entry.path().stem().string());
  for (const File& file : runbooks()) {
    in.insert(std::string(file.name));
    EXPECT_EQ(file.bytes, read("../dashboards/runbooks/" + std::string(file.name) + ".md"));
  }
  EXPECT_EQ(in, there);
  EXPECT_FALSE(in.empty());
}

TEST(Files, AllTogetherAreSmall) {
  std::size_t bytes = 0;
  for (const File& file : assets()) bytes += packed_size(file.bytes);
  EXPECT_LE(bytes, 16'384U) << "of style, script and icon, packed";
  for (const File& file : runbooks()) bytes += packed_size(file.bytes);
  EXPECT_LE(bytes, 102'400U);
}

TEST(Files, AskNobodyElseForAnything) {
  for (const File& file : assets()) {
    std::string text(file.bytes);
    text = std::regex_replace(text, std::regex("http://www\\.w3\\.org/2000/svg"), "");  // a name, not an address
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("://"))) << file.name;
    EXPECT_THAT(text, testing::Not(test::HasPattern("@import|innerHTML|eval\\("))) << file.name;
  }
}

TEST(Files, HaveTheirTypes) {
  EXPECT_EQ(content_type_of({"page.css", ""}), "text/css; charset=utf-8");
  EXPECT_EQ(content_type_of({"page.js", ""}), "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type_of({"icon.svg", ""}), "image/svg+xml");
  EXPECT_EQ(content_type_of({"KmemPoolNearLimit", ""}), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace kmem::page
