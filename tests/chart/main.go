// Reads Kubernetes' documents and holds them to Kubernetes' own types: a field that there is not is an error.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

var types = map[string]func() any{
	"apps/v1 StatefulSet":                     func() any { return &apps.StatefulSet{} },
	"v1 Service":                              func() any { return &core.Service{} },
	"v1 ConfigMap":                            func() any { return &core.ConfigMap{} },
	"policy/v1 PodDisruptionBudget":           func() any { return &policy.PodDisruptionBudget{} },
	"networking.k8s.io/v1 Ingress":            func() any { return &networking.Ingress{} },
	"networking.k8s.io/v1 NetworkPolicy":      func() any { return &networking.NetworkPolicy{} },
	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return &monitoring.ServiceMonitor{} },
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	documents := bytes.Split(input, []byte("\n---\n"))
	for _, document := range documents {
		var named struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &named); err != nil {
			panic(err)
		}
		name := named.APIVersion + " " + named.Kind
		made, known := types[name]
		if !known {
			panic("unknown: " + name)
		}
		if err := yaml.UnmarshalStrict(document, made()); err != nil {
			panic(name + ": " + err.Error())
		}
	}
	fmt.Printf("%d are right\n", len(documents))
}
