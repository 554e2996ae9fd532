#include "exporter/http/tls_roots.h"

namespace kmem::http {

// SSL_CERT_FILE and SSL_CERT_DIR count, as they do for Go.
bool use_system_authorities(SSL_CTX* context) { return SSL_CTX_set_default_verify_paths(context) == 1; }

}  // namespace kmem::http
