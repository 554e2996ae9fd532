// Stage 6: TLS over memory: ciphertext in, plaintext out and back, never a socket. Only tls*.cpp know OpenSSL; a build
// without it has tls_absent.cpp, which refuses a configuration that wants TLS.
// Thread: a TlsSession belongs to one thread; TlsContext's calls are safe from any. Failure: load() says which file and
// why; a session that fails is to be closed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "config/web_security.h"

namespace kmem::http {

class TlsSession {
 public:
  virtual ~TlsSession() = default;

  /// Takes what the peer sent; appends what it says to `plain` and what is to be sent back to `out`.
  /// False: failed or ended by the peer; `out` may hold a last alert.
  virtual bool receive(std::string_view cipher, std::string& plain, std::string& out) = 0;
  /// False before the handshake is complete.
  virtual bool send(std::string_view plain, std::string& out) = 0;
  virtual void finish(std::string& out) = 0;
};

class TlsContext {
 public:
  virtual ~TlsContext() = default;

  static base::Result<std::unique_ptr<TlsContext>> load(const config::TlsServer& settings, base::FileSystem& files);

  virtual std::unique_ptr<TlsSession> open() = 0;
  /// Reads the files again; later sessions use what changed. Bad files change nothing, are logged once and are the Error.
  virtual base::Result<void> refresh() = 0;
};

}  // namespace kmem::http
