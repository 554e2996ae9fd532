// Stage 6: one checked request head -> the bytes of its answer, by httplib's parser, routing and formatting. The only
// user of httplib, which never sees a socket: it reads the head from memory and writes into memory.
// Thread: one Responder a thread. Failure: what a handler throws becomes a 500.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/http/request_head.h"
#include "exporter/http/server.h"

namespace kmem::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  std::string bytes;
  std::string_view handler;  // the route's name
  int status = 0;
};

class Responder {
 public:
  /// `routes` outlive the responder.
  explicit Responder(const std::vector<Route>& routes);
  ~Responder();

  /// `extra` headers go with every answer that has not its own of that name; of two policies both hold. `at_once`: the
  /// status may be kNotAtOnce, and there is no answer then.
  Answer answer(const RequestHead& head, const std::string& remote, bool close, const Headers& extra, bool at_once = false);

 private:
  class Httplib;
  std::unique_ptr<Httplib> httplib_;
};

/// The guard's own short answers, which cost no worker. Always closes.
std::string refusal_answer(const Refusal& refusal, bool with_body, const Headers& extra);

}  // namespace kmem::http
