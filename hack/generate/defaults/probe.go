package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// finding is a field that defaulting sets in a struct of which nothing is set.
type finding struct {
	holder string // the struct's type
	field  string
	path   string // of the field, from the object
	kind   kind
	value  any
}

// roundUp is the value of a finding where defaulting rounds amounts up to thousandths.
const roundUp = "round-up-to-milli"

// probe walks every struct that can occur in an object of the kind, makes an object that holds this one and what it
// stands in but nothing else, has upstream fill in the defaults, and reports what is set in that struct.
func probe(k kind, visit func(holder string, path string), found func(finding)) {
	var walk func(t reflect.Type, path string, reach func(root reflect.Value) reflect.Value)
	walk = func(t reflect.Type, path string, reach func(root reflect.Value) reflect.Value) {
		visit(t.Name(), path)
		object := k.new()
		reach(reflect.ValueOf(object).Elem())
		legacyscheme.Scheme.Default(object)
		filled := reach(reflect.ValueOf(object).Elem())
		for _, f := range jsonFields(t) {
			at := strings.TrimPrefix(path+"."+f.name, ".")
			value := filled.FieldByIndex(f.index)
			inner, list := f.typ, false
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				list = list || inner.Kind() == reflect.Slice
				inner = inner.Elem()
			}
			_, scalar := scalars[inner]
			isStruct := inner.Kind() == reflect.Struct && !scalar
			if !value.IsZero() && (!isStruct || f.typ.Kind() == reflect.Pointer) && (f.typ.Kind() != reflect.Map || value.Len() > 0) {
				finding := finding{t.Name(), f.name, at, k, map[string]any{}}
				if !isStruct {
					// What is in a struct that defaulting makes is found when that struct is visited.
					finding.value = tree(value.Interface())
				}
				found(finding)
			}
			if f.typ == reflect.TypeFor[corev1.ResourceList]() {
				object := k.new()
				fine := reach(reflect.ValueOf(object).Elem()).FieldByIndex(f.index)
				fine.Set(reflect.ValueOf(corev1.ResourceList{"cpu": resource.MustParse("100u")}))
				legacyscheme.Scheme.Default(object)
				rounded := reach(reflect.ValueOf(object).Elem()).FieldByIndex(f.index).Interface().(corev1.ResourceList)["cpu"]
				if rounded.String() == "1m" {
					found(finding{t.Name(), f.name, at, k, roundUp})
				}
			}
			if isStruct {
				if list {
					at += "[]"
				}
				walk(inner, at, func(root reflect.Value) reflect.Value { return present(reach(root).FieldByIndex(f.index)) })
			}
		}
	}
	walk(k.typ, "", func(root reflect.Value) reflect.Value { return root })
}

// present gives the struct behind a field, having made it where it is a nil pointer or an empty list.
func present(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return present(v.Elem())
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		return present(v.Index(0))
	}
	return v
}

func tree(value any) any {
	t, err := encode(value)
	if err != nil {
		panic(err)
	}
	return t
}

// constants turns what the probes found into rules: of the struct's type where defaulting sets the same value
// wherever that type occurs, else of the kinds that set it. Fields that a rule of conditions names are left to it.
func constants(shapes *shaper, conditional map[string][]Rule) map[string][]Rule {
	positions := map[string]int{}
	type key struct{ holder, field string }
	byField := map[key][]finding{}
	for _, k := range kinds {
		probe(k,
			func(holder, _ string) { positions[holder]++ },
			func(f finding) { byField[key{f.holder, f.field}] = append(byField[key{f.holder, f.field}], f) })
	}

	owned := map[string]bool{}
	for holder, rules := range conditional {
		for _, r := range rules {
			if r.Replace {
				continue
			}
			shapes.along(holder, r.Set, func(holder, field string) { owned[holder+"."+field] = true })
		}
	}
	rules := map[string][]Rule{}
	add := func(holder string, r Rule) {
		if r.To == roundUp {
			r.To, r.Named = nil, roundUp
		}
		if !slices.ContainsFunc(rules[holder], func(have Rule) bool { return have.Set == r.Set }) {
			rules[holder] = append(rules[holder], r)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(byField), func(a, b key) int {
		return strings.Compare(a.holder+"."+a.field, b.holder+"."+b.field)
	}) {
		findings := byField[k]
		if owned[k.holder+"."+k.field] && findings[0].value != roundUp {
			continue
		}
		values := map[string]bool{}
		for _, f := range findings {
			text, err := json.Marshal(f.value)
			if err != nil {
				panic(err)
			}
			values[string(text)] = true
		}
		everywhere := len(findings) == positions[k.holder]
		if everywhere && len(values) == 1 {
			add(k.holder, Rule{Set: k.field, To: findings[0].value})
			continue
		}
		if len(values) > 1 {
			panic(fmt.Sprintf("%s.%s has several defaults: %v", k.holder, k.field, slices.Collect(maps.Keys(values))))
		}
		for _, f := range findings {
			add(f.kind.typ.Name(), Rule{Set: f.path, To: f.value})
		}
	}
	return rules
}
