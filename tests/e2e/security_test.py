"""TLS and basic authentication of the shipped program, by a web configuration file."""
import base64
import http.client
import json
import os
import ssl
import subprocess
import unittest
import urllib.request

from harness import WINDOWS, Case, Exporter, Page, free_port, path_for_exe, run, wait_until

# A published bcrypt test vector: the password is U*U.
USERS = "basic_auth_users:\n  prometheus: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n"


def credentials(password):
    return {"Authorization": "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()}


class Security(Case):
    def certificate(self, name=""):
        key, cert = os.path.join(self.folder, name + "key.pem"), os.path.join(self.folder, name + "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", f"/CN={name or 'localhost'}",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return cert

    def test_passwords(self):
        web = self.file("web.yml", USERS)
        with Exporter(f"--web.config.file={path_for_exe(web)}") as exporter:
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
        self.assertEqual(run("check-config", path_for_exe(self.file("kmem.yml", "web:\n  config_file: web.yml\n"))).returncode, 0)
        with Exporter(f"--web.config.file={path_for_exe(web)}") as exporter:
            context = ssl.create_default_context(cafile=cert)
            connection = http.client.HTTPSConnection("127.0.0.1", exporter.port, context=context, timeout=40)
            connection.request("GET", "/metrics")
            self.assertTrue(Page(connection.getresponse().read().decode()).has("kmem_commit_bytes"))
            self.assertEqual(connection.sock.version(), "TLSv1.3")
            connection.close()
            # Plain HTTP to a TLS port gets no page.
            with self.assertRaises((http.client.HTTPException, OSError)):
                status, _, _ = exporter.get("/metrics")
                self.assertNotEqual(status, 200)
                raise OSError

    def test_certificates_and_who_may_come_change_while_it_runs(self):
        own = self.certificate("client-")
        web = self.file("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
        cert = self.certificate()

        def scrape(with_own):
            context = ssl.create_default_context(cafile=cert)
            if with_own:
                context.load_cert_chain(own, os.path.join(self.folder, "client-key.pem"))
            connection = http.client.HTTPSConnection("127.0.0.1", exporter.port, context=context, timeout=40)
            try:
                connection.request("GET", "/metrics")
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None
            finally:
                connection.close()
        with Exporter(f"--web.config.file={path_for_exe(web)}") as exporter:
            self.assertEqual(scrape(False), 200)
            first = ssl.get_server_certificate(("127.0.0.1", exporter.port))
            self.certificate()  # in the place of the first
            with open(cert) as file:
                second = file.read()
            self.assertNotEqual(first, second)
            wait_until(lambda: ssl.get_server_certificate(("127.0.0.1", exporter.port)) == second, 20, "the new certificate is served")
            self.assertEqual(scrape(False), 200)
            self.file("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
                                 "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client-cert.pem\n")
            wait_until(lambda: scrape(False) is None, 20, "who has no certificate is refused")
            self.assertEqual(scrape(True), 200)

    def test_prometheus_scrapes_over_tls_with_a_certificate_of_its_own(self):
        cert, own = self.certificate(), self.certificate("prometheus-")
        web = self.file("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
                                   "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: prometheus-cert.pem\n")
        port = free_port()
        with Exporter(f"--web.config.file={path_for_exe(web)}") as exporter:
            config = f"""
global: {{scrape_interval: 3s, scrape_timeout: 3s}}
scrape_configs:
  - job_name: known
    scheme: https
    tls_config: {{ca_file: {cert}, cert_file: {own}, key_file: {self.folder}/prometheus-key.pem}}
    static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]
  - job_name: unknown
    scheme: https
    tls_config: {{ca_file: {cert}}}
    static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]
"""

            def values(query):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={query}", timeout=40) as answer:
                    return {row["metric"]["job"]: float(row["value"][1]) for row in json.load(answer)["data"]["result"]}
            self.start_prometheus(os.path.join(self.folder, "data"), port,
                                  lambda: values("kmem_commit_bytes").get("known"), config=config)
            wait_until(lambda: values("up") == {"known": 1, "unknown": 0}, 20, "one comes in, the other does not")
            self.assertGreater(values("kmem_commit_bytes")["known"], 0)

    def test_a_key_that_others_can_read_is_a_warning_that_names_its_folder(self):
        self.certificate()
        web = self.file("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
        os.chmod(self.folder, 0o755)
        for mode, warned in ((0o644, True), (0o600, False)):
            os.chmod(os.path.join(self.folder, "key.pem"), mode)
            with Exporter(f"--web.config.file={path_for_exe(web)}") as exporter:
                told = [line for line in exporter.log_lines if "others can read the private key" in line]
                self.assertEqual(bool(told), warned, exporter.log)
                for line in told:
                    self.assertIn("level=warn", line)
                    self.assertIn(os.path.basename(self.folder), line)
                    self.assertIn("readers=Everyone" if WINDOWS else 'readers="all users"', line)

    def test_a_bad_web_configuration_stops_the_start(self):
        for text, expected in (("tls_server_config:\n  cert_file: none.pem\n  key_file: none.pem\n", "none.pem"),
                               ("basic_auth_user:\n  a: b\n", "basic_auth_users"),
                               ("basic_auth_users:\n  a: plain\n", "bcrypt")):
            done = run("serve", f"--web.config.file={path_for_exe(self.file('web.yml', text))}", "--web.listen-address=127.0.0.1:0",
                       timeout=80)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
