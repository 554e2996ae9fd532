// Stage 6: the bytes of a request's head -> RequestHead, or the refusal to answer with. Strict where leniency would let
// two readers disagree about where a request ends (RFC 9112 2.2, 5, 6): no bare LF or CR, no folded lines, no second
// Content-Length or Host, no control characters. Bodies are never accepted.
// Thread: values, no shared state. Failure: a Refusal, as early as the offending byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kmem::http {

/// Why a request gets no answer of a handler. `reason` is a metrics label, `text` is for the client.
struct Refusal {
  int status = 0;
  std::string_view reason;
  std::string_view text;
};

struct RequestHead {
  std::size_t size_bytes = 0;  // of the whole head in the buffer, blank line included
  bool head = false;           // HEAD, else GET
  bool keep_alive = false;     // what the client asks for
  bool version_1_0 = false;
  std::string target;  // origin form: "/path?query", still percent-encoded
  std::string host;    // of the Host header, or the target's own authority
  std::string accept, accept_encoding, if_none_match, authorization, scrape_timeout;
};

class HeadScanner {
 public:
  enum class State { kMore, kComplete, kRefused };

  explicit HeadScanner(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// `buffer` starts at the head's first byte and only grows between calls; each byte is looked at once.
  State scan(std::string_view buffer);

  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  [[nodiscard]] const RequestHead& head() const { return head_; }
  [[nodiscard]] bool started() const { return position_ > 0; }

 private:
  State refuse(int status, std::string_view reason, std::string_view text);
  State request_line(std::string_view line);
  State header(std::string_view line);
  State finish();

  std::size_t max_bytes_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::size_t lines_ = 0;
  State state_ = State::kMore;
  Refusal refusal_;
  RequestHead head_;
  bool method_known_ = false;
  bool has_host_ = false;
  bool has_authority_ = false;
  bool has_length_ = false;
  bool has_body_ = false;
  bool has_transfer_encoding_ = false;
  bool asks_close_ = false;
  bool asks_keep_alive_ = false;
};

}  // namespace kmem::http
