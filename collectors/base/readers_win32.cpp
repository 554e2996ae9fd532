#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <array>
#include <memory>

#include "collectors/base/readers.h"
#include "collectors/base/text_win32.h"

namespace kmem::base {
namespace {

struct LocallyFreed {
  void operator()(void* memory) const { LocalFree(memory); }
};

struct Group {
  WELL_KNOWN_SID_TYPE sid;
  const char* name;
  bool is_denied = false;
};

std::string readers_by_list(ACL* list) {
  // A file without a list is everybody's.
  if (list == nullptr) return "Everyone";
  std::array groups{Group{WinWorldSid, "Everyone"},
                    Group{WinBuiltinUsersSid, "Users"},
                    Group{WinAuthenticatedUserSid, "Authenticated Users"},
                    Group{WinInteractiveSid, "Interactive"},
                    Group{WinBuiltinGuestsSid, "Guests"},
                    Group{WinAnonymousSid, "Anonymous"}};
  constexpr DWORD kReads = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;
  for (DWORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    if (!GetAce(list, i, &entry)) break;
    // A refusal is laid out as a permission is; the kinds for objects of a directory are not found at files.
    const auto* const ace = static_cast<const ACCESS_ALLOWED_ACE*>(entry);
    const bool allows = ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE;
    if ((!allows && ace->Header.AceType != ACCESS_DENIED_ACE_TYPE) || (ace->Header.AceFlags & INHERIT_ONLY_ACE) != 0 ||
        (ace->Mask & kReads) == 0)
      continue;
    for (Group& group : groups) {
      if (!IsWellKnownSid(const_cast<DWORD*>(&ace->SidStart), group.sid)) continue;
      if (allows && !group.is_denied) return group.name;
      group.is_denied = true;
      // Everyone is all of them.
      if (group.sid == WinWorldSid)
        for (Group& each : groups) each.is_denied = true;
    }
  }
  return {};
}

}  // namespace

std::string readers_by_descriptor(const std::wstring& text) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1, &descriptor, nullptr)) return {};
  const std::unique_ptr<void, LocallyFreed> freed(descriptor);
  PACL list = nullptr;
  BOOL present = FALSE, defaulted = FALSE;
  if (!GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted)) return {};
  return readers_by_list(present ? list : nullptr);
}

std::string other_readers(const std::string& path) {
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  std::wstring wide = to_wide(path);
  if (GetNamedSecurityInfoW(wide.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, &list, nullptr,
                            &descriptor) != ERROR_SUCCESS)
    return {};
  const std::unique_ptr<void, LocallyFreed> freed(descriptor);
  return readers_by_list(list);
}

}  // namespace kmem::base
