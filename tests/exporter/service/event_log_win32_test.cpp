#include "exporter/service/event_log_win32.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <windows.h>

#include <string>

#include "exporter/service/win32_text.h"

namespace kmem::service {
namespace {

constexpr wchar_t kKey[] = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\kmem_exporter";

/// What the event viewer shows of an event whose source is the shipped program.
std::string shown(DWORD id, const wchar_t* text) {
  const HMODULE program = LoadLibraryExW(to_wide(KMEM_PROGRAM).c_str(), nullptr, LOAD_LIBRARY_AS_DATAFILE);
  if (program == nullptr) return "the program cannot be read: " + std::to_string(GetLastError());
  wchar_t line[256];
  DWORD_PTR arguments[] = {reinterpret_cast<DWORD_PTR>(text)};
  const DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, program, id, 0, line, 256,
                                      reinterpret_cast<va_list*>(arguments));
  const DWORD error = GetLastError();
  FreeLibrary(program);
  return length == 0 ? "no message: " + std::to_string(error) : to_utf8({line, length});
}

TEST(Messages, EveryLevelsEventReadsAsTheLogsLine) {
  for (const auto level : {base::LogLevel::kDebug, base::LogLevel::kInfo, base::LogLevel::kWarn, base::LogLevel::kError})
    EXPECT_EQ(shown(event_id(level), L"msg=\"listening\" address=:10054"), "msg=\"listening\" address=:10054\r\n");
  EXPECT_THAT(shown(0xC0000004, L"x"), testing::StartsWith("no message: "));
}

TEST(Messages, SeverityIsTheEventsType) {
  EXPECT_EQ(event_id(base::LogLevel::kInfo) >> 30, 1u);
  EXPECT_EQ(event_id(base::LogLevel::kWarn) >> 30, 2u);
  EXPECT_EQ(event_id(base::LogLevel::kError) >> 30, 3u);
}

TEST(EventSource, NamesThisProgramUntilItIsTakenBack) {
  const auto registered = register_event_source();
  ASSERT_TRUE(registered.ok()) << registered.error().message;
  HKEY key = nullptr;
  ASSERT_EQ(RegOpenKeyExW(HKEY_LOCAL_MACHINE, kKey, 0, KEY_READ, &key), ERROR_SUCCESS);
  wchar_t file[MAX_PATH] = {}, own[MAX_PATH] = {};
  DWORD size = sizeof file, type = 0;
  EXPECT_EQ(RegQueryValueExW(key, L"EventMessageFile", nullptr, &type, reinterpret_cast<BYTE*>(file), &size), ERROR_SUCCESS);
  GetModuleFileNameW(nullptr, own, MAX_PATH);
  EXPECT_EQ(type, static_cast<DWORD>(REG_EXPAND_SZ));
  EXPECT_EQ(std::wstring(file), own);
  DWORD types = 0;
  size = sizeof types;
  EXPECT_EQ(RegQueryValueExW(key, L"TypesSupported", nullptr, &type, reinterpret_cast<BYTE*>(&types), &size), ERROR_SUCCESS);
  EXPECT_EQ(types, 7u);
  RegCloseKey(key);
  unregister_event_source();
  EXPECT_EQ(RegOpenKeyExW(HKEY_LOCAL_MACHINE, kKey, 0, KEY_READ, &key), ERROR_FILE_NOT_FOUND);
}

}  // namespace
}  // namespace kmem::service
