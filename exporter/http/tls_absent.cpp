#include "exporter/http/tls.h"

namespace kmem::http {

base::Result<std::unique_ptr<TlsContext>> TlsContext::load(const config::TlsServer&, base::FileSystem&) {
  return base::Error{base::ErrorCode::kUnsupported, "the web configuration wants TLS, and this build has none"};
}

}  // namespace kmem::http
