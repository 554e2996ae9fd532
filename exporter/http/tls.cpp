#include "exporter/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "collectors/base/log.h"

namespace kmem::http {
namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freed<SSL_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

constexpr std::size_t kMaxFileBytes = 1024 * 1024;
// Records below their 16 KiB, because the buffer of the largest one stays with its connection.
constexpr std::size_t kPieceBytes = 4096;

struct Files {
  std::string cert, key, client_ca;
  bool operator==(const Files&) const = default;
};

base::Error failed(const std::string& what) {
  const auto code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return {base::ErrorCode::kInvalid, what + ": " + (reason == nullptr ? "not usable" : reason)};
}

Bio memory(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Certificate next_certificate(BIO* from) { return Certificate(PEM_read_bio_X509(from, nullptr, nullptr, nullptr)); }

/// Never asks the terminal for the password of an encrypted key.
int no_password(char*, int, int, void*) { return 0; }

int accept_any(int, X509_STORE_CTX*) { return 1; }

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
  for (const auto& [path, content] : {std::pair(&settings.cert_file, &result.cert),
                                      std::pair(&settings.key_file, &result.key),
                                      std::pair(&settings.client_ca_file, &result.client_ca)}) {
    if (path->empty()) continue;
    auto read = base::read_file(files, *path, kMaxFileBytes);
    if (!read) return read.error();
    *content = std::move(*read);
  }
  return result;
}

base::Result<void> use_client_ca(SSL_CTX* context, const config::TlsServer& settings, const std::string& text) {
  if (text.empty()) return {};
  const auto pem = memory(text);
  int count = 0;
  while (const auto certificate = next_certificate(pem.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1 ||
        SSL_CTX_add_client_CA(context, certificate.get()) != 1) {
      return failed(settings.client_ca_file);
    }
    ++count;
  }
  if (count == 0) return failed(settings.client_ca_file + ": no certificate in it");
  ERR_clear_error();  // of the end of the file
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
  if (names.empty() && old) names = "DEFAULT";
  if (old) names += ":@SECLEVEL=0";
  if (!names.empty() && SSL_CTX_set_cipher_list(context, names.c_str()) != 1) return failed("cipher_suites");
  return {};
}

base::Result<Context> make_context(const config::TlsServer& settings, const Files& files) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return failed("TLS");
  const auto raw = context.get();
  if (SSL_CTX_set_min_proto_version(raw, version(settings.min_version)) != 1 ||
      SSL_CTX_set_max_proto_version(raw, version(settings.max_version)) != 1) {
    return failed("min_version or max_version");
  }
  // No resumption: sessions would cost memory, tickets a key to keep secret, and a scraper keeps its connection.
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  if (settings.prefer_server_cipher_suites) SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (auto used = use_cipher_suites(raw, settings); !used) return used.error();

  const auto pem = memory(files.cert);
  const auto leaf = next_certificate(pem.get());
  if (!leaf || SSL_CTX_use_certificate(raw, leaf.get()) != 1) return failed(settings.cert_file);
  while (auto link = next_certificate(pem.get())) {
    if (SSL_CTX_add0_chain_cert(raw, link.get()) != 1) return failed(settings.cert_file);
    static_cast<void>(link.release());
  }
  ERR_clear_error();
  const auto key_pem = memory(files.key);
  const Key key(PEM_read_bio_PrivateKey(key_pem.get(), nullptr, no_password, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(raw, key.get()) != 1) return failed(settings.key_file);

  if (auto used = use_client_ca(raw, settings, files.client_ca); !used) return used.error();
  switch (settings.client_auth) {
    case config::ClientAuth::kNoClientCert:
      break;
    case config::ClientAuth::kRequestClientCert:
      SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, accept_any);
      break;
    case config::ClientAuth::kRequireAnyClientCert:
      SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
      break;
    case config::ClientAuth::kVerifyClientCertIfGiven:
      SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
      break;
    case config::ClientAuth::kRequireAndVerifyClientCert:
      SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      break;
  }
  return context;
}

class OpensslSession final : public TlsSession {
 public:
  explicit OpensslSession(SSL_CTX* context)
      : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
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

  Ssl ssl_;
  BIO* in_;
  BIO* out_;
};

class OpensslContext final : public TlsContext {
 public:
  OpensslContext(config::TlsServer settings, base::FileSystem& files, Files content, Context context)
      : settings_(std::move(settings)), files_(files), content_(std::move(content)), context_(std::move(context)) {}

  std::unique_ptr<TlsSession> open() override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<OpensslSession>(context_.get());
  }

  void refresh() override {
    const std::lock_guard refreshing(refresh_mutex_);
    auto content = read_files(settings_, files_);
    if (content && *content == content_) return;
    auto context = content ? make_context(settings_, *content) : base::Result<Context>(content.error());
    if (!context) {
      // A certificate and its key cannot be replaced at one instant: between the two they do not fit.
      if (context.error().message != last_error_) {
        base::log_warn("the TLS files changed and cannot be used, the old ones stay", {{"error", context.error().message}});
      }
      last_error_ = context.error().message;
      return;
    }
    base::log_info("the TLS files changed and are in use");
    last_error_.clear();
    content_ = std::move(*content);
    const std::lock_guard lock(mutex_);
    context_ = std::move(*context);
  }

 private:
  const config::TlsServer settings_;
  base::FileSystem& files_;
  std::mutex refresh_mutex_;  // content_ and last_error_
  Files content_;
  std::string last_error_;
  std::mutex mutex_;          // context_
  Context context_;
};

}  // namespace

base::Result<std::unique_ptr<TlsContext>> TlsContext::load(const config::TlsServer& settings, base::FileSystem& files) {
  auto content = read_files(settings, files);
  if (!content) return content.error();
  auto context = make_context(settings, *content);
  if (!context) return context.error();
  return std::unique_ptr<TlsContext>(
      std::make_unique<OpensslContext>(settings, files, std::move(*content), std::move(*context)));
}

}  // namespace kmem::http
