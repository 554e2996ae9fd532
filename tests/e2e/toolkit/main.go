// The measure of web configuration files: exporter-toolkit itself. For every path on stdin it serves /metrics with that
// file and says so: {"port": 1234}, or {"error": "..."} when it would not start. What was served before ends.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/prometheus/exporter-toolkit/web"
)

func main() {
	quiet := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1\n") })
	var before *http.Server
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		path := lines.Text()
		if before != nil {
			before.Close()
			before = nil
		}
		said := map[string]any{}
		if err := web.Validate(path); err != nil {
			said["error"] = err.Error()
		} else if listener, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {
			panic(err)
		} else {
			before = &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
			addresses, systemd := []string{listener.Addr().String()}, false
			flags := &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &path}
			go func(server *http.Server) {
				web.Serve(listener, server, flags, quiet)
				listener.Close() // when it gives up at once, clients are not to wait for it
			}(before)
			said["port"] = listener.Addr().(*net.TCPAddr).Port
		}
		answer, _ := json.Marshal(said)
		fmt.Println(string(answer))
	}
}
