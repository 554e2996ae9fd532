#include "exporter/commands/wildcards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/memory_files.h"
#include "tests/support/temp_folder.h"

namespace kmem {
namespace {

using testing::ElementsAre;

TEST(Wildcards, MatchAsInCmd) {
  EXPECT_TRUE(matches_wildcards("poolmon-1.log", "poolmon-*.log"));
  EXPECT_TRUE(matches_wildcards("poolmon-.log", "poolmon-*.log"));
  EXPECT_TRUE(matches_wildcards("POOLMON-1.LOG", "poolmon-*.log"));
  EXPECT_FALSE(matches_wildcards("poolmon-1.log.gz", "poolmon-*.log"));
  EXPECT_TRUE(matches_wildcards("a1b22c", "a*b*c"));
  EXPECT_FALSE(matches_wildcards("a1b22", "a*b*c"));
  EXPECT_TRUE(matches_wildcards("aab", "*ab"));  // the * gives back what it took
  EXPECT_TRUE(matches_wildcards("a1.sys", "a?.sys"));
  EXPECT_FALSE(matches_wildcards("a.sys", "a?.sys"));
  EXPECT_TRUE(matches_wildcards("ü.sys", "?.sys"));  // one character of two bytes
  EXPECT_TRUE(matches_wildcards("without_dot", "*.*"));
  EXPECT_TRUE(matches_wildcards("x", "x**"));
}

std::vector<std::string> expanded(test::MemoryFiles& files, const std::vector<std::string>& paths) {
  auto done = expand_wildcards(paths, files);
  return done ? *done : std::vector<std::string>{done.error().message};
}

TEST(Wildcards, BecomeSortedNamesAndOtherPathsStay) {
  test::MemoryFiles files;
  for (const char* path : {"p2.log", "p1.log", "q.csv"}) files.put(path, "");
  EXPECT_THAT(expanded(files, {"q.csv", "p*.log", "absent.log"}), ElementsAre("q.csv", "p1.log", "p2.log", "absent.log"));
  EXPECT_THAT(expanded(files, {"p*.log", "*.txt"}), ElementsAre("*.txt: no file has such a name"));
  EXPECT_THAT(expanded(files, {"pm*\\a.log"}), ElementsAre("pm*\\a.log: * and ? may stand in the last part of a path only"));
  EXPECT_THAT(expanded(files, {"\\\\?\\C:\\a.log"}), ElementsAre("\\\\?\\C:\\a.log"));
}

TEST(Wildcards, NamesKeepTheirFolder) {
  const test::TempFolder folder;
  base::FileSystem& files = base::os_file_system();
  for (const char* name : {"b.log", "a.log", "c.csv"}) ASSERT_TRUE(base::replace_file(files, folder.path() + name, "").ok());
  const auto found = expand_wildcards({folder.path() + "*.LOG"}, files);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_THAT(*found, ElementsAre(folder.path() + "a.log", folder.path() + "b.log"));
  EXPECT_FALSE(expand_wildcards({folder.path() + "absent/*"}, files).ok());
}

}  // namespace
}  // namespace kmem
