#include "exporter/service/command_line.h"

#include <cstddef>

namespace kmem::service {

std::string quoted_argument(std::string_view argument) {
  if (!argument.empty() && argument.find_first_of(" \t\"") == std::string_view::npos) return std::string(argument);
  std::string out = "\"";
  std::size_t backslashes = 0;
  for (const char c : argument) {
    // Backslashes are themselves, but in front of a quote each counts for two.
    if (c == '"') out.append(backslashes + 1, '\\');
    backslashes = c == '\\' ? backslashes + 1 : 0;
    out += c;
  }
  out.append(backslashes, '\\');
  return out + '"';
}

std::string command_line(std::string_view program, const std::vector<std::string>& arguments) {
  std::string out = '"' + std::string(program) + '"';
  for (const std::string& argument : arguments) out += ' ' + quoted_argument(argument);
  return out;
}

}  // namespace kmem::service
