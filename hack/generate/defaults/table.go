package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Table is what the engine reads: the shape of every type that the kinds are made of, and the rules that fill it in.
type Table struct {
	About   []string                     `json:"about"`
	Version string                       `json:"kubernetes"`
	Kinds   map[string]string            `json:"kinds"` // "apiVersion/kind" to the name of a type
	Types   map[string]map[string]string `json:"types"` // name of a type to its fields, each with its shape
	Rules   map[string][]Rule            `json:"rules"` // name of a type to what fills it in, in order
}

// Rule fills in one field. Exactly one of To, Copy, Sibling, Keys, PullPolicy, Remove and Named says what with.
// crates/engine/data/defaults.md gives the meaning of each.
type Rule struct {
	Set        string      `json:"set,omitempty"`
	To         any         `json:"to,omitempty"`
	Copy       string      `json:"copy,omitempty"`
	Sibling    string      `json:"sibling,omitempty"`
	Keys       string      `json:"keys,omitempty"`
	PullPolicy string      `json:"pullPolicy,omitempty"`
	Remove     string      `json:"remove,omitempty"`
	Named      string      `json:"rule,omitempty"`
	Over       []any       `json:"over,omitempty"`
	Replace    bool        `json:"replace,omitempty"`
	If         []Condition `json:"if,omitempty"`
}

// Condition holds where the value at Path is one of In, is there (or not) as Present says, or is
// a number less than Below.
type Condition struct {
	Path    string `json:"path"`
	In      []any  `json:"in,omitempty"`
	Present *bool  `json:"present,omitempty"`
	Below   *int   `json:"below,omitempty"`
}

// scalars are the types whose JSON form is not what their Go structure suggests.
var scalars = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():  "quantity",
	reflect.TypeFor[intstr.IntOrString](): "intOrString",
	reflect.TypeFor[metav1.Time]():        "time",
	reflect.TypeFor[metav1.FieldsV1]():    "any",
	reflect.TypeFor[[]byte]():             "bytes",
}

// shaper collects the types that it meets. A name stands for one Go type: two of the same name are a failure.
type shaper struct {
	fields map[string]map[string]string
	named  map[string]reflect.Type
}

func newShaper() *shaper {
	return &shaper{fields: map[string]map[string]string{}, named: map[string]reflect.Type{}}
}

// shape gives a Go type's word in the table and collects what it is made of.
func (s *shaper) shape(t reflect.Type) string {
	if word, ok := scalars[t]; ok {
		return word
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.shape(t.Elem())
	case reflect.Slice:
		return "[]" + s.shape(t.Elem())
	case reflect.Map:
		return "{}" + s.shape(t.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Struct:
		s.collect(t)
		return t.Name()
	}
	panic(fmt.Sprintf("the table has no word for %v", t))
}

func (s *shaper) collect(t reflect.Type) {
	if known, ok := s.named[t.Name()]; ok {
		if known != t {
			panic(fmt.Sprintf("%v and %v bear one name", known, t))
		}
		return
	}
	s.named[t.Name()] = t
	fields := map[string]string{}
	s.fields[t.Name()] = fields
	for _, f := range jsonFields(t) {
		fields[f.name] = s.shape(f.typ) + f.suffix()
	}
}

// along visits each field that a path passes through, with the type that has it.
func (s *shaper) along(holder, path string, visit func(holder, field string)) {
	for _, step := range split(path) {
		name, ok := step.(string)
		if !ok {
			continue
		}
		visit(holder, name)
		holder = parse(s.fields[holder][name]).inner
	}
}

// field is one member of a struct's JSON form; those of inlined structs are the struct's own.
type field struct {
	name      string
	typ       reflect.Type
	index     []int
	omitempty bool
	omitzero  bool
}

// suffix says when the member is written: "?" where it is set at all, "!" always, "?!" always but null where it is not
// set, none where it is not zero.
func (f field) suffix() string {
	switch {
	case f.typ.Kind() == reflect.Pointer && f.omitempty:
		return "?"
	case f.typ.Kind() == reflect.Pointer:
		return "?!"
	case f.omitzero:
		return ""
	case !f.omitempty, f.typ.Kind() == reflect.Struct:
		// encoding/json never finds a struct empty.
		return "!"
	}
	return ""
}

func jsonFields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		flags := strings.Split(options, ",")
		if f.Anonymous && name == "" {
			for _, inner := range jsonFields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
			continue
		}
		if name == "" || name == "-" {
			panic(fmt.Sprintf("%v.%s has no name in JSON", t, f.Name))
		}
		all = append(all, field{
			name: name, typ: f.Type, index: []int{i},
			omitempty: slices.Contains(flags, "omitempty"), omitzero: slices.Contains(flags, "omitzero"),
		})
	}
	return all
}
