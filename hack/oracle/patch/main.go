// Command patch applies patches as kube-apiserver applies those of MutatingAdmissionPolicies, with upstream's own code
// (k8s.io/apiserver v0.36.3, pkg/admission/plugin/policy/mutating/patch).
//
// It reads one question a line from standard input and writes one line for each, in order: {"result": …} with the
// object, or {"error": "…"}. A question is one of these:
//
//	{"object": …, "applyConfiguration": …}  the structured merge of ApplyStructuredMergeDiff, with the type that the
//	    OpenAPI documents of the k8s.io/kubernetes module give for the object's apiVersion and kind, or that of the
//	    definition in "crd", or where there is none the deduced one
//	{"object": …, "jsonPatch": […]}  operations as the patcher makes them of an expression's values: a "value" is absent
//	    or any JSON, "op", "path" and "from" are strings; a failed test returns the object
//
// A line that is no question is an error too, and ends nothing.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/kube-openapi/pkg/spec3"
)

// Not in go.mod: nothing of it is compiled.
const kubernetesModule = "k8s.io/kubernetes@v1.36.3"

type question struct {
	Object             json.RawMessage `json:"object"`
	ApplyConfiguration json.RawMessage `json:"applyConfiguration"`
	JSONPatch          []operation     `json:"jsonPatch"`
	CRD                json.RawMessage `json:"crd"`
}

type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	From  string          `json:"from"`
	Value json.RawMessage `json:"value"`
}

type answer struct {
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "patch:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	buffered := bufio.NewWriter(out)
	answers := json.NewEncoder(buffered)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := answers.Encode(reply(line)); err != nil {
				return err
			}
			if lines.Buffered() == 0 {
				if err := buffered.Flush(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return buffered.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func reply(line []byte) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: fmt.Sprintf("not a question: %v", err)}
	}
	object := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(q.Object, &object.Object); err != nil {
		return answer{Error: fmt.Sprintf("not a question: %v", err)}
	}
	var result *unstructured.Unstructured
	var err error
	if q.ApplyConfiguration != nil {
		result, err = apply(object, q)
	} else {
		result, err = applyJSONPatch(object, q.JSONPatch)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: result.Object}
}

func apply(object *unstructured.Unstructured, q question) (*unstructured.Unstructured, error) {
	configuration := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(q.ApplyConfiguration, &configuration.Object); err != nil {
		return nil, err
	}
	configuration.SetGroupVersionKind(object.GroupVersionKind())
	converter, err := converterFor(object.GroupVersionKind(), q.CRD)
	if err != nil {
		return nil, err
	}
	merged, err := patch.ApplyStructuredMergeDiff(converter, object, configuration)
	if err != nil {
		return nil, fmt.Errorf("error applying patch: %w", err)
	}
	return merged.(*unstructured.Unstructured), nil
}

var (
	converters    = map[schema.GroupVersion]managedfields.TypeConverter{}
	ofDefinitions = map[string]managedfields.TypeConverter{}
)

func converterFor(kind schema.GroupVersionKind, crd json.RawMessage) (managedfields.TypeConverter, error) {
	if crd != nil {
		if known, ok := ofDefinitions[string(crd)]; ok {
			return known, nil
		}
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := json.Unmarshal(crd, definition); err != nil {
			return nil, err
		}
		openapi, err := builder.BuildOpenAPIV3(definition, kind.Version, builder.Options{V2: false})
		if err != nil {
			return nil, err
		}
		converter, err := converterOf(openapi)
		ofDefinitions[string(crd)] = converter
		return converter, err
	}
	if known, ok := converters[kind.GroupVersion()]; ok {
		return known, nil
	}
	dir, err := documents()
	if err != nil {
		return nil, err
	}
	name := "apis__" + kind.Group + "__" + kind.Version
	if kind.Group == "" {
		name = "api__" + kind.Version
	}
	text, err := os.ReadFile(filepath.Join(dir, name+"_openapi.json"))
	if errors.Is(err, os.ErrNotExist) {
		return managedfields.NewDeducedTypeConverter(), nil
	}
	if err != nil {
		return nil, err
	}
	openapi := &spec3.OpenAPI{}
	if err := json.Unmarshal(text, openapi); err != nil {
		return nil, err
	}
	converter, err := converterOf(openapi)
	converters[kind.GroupVersion()] = converter
	return converter, err
}

// converterOf a document, by way of its text, as the API server reads it.
func converterOf(openapi *spec3.OpenAPI) (managedfields.TypeConverter, error) {
	text, err := json.Marshal(openapi)
	if err != nil {
		return nil, err
	}
	read := &spec3.OpenAPI{}
	if err := json.Unmarshal(text, read); err != nil {
		return nil, err
	}
	return managedfields.NewTypeConverter(read.Components.Schemas, false)
}

var documentDir string

func documents() (string, error) {
	if documentDir == "" {
		answer, err := exec.Command("go", "mod", "download", "-json", kubernetesModule).Output()
		if err != nil {
			return "", fmt.Errorf("go mod download %s: %w", kubernetesModule, err)
		}
		var module struct{ Dir string }
		if err := json.Unmarshal(answer, &module); err != nil {
			return "", err
		}
		documentDir = filepath.Join(module.Dir, "api/openapi-spec/v3")
	}
	return documentDir, nil
}

// applyJSONPatch is what Patch in json_patch.go does with the values of an expression.
func applyJSONPatch(object *unstructured.Unstructured, operations []operation) (*unstructured.Unstructured, error) {
	made := jsonpatch.Patch{}
	raw := func(text string) *json.RawMessage { r := json.RawMessage(text); return &r }
	for _, o := range operations {
		one := jsonpatch.Operation{"op": raw(strconv.Quote(o.Op)), "path": raw(strconv.Quote(o.Path))}
		if len(o.From) > 0 {
			one["from"] = raw(strconv.Quote(o.From))
		}
		if o.Value != nil {
			value, err := json.Marshal(o.Value) // with < > & escaped, as the patcher and the object's encoder do
			if err != nil {
				return nil, err
			}
			one["value"] = raw(string(value))
		}
		made = append(made, one)
	}
	text, err := object.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("failed to create JSON patch: %w", err)
	}
	patched, err := made.Apply(text)
	if err != nil {
		if errors.Is(err, jsonpatch.ErrTestFailed) {
			return object, nil
		}
		return nil, fmt.Errorf("JSON Patch: %w", err)
	}
	result := &unstructured.Unstructured{}
	if err := result.UnmarshalJSON(patched); err != nil {
		return nil, fmt.Errorf("Internal error occurred: %w", err)
	}
	return result, nil
}
