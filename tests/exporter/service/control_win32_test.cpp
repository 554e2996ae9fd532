#include "exporter/service/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <windows.h>

#include <string>

#include "exporter/service/access_win32.h"
#include "exporter/service/signals_win32.h"
#include "exporter/service/supervisor.h"
#include "exporter/service/win32_text.h"

namespace kmem::service {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

std::string own_folder(const std::string& name) {
  wchar_t temp[MAX_PATH + 1];
  const DWORD length = GetTempPathW(MAX_PATH, temp);
  return to_utf8({temp, length}) + name + std::to_string(GetCurrentProcessId());
}

TEST(Places, AreBelowTheProgramDataFolder) {
  const auto places = default_places();
  ASSERT_TRUE(places.ok()) << places.error().message;
  EXPECT_THAT(places->folder, EndsWith("\\kmem_exporter"));
  EXPECT_EQ(places->config_file, places->folder + "\\kmem_exporter.yml");
  EXPECT_THAT(places->config_text, HasSubstr("path: \"state\""));
}

TEST(Folders, AreMadeOnceAndTakenAgain) {
  const std::string folder = own_folder("kmem-rights-");
  for (int i = 0; i < 2; ++i) {
    const auto made = protect_folder(folder, FolderRights::kState, L"LS");
    EXPECT_TRUE(made.ok()) << made.error().message;
  }
  EXPECT_TRUE(check_owner(folder).ok());
  EXPECT_TRUE(check_owner(folder + "\\absent").ok());
  EXPECT_TRUE(RemoveDirectoryW(to_wide(folder).c_str()));
}

TEST(Folders, AFileInTheirPlaceIsRefused) {
  const std::string path = own_folder("kmem-file-");
  CloseHandle(CreateFileW(to_wide(path).c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, 0, nullptr));
  const auto made = protect_folder(path, FolderRights::kConfiguration, L"LS");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, base::ErrorCode::kInvalid);
  EXPECT_TRUE(DeleteFileW(to_wide(path).c_str()));
}

TEST(Control, WithoutTheServiceSaysHowToMakeIt) {
  for (const Action action : {Action::kStart, Action::kStop, Action::kReload, Action::kUninstall, Action::kConfigure}) {
    const auto done = control({action, {}, {}});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, base::ErrorCode::kAbsent);
    EXPECT_THAT(done.error().message, HasSubstr("service install"));
  }
}

TEST(Controls, ReachWhoWaits) {
  Signals signals;
  EXPECT_EQ(signals.wait(milliseconds(1)), Event::kTimeout);
  ask(Event::kReload);
  EXPECT_EQ(signals.wait(milliseconds(1000)), Event::kReload);
  EXPECT_EQ(signals.wait(milliseconds(1)), Event::kTimeout);
  ask(Event::kReload);
  ask(Event::kStop);  // wins
  EXPECT_EQ(signals.wait(milliseconds(1000)), Event::kStop);
}

TEST(Hosted, RunsTheBodyRightHereWithoutAServiceManager) {
  int ran = 0;
  EXPECT_EQ(run_hosted([&ran] { return ++ran + 6; }), 7);
  EXPECT_EQ(ran, 1);
  EXPECT_FALSE(is_windows_service());
}

TEST(Errors, AreToldInTheSystemsWords) {
  const base::Error error = system_error("service manager", ERROR_ACCESS_DENIED);
  EXPECT_EQ(error.code, base::ErrorCode::kPermission);
  EXPECT_THAT(error.message, testing::MatchesRegex("service manager: .*denied \\(error 5\\)"));
}

}  // namespace
}  // namespace kmem::service
