"""Web configuration files by the measure of exporter-toolkit itself, which is built here: the same file starts or does
not, and the same requests get the same answers. Where it is otherwise on purpose, DIFFERENT says why.

Skipped where there is no Go, or where neither its module cache nor its proxy has the toolkit."""
import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.environ["KMEM_TOOLS"]
HASH = "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"  # of sesame
HEADERS = ("X-Frame-Options", "Strict-Transport-Security", "X-XSS-Protection", "Content-Security-Policy",
           "WWW-Authenticate")

SAFER = "refused, because what was meant is not what would happen"
NO_HTTP2 = "the toolkit serves nothing where HTTP/2 lacks its AES_128_GCM suite; there is no HTTP/2 here"
NO_CBC = "suites with CBC are offered only where the file names them"
ONE_DOCUMENT = "one document is expected; the toolkit reads the first"
NO_HASH = "no client came in by it where bcrypt is as it was meant; told instead"
# variant -> why the answers differ. A variant that is listed and does not differ is a fault, too.
DIFFERENT = {
    "tls/empty cert_file": "an empty value is told; the toolkit takes it for none and serves plain HTTP",
    "tls/only min_version": SAFER + ": the toolkit serves plain HTTP",
    "tls/only cipher_suites": SAFER + ": the toolkit serves plain HTTP",
    "tls/only curves": SAFER + ": the toolkit serves plain HTTP",
    "tls/only sans": SAFER + ": the toolkit serves plain HTTP",
    "tls/rsa 1024": "OpenSSL and browsers refuse such keys",
    "tls/both cert and cert_file": SAFER + ": one of the two is not used",
    "tls/both key and key_file": SAFER + ": one of the two is not used",
    "tls/bom": "a byte order mark before PEM does no harm",
    "tls/garbage after the chain": "a file with a broken certificate in it is damaged",
    "ca/RequestClientCert/file without certificate": SAFER + ": no authority is in it",
    "ca/RequireAnyClientCert/file without certificate": SAFER + ": no authority is in it",
    "ca/RequireClientCert/file without certificate": SAFER + ": no authority is in it",
    "ca/VerifyClientCertIfGiven/file without certificate": SAFER + ": no client could come in",
    "ca/RequireAndVerifyClientCert/file without certificate": SAFER + ": no client could come in",
    "ca/both client_ca and client_ca_file": SAFER + ": one of the two is not used",
    "sans/without client_auth_type": SAFER + ": nobody is asked for a certificate, so everyone comes in",
    "sans/NoClientCert": SAFER + ": nobody is asked for a certificate, so everyone comes in",
    "sans/none of them": SAFER + ": no client could come in",
    "sans/VerifyClientCertIfGiven": "the toolkit panics when none is given, which ends that connection",
    "sans/RequestClientCert": "the toolkit panics when none is given, which ends that connection",
    "versions/min above max": SAFER + ": no client could come in",
    "headers/empty X-XSS-Protection": "an empty value is told",
    "headers/empty Content-Security-Policy": "an empty value is told",
    "users/cost 19": "a check would take a minute; told instead",
    "users/cost 31": "a check would take days; told instead",
    "users/garbage behind the cost": "no password fits such a hash; told instead",
    "users/too long": "no password fits such a hash; told instead",
    "users/$2x$": "a hash of a broken implementation; told instead",
    "users/empty name": "no client can send it; told instead",
    "users/colon in the name": "no client can send it; told instead",
    "rate/interval without burst": SAFER + ": every request would be refused",
    "rate/burst 0": SAFER + ": every request would be refused",
    "rate/negative interval": SAFER + ": it would limit nothing",
    "rate/negative burst": SAFER + ": every request would be refused",
    "rate/interval as number": "a number without unit is nanoseconds in Go, which nobody means",
    "yaml/anchor and alias": "anchors are not taken, in no file of this program",
    "yaml/tag": "tags are not taken, in no file of this program",
    "yaml/second document": ONE_DOCUMENT,
    "odd/no document twice": ONE_DOCUMENT,
    "odd/text behind the end": ONE_DOCUMENT,
    "odd/directive of 1.2": "files are YAML 1.2 here",
    "odd/a tab alone": "blanks alone are an empty file",
    "odd/lines end with CR": "no editor has written such files for 20 years; told instead",
    "odd/merge": "anchors and merges are not taken, in no file of this program",
    "odd/tag of a boolean": "tags are not taken, in no file of this program",
    "odd/max_version below the usual min_version": SAFER + ": no client could come in",
    "odd/user without name": "no client can send it; told instead",
    "odd/$2$": NO_HASH, "odd/$2c$": NO_HASH, "odd/blank behind the hash": NO_HASH, "odd/line end behind the hash": NO_HASH,
    "odd/note behind the hash": NO_HASH,
    "odd/burst 1e0": "a number of requests is written without point and exponent",
    "odd/burst 2.0": "a number of requests is written without point and exponent",
    "odd/burst 08": "not a whole number in YAML 1.1, where 0 begins an octal one",
    "odd/interval -0s": "no limit is negative",
    "nothing/burst": SAFER + ": every request would be refused",
    "nothing in/cipher_suites": "an empty value is told",
    "nothing in/curve_preferences": "an empty value is told",
    "nothing in/client_allowed_sans": SAFER + ": nobody is asked for a certificate, so everyone comes in",
    **{f"nothing/header {name}": "an empty value is told" for name in
       ("X-XSS-Protection", "Strict-Transport-Security", "Content-Security-Policy")},
    **{f"empty text/{key}": "an empty value is told" for key in
       ("cert", "key", "client_ca", "client_ca_file", "client_auth_type")},
    "nothing/client_ca_file that is needed": SAFER + ": a certificate of any public authority would do",
    "rate/burst with fraction": "the toolkit cuts the fraction off; told instead",
    "tls/rsa 2048": NO_CBC,
    "suites/none": NO_CBC,
    "suites/TLS_AES_128_GCM_SHA256": NO_HTTP2,
    "suites/TLS_AES_256_GCM_SHA384": NO_HTTP2,
    "suites/TLS_CHACHA20_POLY1305_SHA256": NO_HTTP2,
    "suites/TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": NO_HTTP2,
    "suites/TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": NO_HTTP2,
    "suites/TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": NO_HTTP2,
    "suites/TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": NO_HTTP2,
    "suites/TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": NO_HTTP2,
    "suites/TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": NO_HTTP2,
    "suites/TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": NO_HTTP2,
    "suites/TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": NO_HTTP2,
}


def make_certificates(folder):
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=folder)

    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    for name in ("server", "other", "ca", "stranger"):
        openssl("req", "-x509", *ec, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=DNS:agent.example,IP:10.0.0.1")
    openssl("req", *ec[:-2], "-keyout", "known.key", "-out", "known.csr", "-subj", "/CN=known",
            "-addext", "subjectAltName=DNS:agent.example,IP:10.0.0.1,URI:spiffe://a/b,email:a@example.org")
    openssl("x509", "-req", "-in", "known.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-copy_extensions", "copy", "-out", "known.crt")
    for bits in (1024, 2048):
        openssl("req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-days", "2", "-keyout", f"rsa{bits}.key", "-out",
                f"rsa{bits}.crt", "-subj", "/CN=rsa")
    openssl("x509", "-in", "server.crt", "-outform", "der", "-out", "der.crt")
    openssl("pkey", "-in", "server.key", "-outform", "der", "-out", "der.key")
    openssl("pkey", "-in", "server.key", "-aes128", "-passout", "pass:x", "-out", "encrypted.key")

    def put(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)

    def got(name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()

    put("bom.crt", b"\xef\xbb\xbf" + got("server.crt"))
    put("utf16.crt", got("server.crt").decode().encode("utf-16"))
    put("utf16.key", got("server.key").decode().encode("utf-16"))
    put("empty", b"")
    put("nonsense", b"nonsense\n")
    put("chain.crt", got("server.crt") + got("ca.crt"))
    put("wrong_order.crt", got("ca.crt") + got("server.crt"))
    put("garbage_after.crt", got("server.crt") + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    put("text_before.crt", b"some words\n" + got("server.crt"))
    put("crlf.crt", got("server.crt").replace(b"\n", b"\r\n"))
    put("cut.crt", got("server.crt")[:200])
    put("both.pem", got("server.crt") + got("server.key"))
    return {name: got(name).decode() for name in ("server.crt", "server.key", "ca.crt")}


def variants(pem):
    """name -> text of a web configuration file"""
    out = {}

    def inline(key, text):
        return f"  {key}: |\n" + "".join(f"    {line}\n" for line in text.splitlines())

    pair = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
    # The text itself.
    for name, text in {
        "empty": "", "comment": "# nothing\n", "empty map": "{}\n", "null sections": "tls_server_config:\nbasic_auth_users:\n",
        "empty sections": "tls_server_config: {}\nhttp_server_config: {}\nbasic_auth_users: {}\nrate_limit: {}\n",
        "scalar": "yes\n", "list of nothing": "[]\n", "list": "[a]\n", "not yaml": "a: [\n", "tab": "http_server_config:\n\thttp2: true\n",
        "duplicate key": "basic_auth_users: {}\nbasic_auth_users: {}\n", "unknown key": "tls_config: {}\n",
        "unknown tls key": pair + "  certificate: x\n", "unknown http key": "http_server_config: {h2: true}\n",
        "unknown header": "http_server_config: {headers: {Server: x}}\n", "header in small letters": "http_server_config: {headers: {x-frame-options: deny}}\n",
        "unknown rate key": "rate_limit: {rate: 1}\n", "second document": "{}\n---\n{}\n", "yes for true": "http_server_config: {http2: yes}\n",
        "anchor and alias": f"basic_auth_users: {{a: &h '{HASH}', b: *h}}\n", "tag": f"basic_auth_users: {{a: !!str '{HASH}'}}\n",
        "section is a list": "basic_auth_users: [a]\n", "section is text": "tls_server_config: x\n",
        "http2 true": "http_server_config: {http2: true}\n", "http2 false": "http_server_config: {http2: false}\n",
        "http2 text": "http_server_config: {http2: maybe}\n", "crlf": "http_server_config:\r\n  http2: true\r\n",
    }.items():
        out["yaml/" + name] = text
    # Certificate and key.
    for name, (cert, key) in {
        "pair": ("server.crt", "server.key"), "rsa 2048": ("rsa2048.crt", "rsa2048.key"), "rsa 1024": ("rsa1024.crt", "rsa1024.key"),
        "key of another": ("server.crt", "other.key"), "key of another type": ("rsa2048.crt", "server.key"),
        "certificate of another type": ("server.crt", "rsa2048.key"), "swapped": ("server.key", "server.crt"),
        "der": ("der.crt", "der.key"), "der key": ("server.crt", "der.key"), "encrypted": ("server.crt", "encrypted.key"),
        "bom": ("bom.crt", "server.key"), "utf16": ("utf16.crt", "utf16.key"), "utf16 key": ("server.crt", "utf16.key"),
        "empty files": ("empty", "empty"), "nonsense": ("nonsense", "nonsense"), "absent": ("absent", "absent"), "folder": (".", "."),
        "chain": ("chain.crt", "server.key"), "wrong order": ("wrong_order.crt", "server.key"),
        "garbage after the chain": ("garbage_after.crt", "server.key"), "text before": ("text_before.crt", "server.key"),
        "crlf": ("crlf.crt", "server.key"), "cut": ("cut.crt", "server.key"), "both in one file": ("both.pem", "both.pem"),
    }.items():
        out["tls/" + name] = f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n"
    cert, key = inline("cert", pem["server.crt"]), inline("key", pem["server.key"])
    out["tls/inline"] = "tls_server_config:\n" + cert + key
    out["tls/inline cert, key file"] = "tls_server_config:\n" + cert + "  key_file: server.key\n"
    out["tls/both cert and cert_file"] = pair + cert
    out["tls/both key and key_file"] = pair + key
    out["tls/inline nonsense"] = "tls_server_config: {cert: x, key: y}\n"
    out["tls/empty cert_file"] = "tls_server_config: {cert_file: '', key_file: ''}\n"
    out["tls/without key"] = "tls_server_config: {cert_file: server.crt}\n"
    out["tls/without cert"] = "tls_server_config: {key_file: server.key}\n"
    out["tls/only min_version"] = "tls_server_config: {min_version: TLS12}\n"
    out["tls/only cipher_suites"] = "tls_server_config: {cipher_suites: [TLS_AES_128_GCM_SHA256]}\n"
    out["tls/only curves"] = "tls_server_config: {curve_preferences: [X25519]}\n"
    out["tls/only sans"] = "tls_server_config: {client_allowed_sans: [a]}\n"
    out["tls/only client_auth_type"] = "tls_server_config: {client_auth_type: RequireAnyClientCert}\n"
    for value in ("true", "false", "maybe"):
        out[f"tls/prefer_server_cipher_suites {value}"] = pair + f"  prefer_server_cipher_suites: {value}\n"
    # Clients' certificates.
    auths = ("NoClientCert", "RequestClientCert", "RequireAnyClientCert", "RequireClientCert", "VerifyClientCertIfGiven",
             "RequireAndVerifyClientCert")
    for auth in auths + ("Nonsense", "requireanyclientcert"):
        lines = pair + f"  client_auth_type: {auth}\n"
        out[f"ca/{auth}/system"] = lines
        out[f"ca/{auth}/file"] = lines + "  client_ca_file: ca.crt\n"
        if auth not in auths:
            continue
        out[f"ca/{auth}/inline"] = lines + inline("client_ca", pem["ca.crt"])
        out[f"ca/{auth}/file without certificate"] = lines + "  client_ca_file: nonsense\n"
        out[f"ca/{auth}/absent"] = lines + "  client_ca_file: absent\n"
    out["ca/file without type"] = pair + "  client_ca_file: ca.crt\n"
    out["ca/both client_ca and client_ca_file"] = (pair + "  client_auth_type: RequireAndVerifyClientCert\n"
                                                   "  client_ca_file: ca.crt\n" + inline("client_ca", pem["ca.crt"]))
    for auth in auths:
        ca = "  client_ca_file: ca.crt\n" if auth.startswith(("Verify", "RequireAndVerify")) else ""
        out["sans/" + auth] = pair + ca + f"  client_auth_type: {auth}\n  client_allowed_sans: [agent.example]\n"
    verify = pair + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  client_allowed_sans: "
    for name, sans in {"address": "[10.0.0.1]", "uri": "['spiffe://a/b']", "mail": "[a@example.org]", "other": "[other.example]",
                       "part of a name": "[agent]", "capital letters": "[Agent.example]", "common name": "[known]",
                       "none of them": "[]", "text": "agent.example"}.items():
        out["sans/" + name] = verify + sans + "\n"
    out["sans/without client_auth_type"] = pair + "  client_allowed_sans: [a]\n"
    # Versions, suites, curves.
    for low in ("TLS10", "TLS12", "TLS13"):
        for high in ("TLS12", "TLS13"):
            name = "min above max" if low == "TLS13" and high == "TLS12" else f"{low}..{high}"
            out["versions/" + name] = pair + f"  min_version: {low}\n  max_version: {high}\n"
    out["versions/unknown"] = pair + "  min_version: TLS14\n"
    out["versions/number"] = pair + "  min_version: 1.2\n"
    suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
              "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384",
              "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_NONSENSE", "ECDHE-ECDSA-AES128-GCM-SHA256"]
    for kind in ("ECDSA", "RSA"):
        suites += [f"TLS_ECDHE_{kind}_WITH_{rest}" for rest in
                   ("AES_128_CBC_SHA", "AES_256_CBC_SHA", "AES_128_GCM_SHA256", "AES_256_GCM_SHA384",
                    "CHACHA20_POLY1305_SHA256", "AES_128_CBC_SHA256")]
    for suite in suites:
        own = pair.replace("server.", "rsa2048.") if "ECDHE_RSA" in suite else pair
        out["suites/" + suite] = own + f"  max_version: TLS12\n  cipher_suites: [{suite}]\n"
    out["suites/text"] = pair + "  cipher_suites: TLS_AES_128_GCM_SHA256\n"
    out["suites/none"] = pair + "  cipher_suites: []\n"
    for curves in ("CurveP256", "CurveP384", "CurveP521", "X25519", "X25519, CurveP256", "P256", "X448", ""):
        out[f"curves/{curves}"] = pair + f"  curve_preferences: [{curves}]\n"
    # Headers.
    for name, header in {
        "deny": "X-Frame-Options: deny", "sameorigin": "X-Frame-Options: sameorigin", "DENY": "X-Frame-Options: DENY",
        "foo": "X-Frame-Options: foo", "nosniff": "X-Content-Type-Options: nosniff", "sniff": "X-Content-Type-Options: sniff",
        "hsts": "Strict-Transport-Security: max-age=31536000", "hsts nonsense": "Strict-Transport-Security: soon",
        "xss": "X-XSS-Protection: 1; mode=block", "csp": "Content-Security-Policy: default-src 'none'",
        "empty X-Frame-Options": "X-Frame-Options: ''", "empty X-XSS-Protection": "X-XSS-Protection: ''",
        "empty Content-Security-Policy": "Content-Security-Policy: ''",
    }.items():
        out["headers/" + name] = f"http_server_config:\n  headers:\n    {header}\n"
    out["headers/all"] = ("http_server_config:\n  headers:\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n"
                          f"    X-XSS-Protection: '0'\nbasic_auth_users:\n  alice: {HASH}\n")
    # Users.
    for name, value in {
        "one": HASH, "quoted": f"'{HASH}'", "2a": HASH.replace("$2y", "$2a"), "2b": HASH.replace("$2y", "$2b"),
        "$2x$": HASH.replace("$2y", "$2x"), "plain": "sesame", "short": HASH[:-2], "too long": HASH + "A",
        "garbage behind the cost": HASH[:7] + "!" * 53, "cost 3": HASH.replace("$04$", "$03$"), "cost 19": HASH.replace("$04$", "$19$"),
        "cost 31": HASH.replace("$04$", "$31$"), "cost 32": HASH.replace("$04$", "$32$"), "cost x": HASH.replace("$04$", "$0x$"),
        "empty": "''", "sha512": "$6$abc$def", "number": "1", "list": "[a]",
    }.items():
        out["users/" + name] = f"basic_auth_users:\n  alice: {value}\n"
    out["users/two"] = f"basic_auth_users:\n  bob: {HASH.replace('inwY', 'inwZ')}\n  alice: {HASH}\n"
    out["users/colon in the name"] = f"basic_auth_users:\n  'alice:x': {HASH}\n"
    out["users/empty name"] = f"basic_auth_users:\n  '': {HASH}\n"
    out["users/over tls"] = pair + f"basic_auth_users:\n  alice: {HASH}\n"
    # Rate limit.
    for name, value in {
        "3 an hour": "{burst: 3, interval: 1h}", "1 an hour": "{burst: 1, interval: 1h}", "many": "{burst: 100, interval: 1ms}",
        "compound": "{burst: 2, interval: 1h30m0.5s}", "burst without interval": "{burst: 1}",
        "interval without burst": "{interval: 1h}", "burst 0": "{burst: 0, interval: 1h}", "interval 0": "{burst: 1, interval: 0s}",
        "negative interval": "{burst: 1, interval: -1s}", "negative burst": "{burst: -1, interval: 1h}",
        "interval as number": "{burst: 1, interval: 5}", "interval in days": "{burst: 1, interval: 1d}",
        "burst as text": "{burst: few, interval: 1h}", "burst with fraction": "{burst: 1.5, interval: 1h}",
    }.items():
        out["rate/" + name] = f"rate_limit: {value}\n"
    out.update(odd_variants(pair))
    return out


def odd_variants(pair):
    """What YAML makes of nothing, of other spellings and of several lines."""
    out = {}
    for key in ("client_auth_type", "min_version", "max_version", "cipher_suites", "curve_preferences", "client_ca_file",
                "client_allowed_sans", "prefer_server_cipher_suites", "cert", "key", "client_ca"):
        out["nothing/" + key] = pair + f"  {key}:\n"
        out["a map/" + key] = pair + f"  {key}: {{}}\n"
        if key in ("cipher_suites", "curve_preferences", "client_allowed_sans"):
            out["nothing in/" + key] = pair + f"  {key}: [~]\n"
        else:
            out["empty text/" + key] = pair + f"  {key}: ''\n"
    out["nothing/client_ca_file that is needed"] = pair + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file:\n"
    out["nothing/http2"] = "http_server_config: {http2: }\n"
    out["nothing/headers"] = "http_server_config: {headers: ~}\n"
    out["nothing/burst"] = "rate_limit: {interval: 1h, burst: }\n"
    out["nothing/interval"] = "rate_limit: {interval: , burst: 2}\n"
    out["nothing/password"] = "basic_auth_users:\n  alice:\n"
    out["odd/curve twice"] = pair + "  curve_preferences: [X25519, X25519]\n"
    out["odd/max_version below the usual min_version"] = pair + "  max_version: TLS10\n"
    for header in ("X-Frame-Options", "X-XSS-Protection", "X-Content-Type-Options", "Strict-Transport-Security",
                   "Content-Security-Policy"):
        for name, value in {"nothing/header ": "", "a list/": "[a]", "a number/": "1", "a boolean/": "true", "blanks/": "' deny '",
                            "two lines/": '"a\\nb"', "a tab/": '"a\\tb"', "not ASCII/": "'m\u00e4x'",
                            "literal/": "|\n      nosniff\n      b", "folded/": ">\n      a;\n      b"}.items():
            out[name + header] = f"http_server_config:\n  headers:\n    {header}: {value}\n"
    for value in ("True", "TRUE", "'true'", "on", "Off", "1", "y", "N", "tRue"):
        out["odd/http2 " + value] = f"http_server_config: {{http2: {value}}}\n"
    out["odd/tag of a boolean"] = "http_server_config: {http2: !!bool true}\n"
    out["odd/prefer_server_cipher_suites on"] = pair + "  prefer_server_cipher_suites: on\n"
    for value in ("0x2", "0b10", "0o2", "02", "08", "1_0", "+2", "'2'", "1e0", "2.0", "2147483648", "9999999999999999999"):
        out["odd/burst " + value] = f"rate_limit: {{burst: {value}, interval: 1h}}\n"
    for value in ("1H", "' 1h'", "1h1h", "1h30", "h", "1.h", ".5h", "1..5h", "+1h", "-0s", "1us", "00s", "'0'", "2540400h",
                  "2570000h"):
        out["odd/interval " + value] = f"rate_limit: {{burst: 1, interval: {value}}}\n"
    for name, user in {"name true": f"true: {HASH}", "name 1": f"1: {HASH}", "user without name": f"~: {HASH}",
                       "user twice": f"alice: {HASH}\n  'alice': {HASH}", "key in two lines": f"? alice\n  : {HASH}",
                       "key that is a list": f"[a]: {HASH}", "merge": f"<<: {{alice: {HASH}}}", "blank before the name": f"' alice': {HASH}",
                       "name not ASCII": f"\u00e5lice: {HASH}", "line end behind the hash": f"alice: |\n    {HASH}",
                       "folded hash": f"alice: >-\n    {HASH}", "blank behind the hash": f"alice: '{HASH} '",
                       "note behind the hash": f"alice: {HASH}#note", "comment behind the hash": f"alice: {HASH} # note",
                       "$2$": "alice: '" + HASH.replace("$2y", "$2") + "'", "$2c$": "alice: '" + HASH.replace("$2y", "$2c") + "'"}.items():
        out["odd/" + name] = f"basic_auth_users:\n  {user}\n"
    text = "http_server_config: {http2: true}\n"
    for name, document in {
        "byte order mark": "\ufeff" + text, "document start": "---\n" + text, "document end": text + "...\n",
        "directive of 1.1": "%YAML 1.1\n---\n" + text, "directive of 1.2": "%YAML 1.2\n---\n" + text, "start alone": "---\n",
        "no document twice": "---\n---\n", "null": "null\n", "a number": "1\n", "an empty text": "''\n", "blanks": "   \n\n",
        "a tab alone": "\t\n", "no line end": text[:-1], "a zero byte": text + "\0", "lines end with CR": text.replace(": {", ":\r  ")[:-2] + "\r",
        "control character": "# \x01\n" + text, "text behind the end": text + "...\nfoo\n",
        "JSON": '{"http_server_config": {"http2": true}, "basic_auth_users": {"alice": "%s"}}' % HASH,
        "deep": "http_server_config: " + "[" * 50 + "]" * 50 + "\n", "key twice inside": "http_server_config: {http2: true, http2: false}\n",
        "nothing twice": "tls_server_config:\ntls_server_config:\n", "key in capitals": text.upper(), "key in quotes": '"http_server_config": {"http2": true}\n',
        "key that is a number": "1: 2\n", "section false": "tls_server_config: false\n", "section of no text": "tls_server_config: ''\n",
        "users of no text": "basic_auth_users: ''\n", "rate_limit of no list": "rate_limit: []\n"}.items():
        out["odd/" + name] = document
    return out


class Side:
    """One of the two programs."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def serve(self, path):
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


class Clients:
    def __init__(self, folder):
        def context(own=None, low=None, high=None, suites="DEFAULT:@SECLEVEL=0"):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
            made.set_ciphers(suites)
            if low:
                made.minimum_version = low
            if high:
                made.maximum_version = high
            if own:
                made.load_cert_chain(os.path.join(folder, own + ".crt"), os.path.join(folder, own + ".key"))
            return made

        v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        self.contexts = {"any": context(), "1.2": context(high=v12), "1.3": context(low=v13),
                         "cbc": context(high=v12, suites="ECDHE+AES:!AESGCM:!AESCCM:@SECLEVEL=0"),
                         "rsa key exchange": context(high=v12, suites="kRSA:@SECLEVEL=0"),
                         "known": context("known"), "stranger": context("stranger")}

    @staticmethod
    def ask(port, context, authorization):
        headers = {}
        if authorization is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(authorization.encode()).decode()
        connection = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) if context is None else
                      http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context))
        try:
            connection.request("GET", "/metrics", headers=headers)
            response = connection.getresponse()
            body = response.read()
            said = [response.status] + [response.headers.get(name) for name in HEADERS]
            return said + [body.decode() if response.status == 200 else None]
        except (OSError, http.client.HTTPException):
            return ["no answer"]
        finally:
            connection.close()

    def answers(self, port, name, text):
        if "tls_server_config:\n  " in text or "tls_server_config: {c" in text:
            kinds = {"ca": ("any", "known", "stranger"), "sans": ("any", "known", "stranger"), "versions": ("1.2", "1.3"),
                     "suites": ("any", "1.3", "cbc", "rsa key exchange")}.get(name.split("/")[0], ("any",))
            if name == "tls/rsa 2048":
                kinds = tuple(self.contexts)
            answers = {kind: self.ask(port, self.contexts[kind], None) for kind in kinds}
            if "basic_auth" in text:
                answers["alice over TLS"] = self.ask(port, self.contexts["any"], "alice:sesame")
            return answers
        answers = {f"try {i}": self.ask(port, None, None) for i in range(4 if "rate_limit" in text else 1)}
        if "basic_auth" in text:
            for who in ("alice:sesame", "alice:sesame", "alice:Sesame", "alice:", "carol:sesame", ":"):
                answers[who] = self.ask(port, None, who)
        return answers


class Toolkit(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not shutil.which("go"):
            raise unittest.SkipTest("there is no Go here to build exporter-toolkit with")
        cls.program = os.path.join(TOOLS, "toolkit")
        built = subprocess.run(["go", "build", "-o", cls.program, "."], cwd=os.path.join(HERE, "toolkit"),
                               capture_output=True, text=True, env={**os.environ, "GOFLAGS": "-mod=readonly"})
        if built.returncode != 0:
            if "toolkit" in built.stderr and ("dial" in built.stderr or "proxy" in built.stderr or "lookup" in built.stderr):
                raise unittest.SkipTest("exporter-toolkit is neither in Go's module cache nor to be had from its proxy")
            raise AssertionError("the toolkit does not build: " + built.stderr)

    def test_same_answers(self):
        folder = tempfile.mkdtemp(prefix="kmem_toolkit_")
        self.addCleanup(shutil.rmtree, folder)
        texts = variants(make_certificates(folder))
        clients = Clients(folder)
        theirs, ours = Side([self.program]), Side([os.path.join(TOOLS, "web_host")])
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        path = os.path.join(folder, "web.yml")
        different, started = {}, 0
        for name, text in texts.items():
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            said = {"toolkit": theirs.serve(path), "here": ours.serve(path)}
            starts = {side: "port" in answer for side, answer in said.items()}
            if starts["toolkit"] != starts["here"]:
                different[name] = said
                continue
            if not starts["here"]:
                continue
            started += 1
            answers = {side: clients.answers(answer["port"], name, text) for side, answer in said.items()}
            if answers["toolkit"] != answers["here"]:
                different[name] = {request: (answers["toolkit"][request], answers["here"][request])
                                   for request in answers["here"]
                                   if answers["toolkit"][request] != answers["here"][request]}
        print(f"{len(texts)} files, {started} started on both sides, {len(different)} differ as listed", file=sys.stderr)
        self.assertGreaterEqual(len(texts), 200)
        self.assertGreaterEqual(started, 80)
        unlisted = {name: what for name, what in different.items() if name not in DIFFERENT}
        self.assertEqual(unlisted, {}, "differs, and nobody said why")
        self.assertEqual([name for name in DIFFERENT if name not in different], [], "listed, and does not differ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
