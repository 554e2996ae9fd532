// Holds the kustomize folder to the types that Kubernetes and the Prometheus operator decode it with: nothing unknown, nothing
// of another type. Usage: kubernetes FILE...     Exit 1: something was refused. `packaging/test.sh kubernetes` runs it.
package main

import (
	"fmt"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	known := map[string]func() any{
		"v1 Namespace":                            func() any { return &core.Namespace{} },
		"v1 Service":                              func() any { return &core.Service{} },
		"apps/v1 DaemonSet":                       func() any { return &apps.DaemonSet{} },
		"monitoring.coreos.com/v1 PodMonitor":     func() any { return &monitoring.PodMonitor{} },
		"monitoring.coreos.com/v1 PrometheusRule": func() any { return &monitoring.PrometheusRule{} },
	}
	passed, failed := 0, 0
	for _, path := range os.Args[1:] {
		var head struct{ APIVersion, Kind string }
		text, err := os.ReadFile(path)
		if err == nil {
			err = yaml.Unmarshal(text, &head)
		}
		if err == nil {
			name := head.APIVersion + " " + head.Kind
			if made, is := known[name]; is {
				err = yaml.UnmarshalStrict(text, made())
			} else {
				err = fmt.Errorf("%s is not known", name)
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			failed++
		} else {
			passed++
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}
