#include "collectors/linux/proc_root.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace kmem::linux {
namespace {

void write(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(ProcRoot, ReadsBelowItsDirectoryOnly) {
  test::TempFolder folder;
  write(folder.path() + "sys/vm/swappiness", "60\n");
  const auto root = make_proc_root(folder.path());
  std::string out = "left from before";
  EXPECT_EQ(root->read("sys/vm/swappiness", out), 0);
  EXPECT_EQ(out, "60\n");
  EXPECT_EQ(root->read("sys/vm/absent", out), ENOENT);
  EXPECT_EQ(out, "");
  EXPECT_EQ(root->read(std::string(600, 'x'), out), ENAMETOOLONG);
  EXPECT_EQ(root->read("sys", out), EISDIR);
}

TEST(ProcRoot, ARootThatIsNotThereIsAnErrorUntilItComes) {
  test::TempFolder folder;
  const auto root = make_proc_root(folder.path() + "late");
  std::string out;
  EXPECT_EQ(root->check(), ENOENT);
  EXPECT_EQ(root->read("a", out), ENOENT);
  write(folder.path() + "late/a", "x");
  EXPECT_EQ(root->check(), 0);
  EXPECT_EQ(root->read_kept("a", out), 0);
  EXPECT_EQ(out, "x");
}

TEST(ProcRoot, OfALongListTheFirstRowsAreKeptAndTheOthersCounted) {
  test::TempFolder folder;
  const auto root = make_proc_root(folder.path());
  std::string list, out;
  const std::string row = std::string(99, 'a') + "\n";
  for (std::size_t rows : {std::size_t{3}, kMaxListBytes / 100, std::size_t{100'000}}) {
    list.clear();
    for (std::size_t i = 0; i < rows; ++i) list += row;
    write(folder.path() + "slabinfo", list);
    ASSERT_EQ(root->read_list("slabinfo", out), 0);
    const std::size_t kept = std::min(rows, kMaxListBytes / 100);
    const std::string tail = rows == kept ? "" : "!left_out " + std::to_string(rows - kept) + "\n";
    EXPECT_TRUE(out == list.substr(0, 100 * kept) + tail) << rows;
    EXPECT_LE(out.capacity(), 2 * kMaxListBytes);
  }
  write(folder.path() + "slabinfo", std::string(kMaxListBytes + 1, 'a'));
  EXPECT_EQ(root->read_list("slabinfo", out), EFBIG) << "no list";
  write(folder.path() + "slabinfo", list);
  ASSERT_EQ(::truncate((folder.path() + "slabinfo").c_str(), off_t{1} << 40), 0);
  EXPECT_EQ(root->read_list("slabinfo", out), EFBIG) << "no end";
}

TEST(ProcRoot, AKeptFileIsReadFromItsBeginningAsItGrowsAndShrinks) {
  test::TempFolder folder;
  const std::string path = folder.path() + "slabinfo";
  const auto root = make_proc_root(folder.path());
  std::string out;
  for (const std::size_t size : {3UL, 100'000UL, 16'384UL, 0UL, 1'000'000UL, 5UL}) {
    std::string bytes(size, 'a');
    if (size > 2) bytes.back() = 'z';
    write(path, bytes);
    ASSERT_EQ(root->read_kept("slabinfo", out), 0);
    ASSERT_TRUE(out == bytes) << size;
  }
  EXPECT_EQ(root->read_kept("absent", out), ENOENT);
}

TEST(ProcRoot, ARecordIsWholeHoweverLong) {
  test::TempFolder folder;
  const auto root = make_proc_root(folder.path());
  std::string out;
  // Around what is read at once, and one whose last line has no end.
  for (const std::size_t size : {0UL, 3UL, 4'095UL, 4'096UL, 4'097UL, 100'000UL, 20UL}) {
    for (const char* end : {"\n", "z"}) {
      const std::string bytes = size == 0 ? std::string() : std::string(size - 1, 'a') + end;
      write(folder.path() + "meminfo", bytes);
      ASSERT_EQ(root->read_record("meminfo", out), 0);
      ASSERT_TRUE(out == bytes) << size;
    }
  }
}

TEST(ProcRoot, OpensAKeptFileOnce) {
  test::TempFolder folder;
  write(folder.path() + "meminfo", "old");
  const auto root = make_proc_root(folder.path());
  std::string out;
  ASSERT_EQ(root->read_kept("meminfo", out), 0);
  std::filesystem::remove(folder.path() + "meminfo");
  ASSERT_EQ(root->read_kept("meminfo", out), 0);
  EXPECT_EQ(out, "old");
}

TEST(ProcRoot, RefusesFilesOverTheBound) {
  test::TempFolder folder;
  write(folder.path() + "big", "");
  std::filesystem::resize_file(folder.path() + "big", kMaxFileBytes);
  const auto root = make_proc_root(folder.path());
  std::string out;
  EXPECT_EQ(root->read("big", out), 0);
  EXPECT_EQ(out.size(), kMaxFileBytes);
  std::filesystem::resize_file(folder.path() + "big", kMaxFileBytes + 1);
  EXPECT_EQ(root->read("big", out), EFBIG);
  EXPECT_EQ(root->read_kept("big", out), EFBIG);
  EXPECT_EQ(out, "");
}

TEST(ProcRoot, ListsNumbersAndCountsEntries) {
  test::TempFolder folder;
  for (const char* file : {"1/fd/0", "1/fd/1", "1/fd/255", "20/comm", "300/fd/0", "12a/fd/0", "99999999999/fd/0", "self/x"})
    write(folder.path() + file, "");
  const auto root = make_proc_root(folder.path());
  std::vector<std::uint32_t> pids;
  std::uint64_t left_out = 7;
  ASSERT_EQ(root->list_processes(10, pids, left_out), 0);
  std::sort(pids.begin(), pids.end());
  EXPECT_EQ(pids, (std::vector<std::uint32_t>{1, 20, 300}));
  EXPECT_EQ(left_out, 0U);
  std::filesystem::create_directories(folder.path() + "4000");
  ASSERT_EQ(root->list_processes(1, pids, left_out), 0);  // listed anew
  EXPECT_EQ(pids.size(), 1U);
  EXPECT_EQ(left_out, 3U);

  Descriptors descriptors;
  ASSERT_EQ(root->count_descriptors(1, descriptors), 0);
  EXPECT_EQ(descriptors.count, 3U);
  const std::uint64_t identity = descriptors.identity;
  ASSERT_EQ(root->count_descriptors(300, descriptors), 0);
  EXPECT_EQ(descriptors.count, 1U);
  EXPECT_NE(descriptors.identity, identity);
  EXPECT_EQ(root->count_descriptors(20, descriptors), ENOENT);
}

TEST(ProcRoot, CountsTheDescriptorsOfThisProcess) {
  const auto root = make_proc_root("/proc");
  const auto own = static_cast<std::uint32_t>(::getpid());
  Descriptors before;
  ASSERT_EQ(root->count_descriptors(own, before), 0);
  int more[5];
  for (int& fd : more) fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  Descriptors after;
  ASSERT_EQ(root->count_descriptors(own, after), 0);
  for (const int fd : more) ::close(fd);
  EXPECT_GE(before.count, 3U);
  EXPECT_EQ(after.count, before.count + 5);
  EXPECT_EQ(after.identity, before.identity);

  std::vector<std::uint32_t> pids;
  std::uint64_t left_out = 0;
  ASSERT_EQ(root->list_processes(65'536, pids, left_out), 0);
  EXPECT_NE(std::find(pids.begin(), pids.end(), own), pids.end());
}

}  // namespace
}  // namespace kmem::linux
