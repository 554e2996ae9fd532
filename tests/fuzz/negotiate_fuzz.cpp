// links: kmem_encode
// Any bytes as Accept and Accept-Encoding: the answer is one of the few content types there are.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/encode/negotiate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  const kmem::encode::Negotiated got = kmem::encode::negotiate(header);
  if (!got.content_type.starts_with(kmem::encode::content_type(got.format))) std::abort();
  if (kmem::encode::accepts_gzip(header) && size == 0) std::abort();
  return 0;
}
