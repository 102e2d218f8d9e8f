package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// capture asks the API server about every document of the samples and gives the fixtures' files: NAME.in.json is the
// manifest as written, NAME.out.json what a mutating webhook is sent for it, less what normalise takes off. It fails
// where the table does not give just that, or where the API server's own dry run keeps less.
func capture(table *Table) (map[string][]byte, error) {
	server, err := connect()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	var wrong []error
	samples, err := filepath.Glob("samples/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, path := range samples {
		manifests, err := documents(path)
		if err != nil {
			return nil, err
		}
		for _, manifest := range manifests {
			if err := captureOne(table, server, manifest, files); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	return files, errors.Join(wrong...)
}

func captureOne(table *Table, server *apiServer, manifest map[string]any, files map[string][]byte) error {
	name := fixtureName(manifest)
	text, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	seen, answered, err := server.create(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	normalise(seen, manifest)
	typeName := table.Kinds[fmt.Sprintf("%s/%s", manifest["apiVersion"], manifest["kind"])]
	lines := differ("", tree(interpret(table, typeName, manifest)), seen)
	for _, line := range differ("", seen, answered) {
		// The registry adds to objects after the webhook. What it takes away or changes is told apart here.
		if !strings.Contains(line, "got nothing") && !slices.ContainsFunc(changedLater, func(c string) bool { return strings.HasPrefix(line, c) }) {
			lines = append(lines, "the dry run has it otherwise: "+line)
		}
	}
	if len(lines) > 0 {
		return fmt.Errorf("%s: the API server disagrees:\n%s", name, strings.Join(lines, "\n"))
	}
	in, out := filepath.Join(fixtureDir, name+".in.json"), filepath.Join(fixtureDir, name+".out.json")
	if files[in] != nil {
		return fmt.Errorf("two samples bear the name %q", name)
	}
	files[in], files[out] = indented(manifest), indented(seen)
	return nil
}

// changedLater are the places where the registry's strategies overrule what a webhook was sent on creation.
var changedLater = []string{
	`.metadata.annotations.deprecated.daemonset.template.generation`, // counted from 1
	`.status.`, // begins anew
}

func fixtureName(manifest map[string]any) string {
	if name, ok := at(manifest, []any{"metadata", "name"}).(string); ok {
		return name
	}
	return at(manifest, []any{"metadata", "labels", "fixture"}).(string)
}

func indented(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return text.Bytes()
}

func documents(path string) (all []map[string]any, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for _, document := range strings.Split(string(text), "\n---\n") {
		asJSON, err := yaml.ToJSON([]byte(document))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		manifest, err := decode(asJSON)
		if err != nil {
			return nil, err
		}
		all = append(all, manifest.(map[string]any))
	}
	return all, nil
}
