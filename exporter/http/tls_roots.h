// Stage 6, inside: the certificate authorities that the operating system trusts. Included by tls*.cpp only.
// Thread: pure. Failure: false, with OpenSSL's reason.
#pragma once

#include <openssl/ssl.h>

namespace kmem::http {

[[nodiscard]] bool use_system_authorities(SSL_CTX* context);

}  // namespace kmem::http
