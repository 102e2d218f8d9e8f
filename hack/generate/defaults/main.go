// Command defaults generates crates/engine/data/defaults.json, the table of what the API server fills in before a
// webhook sees an object, and the fixtures in tests/fixtures/defaults. It runs beside a real API server: see generate.
//
// The shapes of types are read from Kubernetes' own Go types, constant defaults are found by letting upstream's
// defaulting loose on an object for every struct that there is (probe.go), and the few that depend on other fields are
// written down (conditional.go). Then the table must prove itself, with a reference of the interpreter that the engine
// implements (interpret.go): against upstream's code with random objects (random.go), and against what a webhook of
// the real API server is sent for the manifests in samples (samples.go).
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	tableFile  = "../../../crates/engine/data/defaults.json"
	fixtureDir = "../../../tests/fixtures/defaults"
	// Enough for every rule to be met in all kinds, in fifteen seconds; the same objects each time.
	rounds = 2000
)

//go:embed about.txt
var about string

func main() {
	if err := run(slices.Contains(os.Args[1:], "--check")); err != nil {
		fmt.Fprintln(os.Stderr, "defaults:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	text, err := write(build())
	if err != nil {
		return err
	}
	// From here on the table is what the engine reads, not what it was made from.
	table, err := readTable(text)
	if err != nil {
		return err
	}
	if err := prove(table, rounds); err != nil {
		return err
	}
	files, err := capture(table)
	if err != nil {
		return err
	}
	files[tableFile] = text
	if check {
		return compare(files)
	}
	for _, stale := range fixtures() {
		if err := os.Remove(stale); err != nil {
			return err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[path], 0o644); err != nil {
			return err
		}
	}
	return nil
}

func fixtures() []string {
	found, _ := filepath.Glob(filepath.Join(fixtureDir, "*.json"))
	return found
}

func compare(files map[string][]byte) error {
	var wrong []error
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if committed, err := os.ReadFile(path); err != nil || !bytes.Equal(committed, files[path]) {
			wrong = append(wrong, fmt.Errorf("%s is not what generating gives: run hack/generate/defaults/generate", filepath.Clean(path)))
		}
	}
	for _, path := range fixtures() {
		if _, known := files[path]; !known {
			wrong = append(wrong, fmt.Errorf("%s belongs to no sample", filepath.Clean(path)))
		}
	}
	return errors.Join(wrong...)
}

func build() *Table {
	shapes := newShaper()
	names := map[string]string{}
	for _, k := range kinds {
		names[k.gvk.GroupVersion().String()+"/"+k.gvk.Kind] = shapes.shape(k.typ)
	}
	rules := constants(shapes, conditional)
	for holder, more := range conditional {
		rules[holder] = append(rules[holder], more...)
	}
	return &Table{About: strings.Split(strings.TrimSpace(about), "\n"), Version: version(), Kinds: names, Types: shapes.fields, Rules: rules}
}

// write lays the table out with one field or rule a line, so that a change of it can be read.
func write(t *Table) ([]byte, error) {
	var out bytes.Buffer
	line := func(value any) string {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			panic(err)
		}
		return strings.TrimSpace(text.String())
	}
	list := func(lines []string, indent string) string {
		return indent + strings.Join(lines, ",\n"+indent)
	}
	members := func(m map[string]string) (lines []string) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			lines = append(lines, line(key)+": "+line(m[key]))
		}
		return lines
	}
	var head, types, rules []string
	for _, sentence := range t.About {
		head = append(head, line(sentence))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Types)) {
		types = append(types, fmt.Sprintf("%s: {\n%s\n    }", line(name), list(members(t.Types[name]), "      ")))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Rules)) {
		var lines []string
		for _, rule := range t.Rules[name] {
			lines = append(lines, line(rule))
		}
		rules = append(rules, fmt.Sprintf("%s: [\n%s\n    ]", line(name), list(lines, "      ")))
	}
	fmt.Fprintf(&out, "{\n  \"about\": [\n%s\n  ],\n  \"kubernetes\": %s,\n", list(head, "    "), line(t.Version))
	fmt.Fprintf(&out, "  \"kinds\": {\n%s\n  },\n", list(members(t.Kinds), "    "))
	fmt.Fprintf(&out, "  \"types\": {\n%s\n  },\n", list(types, "    "))
	fmt.Fprintf(&out, "  \"rules\": {\n%s\n  }\n}\n", list(rules, "    "))
	if !json.Valid(out.Bytes()) {
		return nil, errors.New("the table is not JSON")
	}
	return out.Bytes(), nil
}

func readTable(text []byte) (*Table, error) {
	table := &Table{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	return table, decoder.Decode(table)
}
