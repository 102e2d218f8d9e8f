// Command schemas generates crates/engine/data/schemas.txt: what the OpenAPI documents that the API server publishes
// say about merging an apply configuration into an object of a built-in kind. The documents are those of the
// k8s.io/kubernetes module; they are read by the code with which the API server reads them, schemaconv and
// structured-merge-diff, so that the table holds its conclusions and not ours.
//
// schemas writes the table; schemas --check writes nothing and fails where the committed one differs.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/spec3"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
)

const (
	tableFile = "../../../crates/engine/data/schemas.txt"
	// Not in go.mod: nothing of it is compiled. kube-openapi and structured-merge-diff there are what it requires.
	kubernetesModule = "k8s.io/kubernetes@v1.36.3"
)

//go:embed about.txt
var about string

func main() {
	if err := run(slices.Contains(os.Args[1:], "--check")); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	module, err := kubernetes()
	if err != nil {
		return err
	}
	documents, err := filepath.Glob(filepath.Join(module.Dir, "api/openapi-spec/v3/api*__v*_openapi.json"))
	if err != nil || len(documents) == 0 {
		return fmt.Errorf("no OpenAPI documents in %s", module.Dir)
	}
	types := &table{kinds: map[string]string{}, lines: map[string]string{}}
	for _, document := range documents {
		if err := types.read(document); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(document), err)
		}
	}
	text := types.write(module.Version)
	if !check {
		return os.WriteFile(tableFile, text, 0o644)
	}
	if committed, err := os.ReadFile(tableFile); err != nil || !bytes.Equal(committed, text) {
		return errors.New("schemas.txt is not what generating gives: run hack/generate/schemas/generate")
	}
	return nil
}

type module struct{ Dir, Version string }

func kubernetes() (found module, err error) {
	answer, err := exec.Command("go", "mod", "download", "-json", kubernetesModule).Output()
	if err != nil {
		return found, fmt.Errorf("go mod download %s: %w", kubernetesModule, err)
	}
	return found, json.Unmarshal(answer, &found)
}

type table struct {
	// apiVersion/Kind to the name of the type
	kinds map[string]string
	// name of a type to what the table says of it
	lines map[string]string
}

// described is what one document says.
type described struct {
	atoms map[string]schema.Atom
	// of the types that were visited
	lines map[string]string
}

// Kinds that no object of a mutating request has: they are parameters and answers.
func isObject(kind string) bool {
	return kind != "DeleteOptions" && kind != "Status" && kind != "WatchEvent" && !strings.HasSuffix(kind, "List")
}

func servedAt(apiVersion string) string {
	if strings.Contains(apiVersion, "/") {
		return "apis/" + apiVersion
	}
	return "api/" + apiVersion
}

func (t *table) read(document string) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	var openapi spec3.OpenAPI
	if err := json.Unmarshal(text, &openapi); err != nil {
		return err
	}
	// As typeconverter.go of the mutating admission plugin does.
	converted, err := schemaconv.ToSchemaFromOpenAPI(openapi.Components.Schemas, false)
	if err != nil {
		return err
	}
	one := &described{atoms: map[string]schema.Atom{}, lines: map[string]string{}}
	for _, definition := range converted.Types {
		one.atoms[definition.Name] = definition.Atom
	}
	for name, model := range openapi.Components.Schemas {
		kinds, _ := model.Extensions["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			gvk := kind.(map[string]any)
			apiVersion := strings.TrimPrefix(fmt.Sprintf("%v/%v", gvk["group"], gvk["version"]), "/")
			// The API server looks for a kind in the document of its own group and version, and nowhere else.
			own := filepath.Base(document) == strings.ReplaceAll(servedAt(apiVersion), "/", "__")+"_openapi.json"
			if own && isObject(gvk["kind"].(string)) {
				t.kinds[apiVersion+"/"+gvk["kind"].(string)] = name
				if err := one.visit(name); err != nil {
					return err
				}
			}
		}
	}
	for name, line := range one.lines {
		if known, ok := t.lines[name]; ok && known != line {
			return fmt.Errorf("%s differs from the other documents", name)
		}
		t.lines[name] = line
	}
	return nil
}

// write lists the kinds, then the types that objects of these kinds are made of, in alphabetical order.
func (t *table) write(version string) []byte {
	var out bytes.Buffer
	for _, line := range strings.Split(strings.TrimSpace(about), "\n") {
		fmt.Fprintf(&out, "# %s\n", strings.ReplaceAll(line, "VERSION", version))
	}
	for _, kind := range slices.Sorted(maps.Keys(t.kinds)) {
		fmt.Fprintf(&out, "%s %s\n", kind, short(t.kinds[kind]))
	}
	for _, name := range slices.Sorted(maps.Keys(t.lines)) {
		fmt.Fprintf(&out, "\n%s %s", short(name), t.lines[name])
	}
	return out.Bytes()
}

func (d *described) visit(name string) error {
	if _, seen := d.lines[name]; seen {
		return nil
	}
	atom, ok := d.atoms[name]
	if !ok {
		return fmt.Errorf("no type %s", name)
	}
	d.lines[name] = ""
	if atom.Map == nil || len(atom.Map.Fields) == 0 {
		text, err := d.atom(atom)
		d.lines[name] = text + "\n"
		return err
	}
	if atom.List != nil || atom.Scalar != nil {
		return fmt.Errorf("%s has fields and is not only a map", name)
	}
	var out strings.Builder
	rest := ""
	if atom.Map.ElementType != (schema.TypeRef{}) {
		text, err := d.ref(atom.Map.ElementType)
		if err != nil {
			return err
		}
		rest = text
	}
	fmt.Fprintf(&out, "%sfields%s\n", relationship(atom.Map.ElementRelationship), rest)
	fields := slices.SortedFunc(slices.Values(atom.Map.Fields), func(a, b schema.StructField) int { return strings.Compare(a.Name, b.Name) })
	for _, field := range fields {
		text, err := d.ref(field.Type)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, " %s %s", field.Name, text)
		// The only defaults that count are those of merge keys, and keys are scalars.
		switch field.Default.(type) {
		case nil, map[string]any, []any:
		default:
			value, err := json.Marshal(field.Default)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %s", value)
		}
		out.WriteByte('\n')
	}
	d.lines[name] = out.String()
	return nil
}

func (d *described) ref(ref schema.TypeRef) (string, error) {
	if ref.NamedType == nil {
		return d.atom(ref.Inlined)
	}
	if err := d.visit(*ref.NamedType); err != nil {
		return "", err
	}
	if ref.ElementRelationship != nil {
		return relationship(*ref.ElementRelationship) + short(*ref.NamedType), nil
	}
	return short(*ref.NamedType), nil
}

func (d *described) atom(atom schema.Atom) (string, error) {
	var parts []string
	if atom.Scalar != nil {
		parts = append(parts, string(*atom.Scalar))
	}
	if atom.List != nil {
		element, err := d.ref(atom.List.ElementType)
		if err != nil {
			return "", err
		}
		switch {
		case atom.List.ElementRelationship == schema.Atomic:
			parts = append(parts, "[]"+element)
		case len(atom.List.Keys) == 0:
			parts = append(parts, "[set]"+element)
		default:
			parts = append(parts, "["+strings.Join(atom.List.Keys, ",")+"]"+element)
		}
	}
	if atom.Map != nil {
		if len(atom.Map.Fields) > 0 {
			return "", errors.New("a nested struct without a name")
		}
		element, err := d.ref(atom.Map.ElementType)
		if err != nil {
			return "", err
		}
		parts = append(parts, relationship(atom.Map.ElementRelationship)+"{}"+element)
	}
	if len(parts) == 0 {
		return "", errors.New("a type that nothing fits")
	}
	return strings.Join(parts, "|"), nil
}

func relationship(r schema.ElementRelationship) string {
	if r == schema.Atomic {
		return "!"
	}
	return ""
}

func short(name string) string { return strings.TrimPrefix(name, "io.k8s.") }
