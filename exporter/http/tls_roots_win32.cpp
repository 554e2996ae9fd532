#include <windows.h>

#include <wincrypt.h>

#include "exporter/http/tls_material.h"
#include "exporter/http/tls_roots.h"

namespace kmem::http {

bool use_system_authorities(SSL_CTX* context) {
  const HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
  if (store == nullptr) return false;
  PCCERT_CONTEXT each = nullptr;
  while ((each = CertEnumCertificatesInStore(store, each)) != nullptr) {
    const unsigned char* at = each->pbCertEncoded;
    const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(each->cbCertEncoded)));
    // One that cannot be read is nobody's authority.
    if (certificate) X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
  }
  CertCloseStore(store, 0);
  return true;
}

}  // namespace kmem::http
