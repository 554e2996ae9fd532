#include "collectors/base/file_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/file_content.h"
#include "tests/support/memory_files.h"
#include "tests/support/temp_folder.h"

namespace kmem::base {
namespace {

using test::content_of;
using test::MemoryFiles;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST(FileIo, ReplacesAndReadsBack) {
  const TempFolder folder;
  const std::string path = folder.path() + "state";
  const std::string first("a\0b\r\n", 5);
  ASSERT_TRUE(replace_file(os_file_system(), path, first).ok());
  EXPECT_EQ(content_of(path), first);
  ASSERT_TRUE(replace_file(os_file_system(), path, "").ok());
  EXPECT_EQ(content_of(path), "");
  const auto names = os_file_system().names(folder.path(), "");
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, ElementsAre("state"));
}

TEST(FileIo, PathsAreUtf8) {
  const TempFolder folder("gr\xc3\xbc\xc3\x9f");
  const std::string path = folder.path() + "\xd0\xb6.bin";
  ASSERT_TRUE(replace_file(os_file_system(), path, "x").ok());
  EXPECT_EQ(content_of(path), "x");
  EXPECT_THAT(*os_file_system().names(folder.path(), "\xd0"), ElementsAre("\xd0\xb6.bin"));
}

TEST(FileIo, ErrorsNameThePathAndTellAbsentFromOther) {
  const TempFolder folder;
  const auto absent = read_file(os_file_system(), folder.path() + "nothing", 10);
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kAbsent);
  EXPECT_THAT(absent.error().message, HasSubstr(folder.path() + "nothing: cannot open: "));
  const auto nowhere = replace_file(os_file_system(), folder.path() + "no/folder", "x");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_THAT(nowhere.error().message, HasSubstr("no/folder.tmp: cannot open for writing: "));
  const auto a_folder = read_file(os_file_system(), folder.path(), 10);
  ASSERT_FALSE(a_folder.ok());
  EXPECT_NE(a_folder.error().code, ErrorCode::kAbsent);
}

TEST(FileIo, InfoGivesSizeAndWhenItWasModified) {
  const TempFolder folder;
  const std::string path = folder.path() + "\xd0\xb6.log";
  const UnixMillis before = SystemClock().wall();
  ASSERT_TRUE(replace_file(os_file_system(), path, "seven b").ok());
  const UnixMillis after = SystemClock().wall();
  const auto info = os_file_system().info(path);
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(info->size_bytes, 7U);
  // File systems keep their own time, coarser than the clock's.
  EXPECT_GE(info->modified, before - 2000);
  EXPECT_LE(info->modified, after + 2000);
  EXPECT_EQ(os_file_system().info(folder.path() + "nothing").error().code, ErrorCode::kAbsent);
}

TEST(FileIo, RefusesMoreThanAllowed) {
  const TempFolder folder;
  const std::string path = folder.path() + "big";
  const std::string content(100'000, 'x');
  ASSERT_TRUE(replace_file(os_file_system(), path, content).ok());
  EXPECT_EQ(*read_file(os_file_system(), path, content.size()), content);
  const auto refused = read_file(os_file_system(), path, content.size() - 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(refused.error().message, path + ": longer than the 99999 bytes allowed");
}

TEST(FileIo, AppendsAtTheEndAndCutsOff) {
  const TempFolder folder;
  const std::string path = folder.path() + "log";
  {
    auto file = os_file_system().open(path, OpenMode::kReadAppend);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->append("one two").ok());
  }
  auto file = os_file_system().open(path, OpenMode::kReadAppend);
  ASSERT_TRUE(file.ok());
  std::byte first[3];
  EXPECT_EQ(*(*file)->read(first), 3U);
  ASSERT_TRUE((*file)->truncate(4).ok());
  ASSERT_TRUE((*file)->append("three").ok());
  ASSERT_TRUE((*file)->sync().ok());
  EXPECT_EQ(content_of(path), "one three");
}

TEST(FileIo, OneWriterAtATime) {
  const TempFolder folder;
  const std::string path = folder.path() + "capture";
  for (const OpenMode mode : {OpenMode::kReadAppend, OpenMode::kRewrite}) {
    auto first = os_file_system().open(path, mode);
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE((*first)->append("kept").ok());
    const auto second = os_file_system().open(path, mode);
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.error().message, HasSubstr(path + ": cannot open for writing: "));
    EXPECT_THAT(content_of(path), HasSubstr("kept"));
  }
  EXPECT_TRUE(os_file_system().open(path, OpenMode::kRewrite).ok());
}

TEST(FileIo, AnOpenFileKnowsWhetherItHasItsNameStill) {
  const TempFolder folder;
  FileSystem& files = os_file_system();
  const std::string path = folder.path() + "lock";
  const auto open = [&] { return files.open(path, OpenMode::kRewriteOwn).value(); };
  auto file = open();
  EXPECT_TRUE(file->is_still(path));
  EXPECT_FALSE(file->is_still(folder.path() + "other"));
  EXPECT_FALSE(file->is_still(folder.path() + "gone/lock"));
  ASSERT_TRUE(files.remove(path).ok());
  EXPECT_EQ(file->is_still(path), files.info(path).ok()) << "Wine lets others open what is to go";
  file.reset();
  file = open();
  EXPECT_TRUE(file->is_still(path));
  ASSERT_TRUE(files.rename(path, path + ".old").ok());
  EXPECT_FALSE(file->is_still(path));
  const auto another = open();
  EXPECT_FALSE(file->is_still(path));
  EXPECT_TRUE(another->is_still(path));
}

TEST(FileIo, MakesAFolderOnce) {
  const TempFolder folder;
  ASSERT_TRUE(os_file_system().make_folder(folder.path() + "data").ok());
  EXPECT_TRUE(os_file_system().make_folder(folder.path() + "data").ok());
  ASSERT_TRUE(replace_file(os_file_system(), folder.path() + "file", "").ok());
  const auto in_the_way = os_file_system().make_folder(folder.path() + "file");
  ASSERT_FALSE(in_the_way.ok());
  EXPECT_THAT(in_the_way.error().message, HasSubstr("file: cannot make the folder: "));
}

TEST(FileIo, MakesEveryLevelThatIsMissing) {
  const TempFolder folder;
  FileSystem& files = os_file_system();
  for (int i = 0; i < 2; ++i) {
    const auto made = make_folders(files, folder.path() + "a/b/c/");
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  EXPECT_TRUE(replace_file(files, folder.path() + "a/b/c/file", "").ok());
  const auto in_the_way = make_folders(files, folder.path() + "a/b/c/file/d/e");
  ASSERT_FALSE(in_the_way.ok());
  EXPECT_THAT(in_the_way.error().message, HasSubstr("cannot make the folder: "));
}

TEST(FileIo, ANameFollowsItsFolderWithTheSeparatorThatIsThere) {
  EXPECT_EQ(in_folder("/var/lib/kmem", "trend.state"), "/var/lib/kmem/trend.state");
  EXPECT_EQ(in_folder("/var/lib/kmem/", "trend.state"), "/var/lib/kmem/trend.state");
  EXPECT_EQ(in_folder("state", "trend.state"), "state/trend.state");
  const bool is_windows = path_separators().size() == 2;
  EXPECT_EQ(in_folder("C:\\st a\\x", "trend.state"), is_windows ? "C:\\st a\\x\\trend.state" : "C:\\st a\\x/trend.state");
}

TEST(FileIo, AFailingDiskLeavesTheOldFileOrTheNewOne) {
  const std::string old_content = "old old old";
  const std::string new_content = "new";
  MemoryFiles counted;
  counted.put("state", old_content);
  ASSERT_TRUE(replace_file(counted, "state", new_content).ok());
  ASSERT_GE(counted.operations(), 4U);
  for (std::uint64_t works = 0; works <= counted.operations(); ++works) {
    MemoryFiles files;
    files.put("state", old_content);
    files.fail_after(works);
    const bool done = replace_file(files, "state", new_content).ok();
    EXPECT_EQ(done, works == counted.operations()) << works;
    files.crash();
    ASSERT_NE(files.get("state"), nullptr) << works;
    EXPECT_EQ(*files.get("state"), done ? new_content : old_content) << works;
    files.repair();
    EXPECT_TRUE(replace_file(files, "state", new_content).ok()) << works;
    EXPECT_THAT(files.paths(), ElementsAre("state")) << works;
  }
}

TEST(FileIo, AFullDiskGivesItsSpaceBack) {
  MemoryFiles files;
  files.fail_after(1);  // opens, then cannot write
  const auto result = replace_file(files, "state", "new");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "state.tmp: cannot write: disk full");
}

TEST(FileIo, BadFilesAreSetAsideAndTheNewestThreeKept) {
  const TempFolder folder;
  const std::string path = folder.path() + "state";
  ASSERT_TRUE(replace_file(os_file_system(), folder.path() + "state.other", "stays").ok());
  for (UnixMillis second = 8; second <= 12; ++second) {  // 9 -> 10: by number, not by text
    ASSERT_TRUE(replace_file(os_file_system(), path, "bad " + std::to_string(second)).ok());
    const auto aside = set_aside(os_file_system(), path, second * 1000 + 999);
    ASSERT_TRUE(aside.ok());
    EXPECT_EQ(*aside, path + ".bad-" + std::to_string(second));
  }
  EXPECT_THAT(*os_file_system().names(folder.path(), ""),
              UnorderedElementsAre("state.bad-10", "state.bad-11", "state.bad-12", "state.other"));
  EXPECT_EQ(content_of(path + ".bad-12"), "bad 12");
  EXPECT_EQ(set_aside(os_file_system(), path, 0).error().code, ErrorCode::kAbsent);
}

TEST(FileIo, AFolderIsNeverReplaced) {
  const TempFolder folder;
  ASSERT_TRUE(os_file_system().make_folder(folder.path() + "out").ok());
  const auto replaced = replace_file(os_file_system(), folder.path() + "out", "x");
  ASSERT_FALSE(replaced.ok());
  EXPECT_EQ(replaced.error().message, folder.path() + "out: is not a regular file and is not replaced");
  EXPECT_FALSE(write_output(os_file_system(), folder.path() + "out", "x").ok());
  EXPECT_THAT(*os_file_system().names(folder.path(), ""), ElementsAre("out"));
}

}  // namespace
}  // namespace kmem::base
