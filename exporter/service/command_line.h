// Arguments -> one command line, such that Windows' C runtime takes it apart into the same arguments again.
// Thread: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kmem::service {

[[nodiscard]] std::string quoted_argument(std::string_view argument);
/// `program` always in quotes: the service manager would try C:\Program.exe for an unquoted path with a blank.
[[nodiscard]] std::string command_line(std::string_view program, const std::vector<std::string>& arguments);

}  // namespace kmem::service
