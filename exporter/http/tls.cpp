#include "exporter/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "collectors/base/followed_files.h"
#include "collectors/base/log.h"
#include "collectors/base/readers.h"
#include "exporter/http/tls_material.h"
#include "exporter/http/tls_roots.h"

namespace kmem::http {
namespace {

using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freed<SSL_free>>;

constexpr std::size_t kMaxFileBytes = std::size_t{1024} * 1024;
// Records below their 16 KiB, because the buffer of the largest one stays with its connection.
constexpr std::size_t kPieceBytes = 4096;
constexpr std::size_t kRecordBytes = 64;  // what TLS adds to a piece, and some
// What clients of today refuse, and of those days when TLS 1.0 or 1.1 is asked for.
constexpr int kFewestRsaBits = 2048, kFewestOldRsaBits = 1024;
// Forward secrecy and authenticated encryption; TLS 1.0 and 1.1 have nothing but CBC.
constexpr std::string_view kSuites = "ECDHE+AESGCM:ECDHE+CHACHA20", kOldSuites = ":ECDHE+AES";

struct Files {
  Pem cert, key, client_ca;
  bool operator==(const Files&) const = default;
};

/// The key is as secret as its file is. A key in place is the web configuration's, of which this knows nothing.
void warn_of_readers(const config::TlsServer& settings) {
  if (settings.key_file.empty()) return;
  const std::string readers = base::other_readers(settings.key_file);
  // A start reads its files several times.
  static std::mutex saying;
  static std::map<std::string, std::string> said;  // readers by key file
  {
    const std::lock_guard lock(saying);
    if (std::exchange(said[settings.key_file], readers) == readers) return;
  }
  if (readers.empty()) return;
  const auto end = settings.key_file.find_last_of("/\\");
  base::log_warn("others can read the private key, and speak for this server; take that right from its folder and the file",
                 {{"folder", end == std::string::npos ? "." : settings.key_file.substr(0, std::max<std::size_t>(end, 1))},
                  {"key_file", settings.key_file},
                  {"readers", readers}});
}

/// Which clients' certificates are good enough; belongs to its context.
struct ClientCheck {
  bool verifies = false;
  std::optional<std::vector<std::string>> allowed_sans;
};

int version(config::TlsVersion wanted) {
  switch (wanted) {
    case config::TlsVersion::kTls10: return TLS1_VERSION;
    case config::TlsVersion::kTls11: return TLS1_1_VERSION;
    case config::TlsVersion::kTls12: return TLS1_2_VERSION;
    case config::TlsVersion::kTls13: return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

base::Result<Files> read_files(const config::TlsServer& settings, base::FileSystem& files) {
  Files result;
  struct Source {
    const std::string& path;
    const std::string& text;
    const char* name;
    Pem& to;
  };
  for (const auto& [path, text, name, to] :
       {Source{settings.cert_file, settings.cert, "cert", result.cert},
        Source{settings.key_file, settings.key, "key", result.key},
        Source{settings.client_ca_file, settings.client_ca, "client_ca", result.client_ca}}) {
    to = {path.empty() ? name : path, text};
    if (path.empty()) continue;
    auto read = base::read_file(files, path, kMaxFileBytes);
    if (!read) return read.error();
    to.text = std::move(*read);
  }
  return result;
}

base::Result<void> use_client_ca(SSL_CTX* context, const config::TlsServer& settings, const Pem& from) {
  const bool verifies = settings.client_auth >= config::ClientAuth::kVerifyClientCertIfGiven;
  if (settings.client_ca_file.empty() && settings.client_ca.empty()) {
    if (verifies && !use_system_authorities(context)) return openssl_error("the system's certificate authorities");
    return {};
  }
  const auto authorities = read_authorities(from);
  if (!authorities) return authorities.error();
  for (const auto& certificate : *authorities) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1 ||
        SSL_CTX_add_client_CA(context, certificate.get()) != 1) {
      return openssl_error(from.name);
    }
  }
  return {};
}

base::Result<void> use_cipher_suites(SSL_CTX* context, const config::TlsServer& settings) {
  std::string names;
  for (const auto& suite : settings.cipher_suites) {
    // Those of TLS 1.3 cannot be chosen, as in Go.
    const std::string_view name = OPENSSL_cipher_name(suite.c_str());
    if (name == "(NONE)") return base::Error{base::ErrorCode::kInvalid, "cipher suite " + suite + " is not supported"};
    if (!name.starts_with("TLS_")) names.append(names.empty() ? "" : ":").append(name);
  }
  // OpenSSL 3 counts the signatures of TLS 1.0 and 1.1 as too weak at any level above 0.
  const bool old = settings.min_version < config::TlsVersion::kTls12;
  if (names.empty()) names.append(kSuites).append(old ? kOldSuites : "");
  if (old) names += ":@SECLEVEL=0";
  if (SSL_CTX_set_cipher_list(context, names.c_str()) != 1) return openssl_error("cipher_suites");
  std::string curves;
  for (const auto& curve : settings.curves) curves.append(curves.empty() ? "" : ":").append(curve);
  if (!curves.empty() && SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) return openssl_error("curve_preferences");
  return {};
}

bool is_named(X509* certificate, const std::string& san) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const std::unique_ptr<ASN1_OCTET_STRING, Freed<ASN1_OCTET_STRING_free>> address(a2i_IPADDRESS(san.c_str()));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_IPADD && address != nullptr && ASN1_OCTET_STRING_cmp(name->d.iPAddress, address.get()) == 0)
      return true;
    if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI) continue;
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5));
    if (std::string_view(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5))) == san) return true;
  }
  return false;
}

/// In place of OpenSSL's own check of a client's certificate.
int check_client(X509_STORE_CTX* store, void*) {
  const auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* const check = static_cast<const ClientCheck*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (check->verifies && X509_verify_cert(store) != 1) return 0;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  if (!check->allowed_sans) return 1;
  const auto& sans = *check->allowed_sans;
  X509* const own = X509_STORE_CTX_get0_cert(store);
  if (std::any_of(sans.begin(), sans.end(), [own](const auto& san) { return is_named(own, san); })) return 1;
  ERR_clear_error();
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

int verify_mode(config::ClientAuth auth) {
  switch (auth) {
    case config::ClientAuth::kNoClientCert: break;
    case config::ClientAuth::kRequestClientCert:
    case config::ClientAuth::kVerifyClientCertIfGiven: return SSL_VERIFY_PEER;
    case config::ClientAuth::kRequireAnyClientCert:
    case config::ClientAuth::kRequireAndVerifyClientCert: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

/// Whether anyone could come in: each setting is fine by itself where certificate, suites, curves and versions leave
/// nothing together. Tried by a client that takes whatever there is. Before clients' certificates are asked for.
base::Result<void> try_handshake(SSL_CTX* server, const std::string& name) {
  constexpr int kMostRounds = 1000, kMostCertificateBytes = 1 << 24;
  const Context any(SSL_CTX_new(TLS_client_method()));
  if (!any || SSL_CTX_set_min_proto_version(any.get(), TLS1_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(any.get(), "ALL:@SECLEVEL=0") != 1) {
    return openssl_error("TLS");
  }
  SSL_CTX_set_max_cert_list(any.get(), kMostCertificateBytes);
  const Ssl here(SSL_new(server)), there(SSL_new(any.get()));
  BIO *of_here = nullptr, *of_there = nullptr;
  if (!here || !there || BIO_new_bio_pair(&of_here, 0, &of_there, 0) != 1) return openssl_error("TLS");
  SSL_set_bio(here.get(), of_here, of_here);
  SSL_set_bio(there.get(), of_there, of_there);
  SSL_set_accept_state(here.get());
  SSL_set_connect_state(there.get());
  for (int round = 0; round < kMostRounds; ++round) {
    for (SSL* const side : {there.get(), here.get()}) {
      const int done = SSL_do_handshake(side);
      const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(side, done);
      if (error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) continue;
      return openssl_error(name +
                           ": no client could come in with this certificate and these cipher_suites, "
                           "curve_preferences and versions");
    }
    if (SSL_is_init_finished(here.get()) == 1 && SSL_is_init_finished(there.get()) == 1) break;
  }
  ERR_clear_error();
  return {};
}

/// A context and what its sessions ask while they live.
struct Ready {
  ClientCheck check;
  Context context;
};

base::Result<std::shared_ptr<Ready>> make_ready(const config::TlsServer& settings, const Files& files) {
  ERR_clear_error();
  auto ready = std::make_shared<Ready>();
  ready->check = {settings.client_auth >= config::ClientAuth::kVerifyClientCertIfGiven, settings.client_allowed_sans};
  ready->context.reset(SSL_CTX_new(TLS_server_method()));
  if (!ready->context) return openssl_error("TLS");
  const auto raw = ready->context.get();
  if (SSL_CTX_set_min_proto_version(raw, version(settings.min_version)) != 1 ||
      SSL_CTX_set_max_proto_version(raw, version(settings.max_version)) != 1) {
    return openssl_error("min_version or max_version");
  }
  // No resumption: sessions would cost memory, tickets a key to keep secret, and a scraper keeps its connection.
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  if (settings.prefer_server_cipher_suites) SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (auto used = use_cipher_suites(raw, settings); !used) return used.error();

  const bool old = settings.min_version < config::TlsVersion::kTls12;
  const auto pair = read_key_pair(files.cert, files.key, old ? kFewestOldRsaBits : kFewestRsaBits);
  if (!pair) return pair.error();
  if (SSL_CTX_use_certificate(raw, pair->chain[0].get()) != 1) return openssl_error(files.cert.name);
  for (std::size_t i = 1; i < pair->chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(raw, pair->chain[i].get()) != 1)
      return openssl_error(files.cert.name + ": certificate " + std::to_string(i + 1) + " of the file");
  }
  if (SSL_CTX_use_PrivateKey(raw, pair->key.get()) != 1) return openssl_error(files.key.name);
  if (const auto fault = fault_of_dates(pair->chain[0].get()); !fault.empty())
    base::log_warn("clients will refuse the TLS certificate", {{"certificate", files.cert.name}, {"reason", fault}});

  if (auto tried = try_handshake(raw, files.cert.name); !tried) return tried.error();
  if (auto used = use_client_ca(raw, settings, files.client_ca); !used) return used.error();
  SSL_CTX_set_app_data(raw, &ready->check);
  SSL_CTX_set_cert_verify_callback(raw, check_client, nullptr);
  SSL_CTX_set_verify(raw, verify_mode(settings.client_auth), nullptr);
  return ready;
}

class OpensslSession final : public TlsSession {
 public:
  explicit OpensslSession(std::shared_ptr<Ready> ready)
      : ready_(std::move(ready)), ssl_(SSL_new(ready_->context.get())), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    // The session owns both from here.
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
  }

  bool receive(std::string_view cipher, std::string& plain, std::string& out) override {
    ERR_clear_error();
    BIO_write(in_, cipher.data(), static_cast<int>(cipher.size()));
    std::array<char, 4096> buffer;
    int count = 0;
    while ((count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
      plain.append(buffer.data(), static_cast<std::size_t>(count));
    }
    const bool goes_on = SSL_get_error(ssl_.get(), count) == SSL_ERROR_WANT_READ;
    take(out);
    return goes_on;
  }

  bool send(std::string_view plain, std::string& out) override {
    if (SSL_is_init_finished(ssl_.get()) != 1) return false;
    ERR_clear_error();
    // A page of megabytes at once, for growing by halves would hold it twice.
    out.reserve(out.size() + plain.size() + (plain.size() / kPieceBytes + 1) * kRecordBytes);
    while (!plain.empty()) {
      const auto piece = plain.substr(0, kPieceBytes);
      if (SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size())) <= 0) return false;
      take(out);
      plain.remove_prefix(piece.size());
    }
    return true;
  }

  void finish(std::string& out) override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    take(out);
  }

 private:
  void take(std::string& out) {
    std::array<char, 4096> buffer;
    int count = 0;
    while ((count = BIO_read(out_, buffer.data(), static_cast<int>(buffer.size()))) > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  const std::shared_ptr<Ready> ready_;
  Ssl ssl_;
  BIO* in_;
  BIO* out_;
};

class OpensslContext final : public TlsContext {
 public:
  OpensslContext(config::TlsServer settings, base::FileSystem& files, Files content, std::shared_ptr<Ready> ready)
      : settings_(std::move(settings)), files_(files), content_(std::move(content)), ready_(std::move(ready)) {}

  std::unique_ptr<TlsSession> open() override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<OpensslSession>(ready_);
  }

  base::Result<void> refresh() override {
    const std::lock_guard refreshing(refresh_mutex_);
    base::FollowedFiles followed(files_);
    auto content = read_files(settings_, followed);
    if (content && *content == content_) {
      if (!last_error_.empty()) base::log_info("the TLS files can be used again");
      last_error_.clear();
      return {};
    }
    auto ready = content ? make_ready(settings_, *content) : base::Result<std::shared_ptr<Ready>>(content.error());
    if (!ready) {
      // A certificate and its key cannot be replaced at one instant: between the two they do not fit.
      if (ready.error().message != last_error_) {
        base::log_warn("the TLS files changed and cannot be used, the old ones stay", {{"error", ready.error().message}});
      }
      last_error_ = ready.error().message;
      return ready.error();
    }
    base::log_info("the TLS files changed and are in use");
    warn_of_readers(settings_);
    last_error_.clear();
    content_ = std::move(*content);
    const std::lock_guard lock(mutex_);
    ready_ = std::move(*ready);
    return {};
  }

 private:
  const config::TlsServer settings_;
  base::FileSystem& files_;
  std::mutex refresh_mutex_;  // content_ and last_error_
  Files content_;
  std::string last_error_;
  std::mutex mutex_;  // ready_
  std::shared_ptr<Ready> ready_;
};

}  // namespace

base::Result<std::unique_ptr<TlsContext>> TlsContext::load(const config::TlsServer& settings, base::FileSystem& files) {
  auto content = read_files(settings, files);
  if (!content) return content.error();
  auto ready = make_ready(settings, *content);
  if (!ready) return ready.error();
  warn_of_readers(settings);
  return std::unique_ptr<TlsContext>(std::make_unique<OpensslContext>(settings, files, std::move(*content), std::move(*ready)));
}

}  // namespace kmem::http
