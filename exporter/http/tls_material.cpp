#include "exporter/http/tls_material.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace kmem::http {
namespace {

constexpr std::size_t kMostCertificates = 1000;

enum class Wanted { kCertificate, kKey };

Bio memory(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

/// Never asks the terminal for the password of an encrypted key.
int no_password(char*, int, int, void*) { return 0; }

Certificate next_certificate(BIO* from) { return Certificate(PEM_read_bio_X509(from, nullptr, nullptr, nullptr)); }

/// "CERTIFICATE", "RSA PRIVATE KEY", ...: of each PEM block that begins.
std::vector<std::string_view> labels_of(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  std::vector<std::string_view> labels;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const auto label = text.substr(at + kBegin.size(), 64);
    labels.push_back(label.substr(0, std::min(label.find("-----"), label.size())));
  }
  return labels;
}

bool is_certificate(std::string_view label) { return label.ends_with("CERTIFICATE"); }
bool is_key(std::string_view label) { return label.ends_with("PRIVATE KEY"); }

template <typename T, auto kFree, auto kRead>
bool is_der(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const std::unique_ptr<T, Freed<kFree>> read(kRead(nullptr, &at, static_cast<long>(text.size())));
  return read != nullptr;
}

/// What a file without PEM is, and how to make PEM of it.
std::string of_bytes(std::string_view text, Wanted wanted) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return "it is empty";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") || text.substr(0, 64).find('\0') < 2)
    return "it is UTF-16 text; save it as ASCII or UTF-8 without byte order mark";
  if (text.starts_with("\x30")) {
    const bool key = wanted == Wanted::kKey;
    if (is_der<PKCS12, PKCS12_free, d2i_PKCS12>(text))
      return std::string("it is a PKCS #12 file (.pfx, .p12); convert it: openssl pkcs12 -in FILE ") +
             (key ? "-nocerts -nodes -out key.pem" : "-nokeys -out cert.pem");
    if (is_der<X509, X509_free, d2i_X509>(text))
      return std::string("it is a certificate in DER, not PEM") +
             (key ? "; the private key belongs here" : "; convert it: openssl x509 -inform der -in FILE -out cert.pem");
    if (is_der<EVP_PKEY, EVP_PKEY_free, d2i_AutoPrivateKey>(text))
      return std::string("it is a private key in DER, not PEM") +
             (key ? "; convert it: openssl pkey -inform der -in FILE -out key.pem" : "; the certificate belongs here");
    return "it is binary (DER), and PEM is wanted: text from -----BEGIN to -----END";
  }
  return std::string("there is no ") + (wanted == Wanted::kKey ? "private key" : "certificate") +
         " in it; PEM is wanted: text from -----BEGIN to -----END";
}

/// What was found where `wanted` should be, and what to do. After a failure of OpenSSL's reader.
base::Error not_found(const Pem& in, Wanted wanted) {
  const auto reason = ERR_peek_last_error();
  const char* const words = reason == 0 ? nullptr : ERR_reason_error_string(reason);
  ERR_clear_error();
  const auto is = [&in](const std::string& what) { return base::Error{base::ErrorCode::kInvalid, in.name + ": " + what}; };
  const std::string_view text = in.text;
  const auto labels = labels_of(text);
  const auto has = [&labels](auto test) { return std::any_of(labels.begin(), labels.end(), test); };
  const auto has_label = [&](std::string_view label) { return has([&](auto each) { return each == label; }); };
  if (wanted == Wanted::kCertificate) {
    if (has(is_certificate))
      return is(std::string("the certificate in it is damaged (") + (words == nullptr ? "not usable" : words) +
                "); get the file anew");
    if (has(is_key)) return is("it holds a private key and no certificate; are cert_file and key_file swapped?");
    if (has([](auto label) { return label.ends_with("CERTIFICATE REQUEST"); }))
      return is("it holds a certificate request; the certificate that an authority makes of it belongs here");
    if (has_label("PKCS7"))
      return is("it holds a PKCS #7 bundle; convert it: openssl pkcs7 -print_certs -in FILE -out cert.pem");
  } else {
    if (has_label("ENCRYPTED PRIVATE KEY") || text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos)
      return is(
          "the key is encrypted, and nobody is there to type its password; store it without: openssl pkey -in "
          "FILE -out key.pem");
    if (has_label("OPENSSH PRIVATE KEY"))
      return is("it is a key in OpenSSH's format; convert it: ssh-keygen -p -m PEM -f FILE");
    if (has(is_key))
      return is(std::string("the private key in it is damaged (") + (words == nullptr ? "not usable" : words) +
                "); get the file anew");
    if (has(is_certificate)) return is("it holds a certificate and no private key; are cert_file and key_file swapped?");
    if (has([](auto label) { return label.ends_with("PUBLIC KEY"); }))
      return is("it holds a public key; the private one belongs here");
  }
  if (!labels.empty()) return is("it holds \"" + std::string(labels[0]) + "\", which is not what belongs here");
  return is(of_bytes(text, wanted));
}

/// Every certificate of the text, the first of which must be there and all of which must be whole.
base::Result<std::vector<Certificate>> read_certificates(const Pem& from) {
  ERR_clear_error();
  const auto pem = memory(from.text);
  std::vector<Certificate> result;
  while (auto certificate = next_certificate(pem.get())) {
    if (result.size() == kMostCertificates)
      return base::Error{base::ErrorCode::kInvalid,
                         from.name + ": more certificates than the " + std::to_string(kMostCertificates) + " allowed"};
    result.push_back(std::move(certificate));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (result.empty() || !at_end) return not_found(from, Wanted::kCertificate);
  ERR_clear_error();
  return result;
}

/// "RSA", "ECDSA", ...; empty where TLS knows no such signature.
std::string kind_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: return "RSA";
    case EVP_PKEY_EC: return "ECDSA";
    case EVP_PKEY_ED25519: return "Ed25519";
    case EVP_PKEY_ED448: return "Ed448";
    default: return {};
  }
}

std::string kind_words(const EVP_PKEY* key) {
  const std::string kind = kind_of(key);
  const char* const name = EVP_PKEY_get0_type_name(key);
  return kind.empty() ? std::string(name == nullptr ? "unknown" : name) : kind;
}

}  // namespace

base::Error openssl_error(const std::string& what) {
  const auto code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return {base::ErrorCode::kInvalid, what + ": " + (reason == nullptr ? "not usable" : reason)};
}

base::Result<std::vector<Certificate>> read_authorities(const Pem& from) { return read_certificates(from); }

base::Result<KeyPair> read_key_pair(const Pem& certificate, const Pem& key, int fewest_rsa_bits) {
  KeyPair pair;
  auto chain = read_certificates(certificate);
  if (!chain) return chain.error();
  pair.chain = std::move(*chain);
  const auto pem = memory(key.text);
  pair.key.reset(PEM_read_bio_PrivateKey(pem.get(), nullptr, no_password, nullptr));
  if (!pair.key) return not_found(key, Wanted::kKey);
  ERR_clear_error();

  const auto refused = [](const Pem& in, const std::string& what) {
    return base::Error{base::ErrorCode::kInvalid, in.name + ": " + what};
  };
  const EVP_PKEY* const own = X509_get0_pubkey(pair.chain[0].get());
  if (own == nullptr) return refused(certificate, "the certificate's key cannot be read; get the file anew");
  const auto fits = [&pair](const Certificate& each) {
    const bool good = X509_check_private_key(each.get(), pair.key.get()) == 1;
    ERR_clear_error();
    return good;
  };
  if (!fits(pair.chain[0])) {
    const auto other = std::find_if(pair.chain.begin(), pair.chain.end(), fits);
    if (other != pair.chain.end())
      return refused(certificate, "the key belongs to certificate " + std::to_string(other - pair.chain.begin() + 1) +
                                      " of the file; the server's own must come first, then those that signed it");
    const std::string wants = kind_words(own), has = kind_words(pair.key.get());
    return refused(key, (wants == has ? "key values mismatch: it is the key of another certificate than "
                                      : "it is a key of type " + has + ", and " + wants + " is wanted by ") +
                            certificate.name + "; put the two there that were made together");
  }
  if (kind_of(own).empty())
    return refused(certificate, "a key of type " + kind_words(own) + "; TLS wants RSA, ECDSA or Ed25519");
  if (const int bits = EVP_PKEY_get_bits(own); kind_of(own) == "RSA" && bits < fewest_rsa_bits)
    return refused(certificate, "an RSA key of " + std::to_string(bits) + " bits is too small; make one of " +
                                    std::to_string(fewest_rsa_bits) + " bits or more, and a certificate for it");
  return pair;
}

std::string fault_of_dates(const X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) return "it has expired";
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) return "it is not valid yet";
  return {};
}

}  // namespace kmem::http
