package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubernetes/pkg/util/parsers"
)

// interpret is the reference for the engine's interpreter: it does what defaults.md says with nothing but the
// table, and is held against upstream's own code by random objects.
func interpret(table *Table, typeName string, manifest map[string]any) map[string]any {
	i := interpreter{table}
	object := i.typed(typeName, manifest)
	i.fill(typeName, object)
	i.complete(typeName, object)
	return object
}

type interpreter struct{ table *Table }

// word is a field's shape taken apart.
type word struct {
	list, mapped, always, optional bool
	inner                          string
}

func parse(text string) (w word) {
	text, w.always = strings.CutSuffix(text, "!")
	text, w.optional = strings.CutSuffix(text, "?")
	text, w.list = strings.CutPrefix(text, "[]")
	w.inner, w.mapped = strings.CutPrefix(text, "{}")
	return w
}

func (i interpreter) isStruct(w word) bool {
	_, known := i.table.Types[w.inner]
	return known && !w.list && !w.mapped
}

// typed is the first pass: what decoding into the Go type keeps of a value, zero values left out.
func (i interpreter) typed(typeName string, value map[string]any) map[string]any {
	out := map[string]any{}
	for name, text := range i.table.Types[typeName] {
		w := parse(text)
		v := value[name]
		if v != nil {
			v = i.value(w, v)
		}
		switch {
		case v == nil && i.isStruct(w) && w.always && !w.optional:
			out[name] = i.typed(w.inner, nil)
		case v == nil, !w.optional && isZero(v) && !(w.always && (isCollection(v) || w.inner == "intOrString" && v == "")):
		default:
			out[name] = v
		}
	}
	return out
}

func (i interpreter) value(w word, v any) any {
	switch {
	case w.list:
		var out = []any{}
		for _, item := range v.([]any) {
			out = append(out, i.element(w.inner, item))
		}
		return out
	case w.mapped:
		out := map[string]any{}
		for key, item := range v.(map[string]any) {
			out[key] = i.element(w.inner, item)
		}
		return out
	case i.isStruct(w):
		return i.typed(w.inner, v.(map[string]any))
	}
	return scalar(w.inner, v)
}

// element is a value inside a list or map, where null is the type's zero.
func (i interpreter) element(inner string, v any) any {
	w := parse(inner)
	if v != nil {
		return i.value(w, v)
	}
	if i.isStruct(w) {
		return i.typed(inner, nil)
	}
	return zero(w)
}

func scalar(inner string, v any) any {
	switch inner {
	case "quantity":
		q := quantity(v)
		return q.String()
	case "time":
		t, err := time.Parse(time.RFC3339, v.(string))
		if err != nil {
			panic(err)
		}
		return t.UTC().Format(time.RFC3339)
	case "bytes":
		// Line breaks may stand in the base64 of a manifest.
		raw, err := base64.StdEncoding.DecodeString(v.(string))
		if err != nil {
			panic(err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	return v
}

func quantity(v any) resource.Quantity { return resource.MustParse(fmt.Sprint(v)) }

func zero(w word) any {
	if w.list || w.mapped || w.optional {
		return nil
	}
	switch w.inner {
	case "string":
		return ""
	case "bool":
		return false
	case "int", "intOrString":
		return json.Number("0")
	case "quantity":
		return "0"
	}
	return nil
}

func isCollection(v any) bool {
	kind := reflect.ValueOf(v).Kind()
	return kind == reflect.Map || kind == reflect.Slice
}

func isZero(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return v == nil
}

// fill is the second pass: the rules of a struct, then those of the structs in it.
func (i interpreter) fill(typeName string, object map[string]any) {
	for _, rule := range i.table.Rules[typeName] {
		i.apply(rule, object)
	}
	for name, text := range i.table.Types[typeName] {
		w := parse(text)
		if _, known := i.table.Types[w.inner]; !known {
			continue
		}
		switch v := object[name].(type) {
		case []any:
			for _, item := range v {
				i.fill(w.inner, item.(map[string]any))
			}
		case map[string]any:
			i.fill(w.inner, v)
		}
	}
}

func (i interpreter) apply(rule Rule, object map[string]any) {
	switch {
	case rule.Named == "pod-ips":
		podIPs(object)
	case rule.Named == "pod-level-resources":
		podLevelResources(object)
	case rule.Named == "round-up-to-milli":
		for _, path := range elements(object, rule.Set) {
			amounts, _ := at(object, path).(map[string]any)
			for key, v := range amounts {
				q := quantity(v)
				q.RoundUp(resource.Milli)
				amounts[key] = q.String()
			}
		}
	case rule.Remove != "":
		if path := split(rule.Remove); holds(rule.If, object, path) && at(object, path) != nil {
			put(object, path, nil)
		}
	default:
		for _, path := range elements(object, rule.Set) {
			if holds(rule.If, object, path) {
				i.set(rule, object, path)
			}
		}
	}
}

func (i interpreter) set(rule Rule, object map[string]any, path []any) {
	now := at(object, path)
	beside := func(name string) any { return at(object, append(slices.Clone(path[:len(path)-1]), name)) }
	if rule.Keys != "" {
		source, _ := beside(rule.Keys).(map[string]any)
		if source == nil {
			return
		}
		merged := maps.Clone(source)
		if now != nil {
			maps.Copy(merged, now.(map[string]any))
		}
		if len(merged) > 0 {
			put(object, path, merged)
		}
		return
	}
	if now != nil && !rule.Replace && !slices.Contains(rule.Over, now) {
		return
	}
	var value any
	switch {
	case rule.Copy != "":
		value = at(object, split(rule.Copy))
	case rule.Sibling != "":
		value = beside(rule.Sibling)
	case rule.PullPolicy != "":
		image, _ := beside(rule.PullPolicy).(string)
		_, tag, _, _ := parsers.ParseImageName(image)
		value = "IfNotPresent"
		if tag == "latest" {
			value = "Always"
		}
	default:
		value = rule.To
	}
	if value != nil {
		put(object, path, clone(value))
	} else if rule.Over != nil && now != nil {
		put(object, path, nil)
	}
}

func clone(v any) any { return tree(v) }

// each stands in a path for every element of a list.
type each struct{}

// split takes a path apart: names of fields between dots, "[]" for each element of a list, "[key]" for a map's key.
func split(path string) (steps []any) {
	for path != "" {
		end := strings.IndexAny(path[1:], ".[") + 1
		if path[0] == '[' {
			end = strings.Index(path, "]") + 1
		}
		if end == 0 {
			end = len(path)
		}
		switch step := path[:end]; {
		case step == "[]":
			steps = append(steps, each{})
		default:
			steps = append(steps, strings.Trim(step, ".[]"))
		}
		path = path[end:]
	}
	return steps
}

// elements gives a path once for each element of the lists that it passes through; a step is a name or an index.
func elements(object map[string]any, path string) [][]any {
	paths := [][]any{nil}
	for _, step := range split(path) {
		var longer [][]any
		for _, p := range paths {
			if _, list := step.(each); !list {
				longer = append(longer, append(slices.Clone(p), step))
				continue
			}
			items, _ := at(object, p).([]any)
			for index := range items {
				longer = append(longer, append(slices.Clone(p), index))
			}
		}
		paths = longer
	}
	return paths
}

func at(object any, path []any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			holder, _ := object.(map[string]any)
			object = holder[step]
		case int:
			object = object.([]any)[step]
		}
	}
	return object
}

// put sets the value at a path; structs that are missing on the way are made.
func put(object map[string]any, path []any, value any) {
	var holder any = object
	for n, step := range path[:len(path)-1] {
		if at(holder, path[n:n+1]) == nil {
			holder.(map[string]any)[step.(string)] = map[string]any{}
		}
		holder = at(holder, path[n:n+1])
	}
	name := path[len(path)-1].(string)
	if value == nil {
		delete(holder.(map[string]any), name)
		return
	}
	holder.(map[string]any)[name] = value
}

// holds looks at the same list elements as the path that is set, where a condition's path passes through lists.
func holds(conditions []Condition, object map[string]any, path []any) bool {
	for _, c := range conditions {
		steps := split(c.Path)
		for n, step := range steps {
			if _, list := step.(each); list {
				steps[n] = path[n]
			}
		}
		value := at(object, steps)
		if c.Present != nil && (value != nil) != *c.Present {
			return false
		}
		if c.Below != nil && !below(value, *c.Below) {
			return false
		}
		if c.In != nil && !slices.Contains(c.In, value) {
			return false
		}
	}
	return true
}

func below(value any, limit int) bool {
	number, _ := value.(json.Number)
	n, err := number.Int64()
	return err == nil && n < int64(limit)
}

// complete is the last pass: what is always written and is still not there gets its zero.
func (i interpreter) complete(typeName string, object map[string]any) {
	for name, text := range i.table.Types[typeName] {
		w := parse(text)
		_, known := i.table.Types[w.inner]
		switch v := object[name].(type) {
		case nil:
			if w.always {
				object[name] = zero(w)
			}
		case []any:
			for _, item := range v {
				if known {
					i.complete(w.inner, item.(map[string]any))
				}
			}
		case map[string]any:
			if known {
				i.complete(w.inner, v)
			} else if len(v) == 0 && !w.always {
				delete(object, name)
			}
		}
	}
}
