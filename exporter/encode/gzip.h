// STAGE 5: page -> gzip member. Made for text whose lines repeat each other: a match is looked for only where the one
// before has ended and never inside a number, which is a fraction of zlib's work at its fastest level.
// Thread: one caller at a time. Failure: a Result; `out` is then empty and the page can be sent as it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/base/result.h"

namespace kmem::encode {

class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  /// Replaces `out`, keeping its memory. At most 64 MiB of input.
  base::Result<void> compress(std::string_view plain, std::string& out);
  /// The same for metrics, page after page: while nothing but numbers differs from the page before, what repeats is not
  /// looked for again.
  base::Result<void> compress_page(std::string_view plain, std::string& out);

 private:
  base::Result<void> compress(std::string_view plain, std::string& out, bool is_page);

  class Deflater;
  std::unique_ptr<Deflater> deflater_;  // made once and reused
};

}  // namespace kmem::encode
