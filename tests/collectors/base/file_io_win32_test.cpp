#include <gtest/gtest.h>
#include <windows.h>

#include <chrono>
#include <string>
#include <thread>

#include "collectors/base/file_io.h"
#include "collectors/base/readers.h"
#include "collectors/base/text_win32.h"

namespace kmem::base {
namespace {

/// Opens it as most programs do: nobody else may remove it meanwhile.
HANDLE open_like_a_reader(const std::string& path) {
  return CreateFileA(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING, 0, nullptr);
}

class ReplacedFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(replace_file(os_file_system(), path_, "before").ok()); }
  void TearDown() override { DeleteFileA(path_.c_str()); }

  std::string content() const {
    char text[16];
    DWORD length = 0;
    const HANDLE file = open_like_a_reader(path_);
    ReadFile(file, text, sizeof text, &length, nullptr);
    CloseHandle(file);
    return {text, length};
  }

  const std::string path_ = "kmem-replaced-" + std::to_string(GetCurrentProcessId()) + ".tmp";
};

TEST_F(ReplacedFile, WaitsForAReaderWhoSoonHasDone) {
  const HANDLE reader = open_like_a_reader(path_);
  ASSERT_NE(reader, INVALID_HANDLE_VALUE);
  std::thread done([reader] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CloseHandle(reader);
  });
  const auto replaced = replace_file(os_file_system(), path_, "after");
  done.join();
  EXPECT_TRUE(replaced.ok()) << replaced.error().message;
  EXPECT_EQ(content(), "after");
}

TEST_F(ReplacedFile, GivesUpOnAReaderWhoStaysAndKeepsWhatWasThere) {
  const HANDLE reader = open_like_a_reader(path_);
  const auto began = std::chrono::steady_clock::now();
  const auto replaced = replace_file(os_file_system(), path_, "after");
  const auto took = std::chrono::steady_clock::now() - began;
  CloseHandle(reader);
  EXPECT_FALSE(replaced.ok());
  EXPECT_GE(took, std::chrono::milliseconds(450));
  EXPECT_LT(took, std::chrono::seconds(30));
  EXPECT_EQ(content(), "before");
}

TEST(FileIoWin32, AFolderIsNamedAsWhatItIs) {
  ASSERT_TRUE(os_file_system().make_folder("kmem-folder.tmp").ok());
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadAppend}) {
    const auto opened = os_file_system().open("kmem-folder.tmp", mode);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().message.find(": it is a folder"), std::string::npos) << opened.error().message;
  }
  EXPECT_TRUE(RemoveDirectoryA("kmem-folder.tmp"));
}

TEST(ReadersWin32, AreWhoTheAccessListLetsRead) {
  struct Row {
    const wchar_t* descriptor;
    const char* readers;
  };
  for (const Row& row :
       {Row{L"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;LS)", ""}, Row{L"D:(A;;FA;;;SY)(A;;0x1200a9;;;BU)", "Users"},
        Row{L"D:(A;ID;GR;;;WD)", "Everyone"}, Row{L"D:(A;;GA;;;AU)", "Authenticated Users"},
        Row{L"D:(A;;FR;;;IU)", "Interactive"}, Row{L"D:(A;OICIIO;FA;;;BU)", ""},  // for files to come, not for this one
        Row{L"D:(A;;0x120116;;;BU)", ""},                                         // writes alone
        Row{L"D:(D;;FR;;;BU)(A;;FR;;;BU)", ""},                                   // the first word counts
        Row{L"D:(A;;FR;;;BU)(D;;FR;;;BU)", "Users"}, Row{L"D:(D;;FR;;;WD)(A;;FR;;;BU)", ""},
        Row{L"D:(D;;FR;;;BU)(A;;FR;;;AU)", "Authenticated Users"}, Row{L"D:", ""},  // nobody at all
        Row{L"O:BA", "Everyone"}})                                                  // no list
    EXPECT_EQ(readers_by_descriptor(row.descriptor), row.readers) << to_utf8(row.descriptor);
  EXPECT_EQ(other_readers("Z:\\absent\\absent"), "");
}

}  // namespace
}  // namespace kmem::base
