// Folders with an administrator's rights below a place where every user may make folders (%ProgramData%). What was there
// before and belongs to somebody else is refused: its owner could give himself any right later.
// Thread: any. Failure: an Error that names the folder.
#pragma once

#include <cstdint>
#include <string>

#include "collectors/base/result.h"

namespace kmem::service {

enum class FolderRights {
  kConfiguration,  // SYSTEM and administrators change it, the service reads; keys lie there, so others do not see it
  kState,          // SYSTEM, administrators and the service change it, others do not see it
};

/// The rights as Windows writes security descriptors down.
[[nodiscard]] std::wstring descriptor_text(FolderRights rights, const std::wstring& account);

/// An existing folder, no link, whose owner check_owner takes.
[[nodiscard]] base::Result<void> check_folder(const std::string& folder);

/// Makes `folder`, and levels above it that are missing with kConfiguration's rights, or gives an existing one these rights,
/// what it holds included. `account`: the service's SID or its short name in security descriptors ("LS").
[[nodiscard]] base::Result<void> protect_folder(const std::string& folder, FolderRights rights, const std::wstring& account);

/// FAT and its like keep none: an Error that says so. The flags are GetVolumeInformation's.
[[nodiscard]] base::Result<void> volume_keeps_rights(const std::string& path, std::uint32_t volume_flags,
                                                     const std::wstring& file_system);

/// Kept by SYSTEM, the administrators or this program's own account; an absent file is.
[[nodiscard]] base::Result<void> check_owner(const std::string& path);

}  // namespace kmem::service
