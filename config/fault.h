// One thing wrong with a configuration, where it is, and what was expected. Thread: value type.
#pragma once

#include <compare>
#include <string>

namespace kmem::config {

struct Place {
  int line = 0;    // from 1; 0 = the file as a whole
  int column = 0;  // from 1, in characters

  auto operator<=>(const Place&) const = default;
};

struct Fault {
  std::string file;
  Place place;
  std::string message;

  /// "file:line:column: message"
  [[nodiscard]] std::string text() const {
    if (place.line == 0) return file + ": " + message;
    return file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + message;
  }
};

}  // namespace kmem::config
