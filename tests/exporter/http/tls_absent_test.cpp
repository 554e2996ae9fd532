#include "tests/exporter/http/server_fixture.h"

namespace kmem::http {
namespace {

TEST_F(HttpServerTest, ABuildWithoutTlsRefusesAConfigurationThatWantsIt) {
  config::WebSecurity security;
  security.tls = config::TlsServer{};
  Server server(web_, {}, observer_, clock_, security);
  EXPECT_EQ(server.start().error().message, "the web configuration wants TLS, and this build has none");
}

}  // namespace
}  // namespace kmem::http
