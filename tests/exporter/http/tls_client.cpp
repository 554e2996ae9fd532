#include "tests/exporter/http/tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "tests/exporter/http/client.h"

namespace kmem::http {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  std::string result(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return result;
}

X509* certificate_of(const Credentials& from) {
  BIO* bio = BIO_new_mem_buf(from.certificate_pem.data(), static_cast<int>(from.certificate_pem.size()));
  X509* result = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return result;
}

EVP_PKEY* key_of(const Credentials& from) {
  BIO* bio = BIO_new_mem_buf(from.key_pem.data(), static_cast<int>(from.key_pem.size()));
  EVP_PKEY* result = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return result;
}

std::string common_name(X509* certificate) {
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), static_cast<int>(name.size()));
  return name.data();
}

}  // namespace

Credentials make_credentials(const std::string& name, const Credentials* issuer, const CredentialOptions& options) {
  EVP_PKEY* key = options.rsa_bits == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(static_cast<unsigned>(options.rsa_bits));
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* issuer_certificate = issuer == nullptr ? nullptr : certificate_of(*issuer);
  EVP_PKEY* issuer_key = issuer == nullptr ? nullptr : key_of(*issuer);
  X509_set_issuer_name(certificate, issuer_certificate == nullptr ? subject : X509_get_subject_name(issuer_certificate));
  if (issuer == nullptr) {
    X509_EXTENSION* ca = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(certificate, ca, -1);
    X509_EXTENSION_free(ca);
  }
  if (!options.sans.empty()) {
    X509_EXTENSION* sans = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, options.sans.c_str());
    X509_add_ext(certificate, sans, -1);
    X509_EXTENSION_free(sans);
  }
  X509_sign(certificate, issuer_key == nullptr ? key : issuer_key, EVP_sha256());
  BIO* certificate_out = BIO_new(BIO_s_mem());
  BIO* key_out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_out, certificate);
  PEM_write_bio_PrivateKey(key_out, key, nullptr, nullptr, 0, nullptr, nullptr);
  Credentials result{text_of(certificate_out), text_of(key_out)};
  X509_free(certificate);
  X509_free(issuer_certificate);
  EVP_PKEY_free(key);
  EVP_PKEY_free(issuer_key);
  return result;
}

struct TlsClient::State {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  Socket socket;
  bool connected = false;

  ~State() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  /// Repeats `step` while it waits for the network, at most 5 s.
  template <typename Step>
  int repeat(Step step) {
    for (int i = 0; i < 500; ++i) {
      ERR_clear_error();  // of another client that failed on this thread
      const int result = step();
      if (result > 0) return result;
      const int error = SSL_get_error(ssl, result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return result;
      Interest interest{.handle = socket.handle(), .read = true, .write = error == SSL_ERROR_WANT_WRITE};
      wait_for_sockets({&interest, 1}, 10);
    }
    return -1;
  }

  void write(const std::string& text) {
    repeat([&] { return SSL_write(ssl, text.data(), static_cast<int>(text.size())); });
  }

  bool read(std::string& to) {
    std::array<char, 4096> buffer;
    const int count = repeat([&] { return SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size())); });
    if (count > 0) to.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
  }
};

TlsClient::TlsClient(std::uint16_t port, const Options& options) : state_(std::make_unique<State>()) {
  SSL_CTX_set_cipher_list(state_->context, "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(state_->context, TLS1_VERSION);
  if (options.suites != nullptr) SSL_CTX_set_cipher_list(state_->context, options.suites);
  if (options.groups != nullptr) SSL_CTX_set1_groups_list(state_->context, options.groups);
  if (options.max_version != 0) SSL_CTX_set_max_proto_version(state_->context, options.max_version);
  if (options.own != nullptr) {
    X509* certificate = certificate_of(*options.own);
    EVP_PKEY* key = key_of(*options.own);
    SSL_CTX_use_certificate(state_->context, certificate);
    SSL_CTX_use_PrivateKey(state_->context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  state_->ssl = SSL_new(state_->context);
  state_->socket = connect_to(port);
  SSL_set_fd(state_->ssl, static_cast<int>(state_->socket.handle()));
  state_->connected = state_->repeat([this] { return SSL_connect(state_->ssl); }) == 1;
}

TlsClient::~TlsClient() = default;

bool TlsClient::connected() const { return state_->connected; }

std::string TlsClient::server_name() const {
  X509* certificate = SSL_get1_peer_certificate(state_->ssl);
  const auto result = certificate == nullptr ? "" : common_name(certificate);
  X509_free(certificate);
  return result;
}

std::string TlsClient::version() const { return SSL_get_version(state_->ssl); }

std::string TlsClient::cipher() const { return SSL_CIPHER_standard_name(SSL_get_current_cipher(state_->ssl)); }

std::string TlsClient::get(const std::string& path, const std::string& headers) {
  if (!state_->connected) return {};
  state_->write("GET " + path + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n" + headers + "\r\n");
  std::string result;
  while (state_->read(result)) {}
  return result;
}

std::string TlsClient::get_and_stay(const std::string& path) {
  state_->write("GET " + path + " HTTP/1.1\r\nHost: t\r\n\r\n");
  std::string result;
  while (result.find("\r\n\r\n") == std::string::npos && state_->read(result)) {}
  return result;
}

}  // namespace kmem::http
