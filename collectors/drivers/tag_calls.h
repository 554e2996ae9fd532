// Which functions that drivers import take a pool tag, and where among their arguments. Thread: constants.
// Failure: none; of a function that is not known it is said whether it may take one.
#pragma once

#include <cstdint>

#include "collectors/drivers/pe_image.h"

namespace kmem::drivers {

struct TagCall {
  enum Kind : std::uint8_t {
    kUnknown,  // may be handed a tag anywhere
    kNoTag,    // whatever is handed to it is none
    kTagged,
  } kind = kUnknown;
  std::uint8_t argument = 0;  // the tag's, from 0
  std::uint8_t word = 0;      // the same on x86, where an argument of 64 bits takes two words
  std::uint8_t words = 0;     // all of them on x86
};

/// nullptr: a function of the image's own, or nobody knows which.
[[nodiscard]] TagCall tag_call(const PeImport* import);

}  // namespace kmem::drivers
