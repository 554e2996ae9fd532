// Stage 6, inside: what the configuration names as certificate, key and authorities -> OpenSSL's objects that are known
// to fit together, or one sentence that says what was found instead and what to do. Included by tls*.cpp only.
// Thread: pure. Failure: an Error that begins with the file's name.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"

namespace kmem::http {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

/// PEM text and what it is called in messages.
struct Pem {
  std::string name, text;
  bool operator==(const Pem&) const = default;
};

struct KeyPair {
  std::vector<Certificate> chain;  // the server's own first
  Key key;
};

/// `fewest_rsa_bits`: what a peer would refuse anyway is refused here, in words.
[[nodiscard]] base::Result<KeyPair> read_key_pair(const Pem& certificate, const Pem& key, int fewest_rsa_bits);
/// At least one.
[[nodiscard]] base::Result<std::vector<Certificate>> read_authorities(const Pem& from);

/// What OpenSSL says about its last failure, behind `what`.
[[nodiscard]] base::Error openssl_error(const std::string& what);

/// Empty while the certificate is valid, else what is wrong with its dates.
[[nodiscard]] std::string fault_of_dates(const X509* certificate);

}  // namespace kmem::http
