// Who besides those who own a file may read it, for files with secrets. Windows: by the file's access list; POSIX: by its
// mode and that of the folders it lies in. Thread: any. Failure: what cannot be asked is taken for nobody.
#pragma once

#include <string>

namespace kmem::base {

/// "Users", "Everyone", "all users"; empty: nobody but the owner, his group and administrators.
[[nodiscard]] std::string other_readers(const std::string& path);

#ifdef _WIN32
/// The same for an access list as Windows writes security descriptors down.
[[nodiscard]] std::string readers_by_descriptor(const std::wstring& text);
#endif

}  // namespace kmem::base
