#include "exporter/service/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <windows.h>

#include <sddl.h>

#include <string>
#include <vector>

#include "exporter/service/access_win32.h"
#include "exporter/service/service_settings_win32.h"
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
  EXPECT_TRUE(volume_keeps_rights(folder, FILE_PERSISTENT_ACLS | FILE_CASE_PRESERVED_NAMES, L"NTFS").ok());
  const auto fat = volume_keeps_rights("D:\\kmem", FILE_CASE_PRESERVED_NAMES, L"FAT32");
  ASSERT_FALSE(fat.ok());
  EXPECT_EQ(fat.error().message,
            "D:\\kmem: its volume (FAT32) has no access rights, so every user could change it; it needs one with NTFS");
  EXPECT_TRUE(check_owner(folder).ok());
  EXPECT_TRUE(check_owner(folder + "\\absent").ok());
  EXPECT_TRUE(RemoveDirectoryW(to_wide(folder).c_str()));
}

TEST(Folders, AreMadeWithTheLevelsAbove) {
  const std::string top = own_folder("kmem-levels-");
  const auto made = protect_folder(top + "\\a\\b", FolderRights::kState, L"LS");
  EXPECT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(check_folder(top + "\\a\\b").ok());
  for (const char* level : {"\\a\\b", "\\a", ""}) EXPECT_TRUE(RemoveDirectoryW(to_wide(top + level).c_str())) << level;
  EXPECT_FALSE(check_folder(top).ok());
}

/// What the descriptor lets the named user do; Wine's files have no rights of their own that could be read back.
DWORD rights_of(WELL_KNOWN_SID_TYPE user, FolderRights folder) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  PACL list = nullptr;
  BOOL present = FALSE, defaulted = FALSE;
  SECURITY_DESCRIPTOR_CONTROL control = 0;
  DWORD revision = 0, rights = 0;
  EXPECT_TRUE(ConvertStringSecurityDescriptorToSecurityDescriptorW(descriptor_text(folder, L"LS").c_str(), SDDL_REVISION_1,
                                                                   &descriptor, nullptr));
  EXPECT_TRUE(GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted));
  EXPECT_TRUE(GetSecurityDescriptorControl(descriptor, &control, &revision));
  EXPECT_NE(control & SE_DACL_PROTECTED, 0);
  for (DWORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    EXPECT_TRUE(GetAce(list, i, &entry));
    const auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    EXPECT_EQ(allowed->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
    EXPECT_EQ(allowed->Header.AceFlags, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE);
    if (IsWellKnownSid(const_cast<DWORD*>(&allowed->SidStart), user)) rights |= allowed->Mask;
  }
  LocalFree(descriptor);
  return rights;
}

TEST(Folders, ConfigurationIsTheAdministratorsAndStateTheServices) {
  constexpr DWORD kChange = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER;
  for (const auto folder : {FolderRights::kConfiguration, FolderRights::kState})
    for (const auto user : {WinLocalSystemSid, WinBuiltinAdministratorsSid})
      EXPECT_EQ(rights_of(user, folder), static_cast<DWORD>(FILE_ALL_ACCESS));
  EXPECT_EQ(rights_of(WinLocalServiceSid, FolderRights::kConfiguration) & kChange, 0u);
  EXPECT_NE(rights_of(WinLocalServiceSid, FolderRights::kConfiguration) & FILE_READ_DATA, 0u);
  // The keys of TLS and the passwords' hashes lie beside the configuration.
  for (const auto folder : {FolderRights::kConfiguration, FolderRights::kState})
    for (const auto user : {WinBuiltinUsersSid, WinWorldSid, WinAuthenticatedUserSid}) EXPECT_EQ(rights_of(user, folder), 0u);
  EXPECT_EQ(rights_of(WinLocalServiceSid, FolderRights::kState) & kChange,
            static_cast<DWORD>(FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE));
}

TEST(Folders, AFileInTheirPlaceIsRefused) {
  const std::string path = own_folder("kmem-file-");
  CloseHandle(CreateFileW(to_wide(path).c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, 0, nullptr));
  const auto made = protect_folder(path, FolderRights::kConfiguration, L"LS");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, base::ErrorCode::kInvalid);
  EXPECT_TRUE(DeleteFileW(to_wide(path).c_str()));
}

TEST(Settings, ThatAreRefusedAreWarnings) {
  std::vector<std::string> warnings;
  EXPECT_FALSE(apply_settings(nullptr, warnings).has_own_sid);
  ASSERT_EQ(warnings.size(), 6u);
  for (const std::string& warning : warnings) EXPECT_THAT(warning, HasSubstr(" is not set: "));
}

TEST(Control, WithoutTheServiceSaysHowToMakeIt) {
  for (const Action action :
       {Action::kStart, Action::kStop, Action::kReload, Action::kUninstall, Action::kConfigure, Action::kStatus}) {
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
