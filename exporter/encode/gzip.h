// STAGE 5: page -> gzip member. The deflate state (about 260 KB) is made once and reused.
// Thread: one caller at a time. Failure: a Result; `out` is then empty and the page can be sent as it is.
#pragma once

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

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace kmem::encode
