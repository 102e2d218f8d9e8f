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

// place is a struct somewhere in objects of a kind: its type, its path, and how to reach it, making it on the way.
type place struct {
	kind  kind
	typ   reflect.Type
	path  string
	reach func(object reflect.Value) reflect.Value
}

// places visits every struct that can occur in an object of the kind.
func places(k kind, visit func(place)) {
	var walk func(place)
	walk = func(p place) {
		visit(p)
		for _, f := range jsonFields(p.typ) {
			inner, isStruct := structOf(f.typ)
			if !isStruct {
				continue
			}
			path := p.of(f)
			if f.typ.Kind() == reflect.Slice {
				path += "[]"
			}
			walk(place{k, inner, path, func(object reflect.Value) reflect.Value {
				return present(p.reach(object).FieldByIndex(f.index))
			}})
		}
	}
	walk(place{k, k.typ, "", func(object reflect.Value) reflect.Value { return object }})
}

// of is the path of a field of the struct.
func (p place) of(f field) string { return strings.TrimPrefix(p.path+"."+f.name, ".") }

// defaulted makes an object that holds the struct and what it stands in but nothing else, does something to the
// struct, has upstream fill in the defaults, and gives the struct.
func (p place) defaulted(change func(reflect.Value)) reflect.Value {
	object := p.kind.new()
	change(p.reach(reflect.ValueOf(object).Elem()))
	legacyscheme.Scheme.Default(object)
	return p.reach(reflect.ValueOf(object).Elem())
}

// probe reports what defaulting sets in the struct when nothing else is set.
func (p place) probe(found func(finding)) {
	filled := p.defaulted(func(reflect.Value) {})
	for _, f := range jsonFields(p.typ) {
		value := filled.FieldByIndex(f.index)
		switch _, isStruct := structOf(f.typ); {
		case value.IsZero(), f.typ.Kind() == reflect.Map && value.Len() == 0:
		case !isStruct:
			found(finding{p.typ.Name(), f.name, p.of(f), p.kind, tree(value.Interface())})
		case f.typ.Kind() == reflect.Pointer:
			// Defaulting made a struct. What is in it is found at the place of that struct.
			found(finding{p.typ.Name(), f.name, p.of(f), p.kind, map[string]any{}})
		}
		if f.typ == reflect.TypeFor[corev1.ResourceList]() && p.roundsUp(f) {
			found(finding{p.typ.Name(), f.name, p.of(f), p.kind, roundUp})
		}
	}
}

func (p place) roundsUp(f field) bool {
	filled := p.defaulted(func(bare reflect.Value) {
		bare.FieldByIndex(f.index).Set(reflect.ValueOf(corev1.ResourceList{"cpu": resource.MustParse("100u")}))
	})
	amount := filled.FieldByIndex(f.index).Interface().(corev1.ResourceList)["cpu"]
	return amount.String() == "1m"
}

// structOf gives the struct type behind pointers and lists, unless the table takes it for a scalar.
func structOf(t reflect.Type) (reflect.Type, bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	_, scalar := scalars[t]
	return t, t.Kind() == reflect.Struct && !scalar
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
		places(k, func(p place) {
			positions[p.typ.Name()]++
			p.probe(func(f finding) { byField[key{f.holder, f.field}] = append(byField[key{f.holder, f.field}], f) })
		})
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
