// What only POSIX has: pipes, devices, symbolic links, modes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <tuple>

#include "collectors/base/file_io.h"
#include "collectors/base/followed_files.h"
#include "collectors/base/readers.h"
#include "collectors/base/state_file.h"
#include "tests/support/file_content.h"
#include "tests/support/temp_folder.h"

namespace kmem::base {
namespace {

using test::content_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

mode_t mode_of(const std::string& path, bool follow = true) {
  struct stat is {};
  EXPECT_EQ(follow ? ::stat(path.c_str(), &is) : ::lstat(path.c_str(), &is), 0) << path;
  return is.st_mode;
}

TEST(FileIoPosix, APipeIsWrittenAndStays) {
  const TempFolder folder;
  const std::string path = folder.path() + "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = content_of(path); });
  EXPECT_TRUE(write_output(os_file_system(), path, "page\n").ok());
  reader.join();
  EXPECT_EQ(read, "page\n");
  EXPECT_TRUE(S_ISFIFO(mode_of(path)));
  EXPECT_FALSE(replace_file(os_file_system(), path, "state").ok()) << "what has to be kept does not go into a pipe";
  EXPECT_TRUE(S_ISFIFO(mode_of(path)));
  EXPECT_THAT(*os_file_system().names(folder.path(), ""), ElementsAre("pipe"));
}

// As root, `--output /dev/null` put a file in the device's place.
TEST(FileIoPosix, ADeviceIsWrittenAndStays) {
  const TempFolder folder;
  const std::string path = folder.path() + "null";
  if (::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(1, 3)) != 0 || ::access(path.c_str(), W_OK) != 0)
    GTEST_SKIP() << "device nodes cannot be made here";
  const int can_open = ::open(path.c_str(), O_WRONLY);
  if (can_open == -1) GTEST_SKIP() << "device nodes cannot be used on this file system";
  ::close(can_open);
  EXPECT_TRUE(write_output(os_file_system(), path, "page\n").ok());
  EXPECT_TRUE(S_ISCHR(mode_of(path)));
  EXPECT_FALSE(replace_file(os_file_system(), path, "state").ok());
  EXPECT_TRUE(S_ISCHR(mode_of(path)));
  ASSERT_EQ(::symlink("null", (folder.path() + "link").c_str()), 0);
  EXPECT_TRUE(write_output(os_file_system(), folder.path() + "link", "page\n").ok());
  EXPECT_TRUE(S_ISLNK(mode_of(folder.path() + "link", false)));
  EXPECT_TRUE(S_ISCHR(mode_of(path)));
}

TEST(FileIoPosix, ASymbolicLinkStaysOne) {
  const TempFolder folder;
  ASSERT_TRUE(os_file_system().make_folder(folder.path() + "real").ok());
  const std::string real = folder.path() + "real/page", link = folder.path() + "link", further = folder.path() + "further";
  ASSERT_EQ(::symlink("real/page", link.c_str()), 0);
  ASSERT_EQ(::symlink(link.c_str(), further.c_str()), 0);
  for (const char* text : {"made", "replaced"}) {  // where nothing is yet, and where something is
    ASSERT_TRUE(write_output(os_file_system(), further, text).ok());
    EXPECT_EQ(content_of(real), text);
    EXPECT_TRUE(S_ISLNK(mode_of(link, false)));
    EXPECT_TRUE(S_ISLNK(mode_of(further, false)));
  }
  EXPECT_THAT(*os_file_system().names(folder.path() + "real", ""), ElementsAre("page"));
  ASSERT_EQ(::symlink("round", (folder.path() + "round").c_str()), 0);
  EXPECT_FALSE(write_output(os_file_system(), folder.path() + "round", "x").ok());
}

TEST(FileIoPosix, ATemporaryFileIsNotWhatSomeoneElsePutThere) {
  const TempFolder folder;
  const std::string path = folder.path() + "page";
  ASSERT_TRUE(replace_file(os_file_system(), folder.path() + "precious", "kept").ok());
  ASSERT_EQ(::symlink("precious", (path + ".tmp").c_str()), 0);
  EXPECT_FALSE(replace_file(os_file_system(), path, "page").ok());
  EXPECT_EQ(content_of(folder.path() + "precious"), "kept");
  ASSERT_EQ(::unlink((path + ".tmp").c_str()), 0);
  ASSERT_EQ(::mkfifo((path + ".tmp").c_str(), 0666), 0);
  const auto replaced = replace_file(os_file_system(), path, "page");
  ASSERT_FALSE(replaced.ok());
  EXPECT_THAT(replaced.error().message, HasSubstr("is not a regular file"));
}

// A temporary name that was a second one of another file gave that file the content.
TEST(FileIoPosix, ATemporaryFileIsNoOtherFilesSecondName) {
  const TempFolder folder;
  const std::string path = folder.path() + "page", other = folder.path() + "other";
  ASSERT_TRUE(replace_file(os_file_system(), other, "precious").ok());
  ASSERT_EQ(::link(other.c_str(), (path + ".tmp").c_str()), 0);
  ASSERT_TRUE(replace_file(os_file_system(), path, "page\n").ok());
  EXPECT_EQ(content_of(other), "precious");
  EXPECT_EQ(content_of(path), "page\n");
}

// A page that was 0640 became everyone's at the next run.
TEST(FileIoPosix, WhatIsReplacedStaysWithThoseWhoMayReadIt) {
  const TempFolder folder;
  const std::string path = folder.path() + "page";
  for (const mode_t mode : {0640U, 0600U, 0664U, 0644U}) {
    ASSERT_TRUE(write_output(os_file_system(), path, "before\n").ok());
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    if (::geteuid() == 0) { ASSERT_EQ(::chown(path.c_str(), 12'345, 12'346), 0); }
    ASSERT_TRUE(write_output(os_file_system(), path, "page\n").ok());
    EXPECT_EQ(content_of(path), "page\n");
    struct stat is {};
    ASSERT_EQ(::stat(path.c_str(), &is), 0);
    EXPECT_EQ(is.st_mode & 07777U, mode);
    if (::geteuid() != 0) continue;
    EXPECT_EQ(is.st_uid, 12'345U);
    EXPECT_EQ(is.st_gid, 12'346U);
  }
}

TEST(FileIoPosix, WhatAProcessHasOpenIsWrittenBehindWhatItHolds) {
  const TempFolder folder;
  ASSERT_TRUE(replace_file(os_file_system(), folder.path() + "log", "precious\n").ok());
  const int open = ::open((folder.path() + "log").c_str(), O_WRONLY | O_APPEND);  // as a shell does for >> log
  const std::string number = std::to_string(open), link = folder.path() + "stdout";
  ASSERT_EQ(::symlink(("/proc/self/fd/" + number).c_str(), link.c_str()), 0);
  for (const std::string& path : {"/dev/fd/" + number, "/proc/self/fd/" + number, link})
    EXPECT_TRUE(write_output(os_file_system(), path, "page\n").ok()) << path;
  ::close(open);
  EXPECT_EQ(content_of(folder.path() + "log"), "precious\npage\npage\npage\n");
  EXPECT_THAT(*os_file_system().names(folder.path(), "log"), ElementsAre("log"));
}

TEST(FileIoPosix, ACaptureIsNotReadFromAPipeThatNobodyWrites) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder.path() + "pipe").c_str(), 0666), 0);
  const auto opened = os_file_system().open(folder.path() + "pipe", OpenMode::kReadAppend);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("is a pipe"));
}

// A pipe that once stood in a file's place held its reader for ever, also when the file was back.
TEST(FileIoPosix, AFileThatIsFollowedIsNoPipe) {
  const TempFolder folder;
  const std::string path = folder.path() + "web.yml";
  FollowedFiles files(os_file_system());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto refused = read_file(files, path, 100);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("web.yml: is a pipe"));
  ASSERT_TRUE(files.remove(path).ok());
  ASSERT_TRUE(replace_file(files, path, "text").ok());
  EXPECT_EQ(*read_file(files, path, 100), "text");
}

TEST(FileIoPosix, WhatIsTooLongIsNotReadFirst) {
  const TempFolder folder;
  const std::string path = folder.path() + "long";
  ASSERT_TRUE(replace_file(os_file_system(), path, "x").ok());
  ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 40), 0);  // reading would take minutes
  const auto content = read_file(os_file_system(), path, std::size_t{1} << 39);
  ASSERT_FALSE(content.ok());
  EXPECT_THAT(content.error().message, HasSubstr("long: longer than the 549755813888 bytes"));
}

TEST(FileIoPosix, StateIsItsOwnersAlone) {
  const TempFolder folder;
  const mode_t before = ::umask(0);
  const std::string state = folder.path() + "kept/x.state", page = folder.path() + "page";
  EXPECT_TRUE(os_file_system().make_folder(folder.path() + "kept").ok());
  ASSERT_TRUE(replace_file(os_file_system(), state, "").ok());  // as earlier versions left it
  EXPECT_EQ(mode_of(state) & 0777, 0644U);
  EXPECT_TRUE(save_state(os_file_system(), state, "TEST", 1, "payload").ok());
  EXPECT_TRUE(write_output(os_file_system(), page, "page").ok());
  ::umask(before);
  EXPECT_EQ(mode_of(folder.path() + "kept") & 0777, 0700U);
  EXPECT_EQ(mode_of(state) & 0777, 0600U);
  EXPECT_EQ(mode_of(page) & 0777, 0644U) << "node_exporter's textfile collector reads it";
}

TEST(FileIoPosix, OthersReadWhatModeAndFoldersLetThem) {
  const TempFolder folder;
  const std::string inner = folder.path() + "keys/", key = inner + "server.key", link = folder.path() + "link";
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(inner.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(inner.c_str(), 0755), 0);
  ASSERT_TRUE(replace_file(os_file_system(), key, "secret").ok());
  ASSERT_EQ(::symlink(key.c_str(), link.c_str()), 0);
  for (const auto& [mode, folder_mode, readers] : {std::tuple{0644U, 0755U, "all users"},
                                                   {0640U, 0755U, ""},
                                                   {0604U, 0711U, "all users"},
                                                   {0600U, 0755U, ""},
                                                   {0644U, 0750U, ""},
                                                   {0644U, 0766U, ""}}) {
    ASSERT_EQ(::chmod(key.c_str(), mode), 0);
    ASSERT_EQ(::chmod(inner.c_str(), folder_mode), 0);
    EXPECT_EQ(other_readers(key), readers) << std::oct << mode << " in " << folder_mode;
    EXPECT_EQ(other_readers(link), readers) << std::oct << mode << " in " << folder_mode;
  }
  EXPECT_EQ(other_readers(inner + "absent"), "");
}

}  // namespace
}  // namespace kmem::base
