package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// Words that upstream's defaulting looks at, among others that mean nothing to it.
var words = []any{
	"", "x", "a/b", "nginx", "nginx:latest", "nginx:1.27", "reg.example:5000/a", "reg.example:5000/a:latest", "A B",
	"nginx@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"nginx:latest@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"Always", "RollingUpdate", "RollingUpdate", "Recreate", "OnDelete", "None", "ClientIP", "ClusterIP", "NodePort", "LoadBalancer",
	"7", "ExternalName", "UDP", "HTTPS", "Retain", "Indexed", "True",
}

var (
	amountNames = []string{"cpu", "memory", "hugepages-2Mi", "ephemeral-storage", "example.org/gpu"}
	keys        = []string{
		"a", "b", "c", "d", "deprecated.daemonset.template.generation", "deprecated.deployment.rollback.to", "pod.beta.kubernetes.io/init-containers",
	}
	quantities = []any{"0", "1", json.Number("1"), json.Number("0.5"), "500m", "1Gi", "1024Mi", "100u", "1500m", "1e3", "2.5", "0.0001", "1M"}
	ints       = []any{json.Number("0"), json.Number("1"), json.Number("30"), json.Number("8080"), json.Number("-5")}
	intsOrText = []any{json.Number("0"), json.Number("8080"), "", "http", "25%"}
	times      = []any{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"}
)

// writer makes manifests of any shape that the table allows, with what people also write: null, empty values and
// fields that no type has.
type writer struct {
	table  *Table
	random *rand.Rand
}

func (w writer) pick(from []any) any { return from[w.random.IntN(len(from))] }

func (w writer) manifest(typeName string) map[string]any {
	object := map[string]any{}
	fields := w.table.Types[typeName]
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	// As many of a small type's fields as not, and a few of a large one's.
	chance := min(0.5, 4/float64(len(names)))
	for _, name := range names {
		shape := parse(fields[name])
		likely := slices.Contains([]string{"spec", "template", "jobTemplate", "containers", "metadata", "strategy", "updateStrategy"}, name)
		if !likely && w.random.Float64() > chance || w.random.Float64() < 0.05 {
			continue
		}
		if w.random.Float64() < 0.05 {
			object[name] = nil
			continue
		}
		object[name] = w.value(shape)
	}
	if w.random.Float64() < 0.05 {
		object["unknown"] = w.pick(words)
	}
	return object
}

func (w writer) value(shape word) any {
	switch {
	case shape.list:
		items := []any{}
		for range w.random.IntN(3) {
			items = append(items, w.element(shape))
		}
		return items
	case shape.mapped:
		m := map[string]any{}
		for range w.random.IntN(3) {
			key := keys[w.random.IntN(len(keys))]
			if shape.inner == "quantity" {
				key = amountNames[w.random.IntN(len(amountNames))]
			}
			m[key] = w.element(shape)
		}
		return m
	}
	switch shape.inner {
	case "string":
		return w.pick(words)
	case "bool":
		return w.random.IntN(2) == 0
	case "int":
		return w.pick(ints)
	case "quantity":
		return w.pick(quantities)
	case "intOrString":
		return w.pick(intsOrText)
	case "time":
		return w.pick(times)
	case "bytes":
		return w.pick([]any{"", "YWJj", "YW\nJj"})
	case "any":
		return map[string]any{"f:metadata": map[string]any{}}
	}
	return w.manifest(shape.inner)
}

func (w writer) element(shape word) any {
	if w.random.Float64() < 0.02 && shape.inner != "quantity" {
		return nil
	}
	return w.value(parse(shape.inner))
}

// prove holds the table and its interpreter against upstream's code with random manifests, the same ones each time.
func prove(table *Table, rounds int) error {
	for _, k := range kinds {
		random := rand.New(rand.NewPCG(1, 36))
		refused := 0
		for range rounds {
			manifest := writer{table, random}.manifest(k.typ.Name())
			manifest["apiVersion"], manifest["kind"] = k.gvk.GroupVersion().String(), k.gvk.Kind
			text, err := json.Marshal(manifest)
			if err != nil {
				return err
			}
			want, err := serve(k, text)
			if err != nil {
				// The conversions of DaemonSet and Deployment read a number from an annotation.
				refused++
				continue
			}
			plain, err := decode(text)
			if err != nil {
				return err
			}
			got := interpret(table, k.typ.Name(), plain.(map[string]any))
			if differences := differ("", tree(got), want); len(differences) > 0 {
				return fmt.Errorf("the table and upstream's code disagree:\n%s\nfor %s", strings.Join(differences, "\n"), text)
			}
		}
		if refused > rounds/5 {
			return fmt.Errorf("upstream's code refused %d of %d random manifests of %s", refused, rounds, k.gvk.Kind)
		}
	}
	return nil
}

// differ says where two trees differ, a line for each place.
func differ(path string, got, want any) (lines []string) {
	switch g := got.(type) {
	case map[string]any:
		if w, ok := want.(map[string]any); ok {
			for key := range g {
				if _, there := w[key]; !there {
					lines = append(lines, fmt.Sprintf("%s.%s: got %v, want nothing", path, key, g[key]))
				}
			}
			for key := range w {
				if have, there := g[key]; there {
					lines = append(lines, differ(path+"."+key, have, w[key])...)
				} else {
					lines = append(lines, fmt.Sprintf("%s.%s: got nothing, want %v", path, key, w[key]))
				}
			}
			return lines
		}
	case []any:
		if w, ok := want.([]any); ok && len(g) == len(w) {
			for n := range g {
				lines = append(lines, differ(fmt.Sprintf("%s[%d]", path, n), g[n], w[n])...)
			}
			return lines
		}
	}
	if !reflect.DeepEqual(got, want) {
		lines = append(lines, fmt.Sprintf("%s: got %#v, want %#v", path, got, want))
	}
	return lines
}
