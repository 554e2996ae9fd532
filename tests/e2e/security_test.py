"""TLS and basic authentication of the shipped program, by a web configuration file."""
import base64
import http.client
import os
import ssl
import subprocess
import unittest

from harness import Case, Exporter, Page, run

# A published bcrypt test vector: the password is U*U.
USERS = "basic_auth_users:\n  prometheus: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n"


def credentials(password):
    return {"Authorization": "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()}


class Security(Case):
    def certificate(self):
        key, cert = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return cert

    def test_passwords(self):
        web = self.file("web.yml", USERS)
        with Exporter(f"--web.config.file={web}") as exporter:
            status, headers, _ = exporter.get("/metrics")
            self.assertEqual(status, 401)
            self.assertIn("Basic", headers["WWW-Authenticate"])
            self.assertEqual(exporter.get("/metrics", credentials("wrong"))[0], 401)
            status, _, body = exporter.get("/metrics", credentials("U*U"))
            self.assertEqual(status, 200)
            self.assertGreaterEqual(Page(body.decode()).value("kmem_exporter_guard_rejections_total",
                                                              reason="unauthorized"), 2)

    def test_tls(self):
        cert = self.certificate()
        web = self.file("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
        self.assertEqual(run("check-config", self.file("kmem.yml", "web:\n  config_file: web.yml\n")).returncode, 0)
        with Exporter(f"--web.config.file={web}") as exporter:
            context = ssl.create_default_context(cafile=cert)
            connection = http.client.HTTPSConnection("127.0.0.1", exporter.port, context=context, timeout=40)
            connection.request("GET", "/metrics")
            self.assertTrue(Page(connection.getresponse().read().decode()).has("kmem_commit_bytes"))
            self.assertIn(connection.sock.version(), ("TLSv1.2", "TLSv1.3"))
            connection.close()
            # Plain HTTP to a TLS port gets no page.
            with self.assertRaises((http.client.HTTPException, OSError)):
                status, _, _ = exporter.get("/metrics")
                self.assertNotEqual(status, 200)
                raise OSError

    def test_a_bad_web_configuration_stops_the_start(self):
        for text, expected in (("tls_server_config:\n  cert_file: none.pem\n  key_file: none.pem\n", "none.pem"),
                               ("basic_auth_user:\n  a: b\n", "basic_auth_users"),
                               ("basic_auth_users:\n  a: plain\n", "bcrypt")):
            done = run("serve", f"--web.config.file={self.file('web.yml', text)}", "--web.listen-address=127.0.0.1:0",
                       timeout=80)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
