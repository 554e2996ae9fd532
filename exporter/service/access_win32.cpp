#include "exporter/service/access_win32.h"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <memory>

#include "exporter/service/win32_text.h"

namespace kmem::service {
namespace {

struct LocalFreed {
  void operator()(void* memory) const { LocalFree(memory); }
};

bool is_own_user(PSID sid) {
  HANDLE token = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
  alignas(TOKEN_USER) char user[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  DWORD needed = 0;
  const bool is_known = GetTokenInformation(token, TokenUser, user, sizeof user, &needed) != 0;
  CloseHandle(token);
  return is_known && EqualSid(sid, reinterpret_cast<const TOKEN_USER*>(user)->User.Sid);
}

/// As far as Windows says anything of the volume.
base::Result<void> check_volume(const std::string& path) {
  wchar_t root[MAX_PATH + 1] = L"", file_system[MAX_PATH + 1] = L"";
  DWORD flags = 0;
  if (!GetVolumePathNameW(to_wide(path).c_str(), root, MAX_PATH) ||
      !GetVolumeInformationW(root, nullptr, 0, nullptr, nullptr, &flags, file_system, MAX_PATH))
    return {};
  return volume_keeps_rights(path, flags, file_system);
}

struct Descriptor {
  std::unique_ptr<void, LocalFreed> owned;
  SECURITY_ATTRIBUTES attributes{sizeof(SECURITY_ATTRIBUTES), nullptr, FALSE};
};

base::Result<Descriptor> descriptor_of(const std::wstring& folder, FolderRights rights, const std::wstring& account) {
  Descriptor made;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(descriptor_text(rights, account).c_str(), SDDL_REVISION_1,
                                                            &made.attributes.lpSecurityDescriptor, nullptr))
    return system_error("access rights of " + to_utf8(folder), GetLastError());
  made.owned.reset(made.attributes.lpSecurityDescriptor);
  return made;
}

/// Who could rename a folder above could put another one in its place: those that are made here are the administrators'.
/// Gives what CreateDirectoryW says of `folder` itself.
DWORD make_with_levels_above(const std::wstring& folder, SECURITY_ATTRIBUTES* own, SECURITY_ATTRIBUTES* of_levels) {
  if (CreateDirectoryW(folder.c_str(), own)) return ERROR_SUCCESS;
  const DWORD error = GetLastError();
  const std::size_t name_end = folder.find_last_not_of(L"\\/");
  const std::size_t name_begin = folder.find_last_of(L"\\/", name_end);
  if (error != ERROR_PATH_NOT_FOUND || name_end == std::wstring::npos || name_begin == std::wstring::npos || name_begin == 0)
    return error;
  const DWORD above = make_with_levels_above(folder.substr(0, name_begin), of_levels, of_levels);
  if (above != ERROR_SUCCESS && above != ERROR_ALREADY_EXISTS) return above;
  return CreateDirectoryW(folder.c_str(), own) ? ERROR_SUCCESS : GetLastError();
}

}  // namespace

base::Result<void> volume_keeps_rights(const std::string& path, std::uint32_t volume_flags, const std::wstring& file_system) {
  if ((volume_flags & FILE_PERSISTENT_ACLS) != 0) return {};
  return base::Error{base::ErrorCode::kPermission,
                     path + ": its volume (" + to_utf8(file_system) +
                         ") has no access rights, so every user could change it; it needs one with NTFS"};
}

std::wstring descriptor_text(FolderRights rights, const std::wstring& account) {
  // Protected: nothing is inherited. 0x1200a9 reads and runs, 0x1301bf also changes.
  std::wstring text = L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
  return text + (rights == FolderRights::kConfiguration ? L"(A;OICI;0x1200a9;;;" : L"(A;OICI;0x1301bf;;;") + account + L")";
}

base::Result<void> check_owner(const std::string& path) {
  if (GetFileAttributesW(to_wide(path).c_str()) == INVALID_FILE_ATTRIBUTES &&
      (GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND))
    return {};
  // There the owner would be everybody.
  if (const auto volume = check_volume(path); !volume) return volume;
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  std::wstring wide = to_wide(path);
  const DWORD error = GetNamedSecurityInfoW(wide.data(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, nullptr, nullptr,
                                            nullptr, &descriptor);
  const std::unique_ptr<void, LocalFreed> freed(descriptor);
  if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return {};
  if (error != ERROR_SUCCESS) return system_error(path, error);
  if (owner == nullptr) return base::Error{base::ErrorCode::kPermission, path + ": nobody is said to own it"};
  if (!is_own_user(owner) && !IsWellKnownSid(owner, WinLocalSystemSid) && !IsWellKnownSid(owner, WinBuiltinAdministratorsSid))
    return base::Error{base::ErrorCode::kPermission,
                       path + " belongs to another user, who could change it later; remove it first"};
  return {};
}

base::Result<void> check_folder(const std::string& folder) {
  const DWORD kind = GetFileAttributesW(to_wide(folder).c_str());
  if (kind == INVALID_FILE_ATTRIBUTES || (kind & FILE_ATTRIBUTE_DIRECTORY) == 0 || (kind & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
    return base::Error{base::ErrorCode::kInvalid, folder + " is no folder"};
  return check_owner(folder);
}

base::Result<void> protect_folder(const std::string& folder, FolderRights rights, const std::wstring& account) {
  if (const auto volume = check_volume(folder); !volume) return volume;
  std::wstring wide = to_wide(folder);
  auto own = descriptor_of(wide, rights, account), of_levels = descriptor_of(wide, FolderRights::kConfiguration, account);
  if (!own || !of_levels) return own ? of_levels.error() : own.error();
  const DWORD made = make_with_levels_above(wide, &own->attributes, &of_levels->attributes);
  if (made == ERROR_SUCCESS) return {};
  if (made != ERROR_ALREADY_EXISTS) return system_error(folder + ": cannot be made", made);

  if (const auto is = check_folder(folder); !is) return is;
  PACL list = nullptr;
  BOOL present = FALSE, defaulted = FALSE;
  if (!GetSecurityDescriptorDacl(own->attributes.lpSecurityDescriptor, &present, &list, &defaulted))
    return system_error("access rights of " + folder, GetLastError());
  const DWORD error =
      SetNamedSecurityInfoW(wide.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                            nullptr, nullptr, list, nullptr);
  if (error != ERROR_SUCCESS) return system_error(folder + ": cannot set its access rights", error);
  return {};
}

}  // namespace kmem::service
