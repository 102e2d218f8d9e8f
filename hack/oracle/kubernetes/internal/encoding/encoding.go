// Package encoding writes and reads CEL values as JSON.
//
// The encoding is that of the corpus k8s-cel-lib, extended. A value at the top is an object with one key, its tag:
//
//	{"bool":true} {"int":4} {"uint":4} {"double":0.5} {"string":"x"} {"null":null} {"bytes":"aGk="}
//	{"duration":"90.5s"} {"timestamp":"2024-01-02T03:04:05.6Z"} {"type":"int"}
//	{"optional":null} (none)  {"optional":NESTED}  {"list":[NESTED,...]}  {"map":{"k":NESTED,...}}
//	{"opaque":{"type":"net.IP","value":"10.0.0.1"}}   (quantity, url, ip, cidr, semver, format, Object, JSONPatch, authorizer)
//
// NESTED is plain JSON where that loses nothing: null, booleans, strings, integers for int, and numbers with a '.' or an
// exponent for double, arrays and objects. Everything else is tagged as at the top. To keep this unambiguous:
//
//   - a nested map that has a key that is not a string is {"map":[[KEY,VALUE],...]}, sorted; so is a nested map of exactly one
//     key that is a tag name, and a map at the top follows the same rule for its payload;
//   - NaN and the infinities are {"double":"NaN"}, {"double":"Infinity"}, {"double":"-Infinity"};
//   - an optional that holds null is {"optional":{"null":null}}.
package encoding

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/mutation"
	"k8s.io/apiserver/pkg/cel/mutation/dynamic"
)

var tags = map[string]bool{"bool": true, "int": true, "uint": true, "double": true, "string": true, "null": true, "bytes": true,
	"duration": true, "timestamp": true, "type": true, "optional": true, "list": true, "map": true, "opaque": true, "error": true}

// Encode writes a value in the form used at the top.
func Encode(v ref.Val) json.RawMessage {
	var b bytes.Buffer
	switch t := v.(type) {
	case types.Null:
		b.WriteString(`{"null":null}`)
	case types.Bool, types.Int, types.String:
		tag := map[ref.Type]string{types.BoolType: "bool", types.IntType: "int", types.StringType: "string"}[v.Type()]
		fmt.Fprintf(&b, `{%q:`, tag)
		nested(&b, v)
		b.WriteByte('}')
	case types.Double:
		if math.IsNaN(float64(t)) || math.IsInf(float64(t), 0) {
			nested(&b, v)
		} else {
			b.WriteString(`{"double":` + double(float64(t)) + `}`)
		}
	default:
		if isMap(v) {
			b.WriteString(`{"map":`)
			mapPayload(&b, v.(traits.Mapper))
			b.WriteByte('}')
		} else if l, ok := v.(traits.Lister); ok {
			b.WriteString(`{"list":`)
			list(&b, l)
			b.WriteByte('}')
		} else {
			nested(&b, v)
		}
	}
	return b.Bytes()
}

func isMap(v ref.Val) bool {
	m, ok := v.(traits.Mapper)
	return ok && m.Type() == types.MapType
}

func nested(b *bytes.Buffer, v ref.Val) {
	switch t := v.(type) {
	case types.Null:
		b.WriteString("null")
	case types.Bool:
		b.WriteString(strconv.FormatBool(bool(t)))
	case types.Int:
		b.WriteString(strconv.FormatInt(int64(t), 10))
	case types.Uint:
		fmt.Fprintf(b, `{"uint":%d}`, uint64(t))
	case types.Double:
		switch f := float64(t); {
		case math.IsNaN(f):
			b.WriteString(`{"double":"NaN"}`)
		case math.IsInf(f, 1):
			b.WriteString(`{"double":"Infinity"}`)
		case math.IsInf(f, -1):
			b.WriteString(`{"double":"-Infinity"}`)
		default:
			b.WriteString(double(f))
		}
	case types.String:
		b.Write(jsonText(string(t)))
	case types.Bytes:
		fmt.Fprintf(b, `{"bytes":%q}`, base64.StdEncoding.EncodeToString(t))
	case types.Duration:
		fmt.Fprintf(b, `{"duration":%q}`, duration(t.Duration))
	case types.Timestamp:
		fmt.Fprintf(b, `{"timestamp":%q}`, t.UTC().Format(time.RFC3339Nano))
	case *types.Type:
		fmt.Fprintf(b, `{"type":%q}`, t.TypeName())
	case *types.Optional:
		switch {
		case !t.HasValue():
			b.WriteString(`{"optional":null}`)
		case t.GetValue() == types.NullValue:
			b.WriteString(`{"optional":{"null":null}}`)
		default:
			b.WriteString(`{"optional":`)
			nested(b, t.GetValue())
			b.WriteByte('}')
		}
	case *types.Err:
		fmt.Fprintf(b, `{"error":%s}`, jsonText(t.String()))
	default:
		if isMap(v) {
			m := v.(traits.Mapper)
			if !plain(m) {
				b.WriteString(`{"map":`)
				mapPayload(b, m)
				b.WriteByte('}')
			} else {
				mapPayload(b, m)
			}
		} else if l, ok := v.(traits.Lister); ok {
			list(b, l)
		} else {
			fmt.Fprintf(b, `{"opaque":{"type":%q`, v.Type().TypeName())
			if payload := opaque(v); payload != nil {
				b.WriteString(`,"value":`)
				b.Write(payload)
			}
			b.WriteString("}}")
		}
	}
}

// plain says whether a map may be written as a JSON object.
func plain(m traits.Mapper) bool {
	n := 0
	for it := m.Iterator(); it.HasNext() == types.True; n++ {
		key, ok := it.Next().(types.String)
		if !ok {
			return false
		}
		if m.Size() == types.Int(1) && tags[string(key)] {
			return false
		}
	}
	return true
}

func mapPayload(b *bytes.Buffer, m traits.Mapper) {
	var keys []ref.Val
	for it := m.Iterator(); it.HasNext() == types.True; {
		keys = append(keys, it.Next())
	}
	encoded := make([]string, len(keys))
	order := make([]int, len(keys))
	for i, key := range keys {
		var kb bytes.Buffer
		nested(&kb, key)
		encoded[i], order[i] = kb.String(), i
	}
	sort.Slice(order, func(i, j int) bool { return encoded[order[i]] < encoded[order[j]] })
	object := plain(m)
	open, between, end := "[", ",", "]"
	if object {
		open, end = "{", "}"
	}
	b.WriteString(open)
	for n, i := range order {
		if n > 0 {
			b.WriteString(between)
		}
		if object {
			b.WriteString(encoded[i] + ":")
			nested(b, m.Get(keys[i]))
		} else {
			b.WriteString("[" + encoded[i] + ",")
			nested(b, m.Get(keys[i]))
			b.WriteString("]")
		}
	}
	b.WriteString(end)
}

func list(b *bytes.Buffer, l traits.Lister) {
	b.WriteByte('[')
	first := true
	for it := l.Iterator(); it.HasNext() == types.True; {
		if !first {
			b.WriteByte(',')
		}
		first = false
		nested(b, it.Next())
	}
	b.WriteByte(']')
}

// opaque gives the payload of a Kubernetes type, or nil where there is nothing to compare but the type.
func opaque(v ref.Val) []byte {
	switch t := v.(type) {
	case apiservercel.Quantity:
		return jsonText(t.Quantity.String())
	case *apiservercel.Quantity: // what add and sub return
		return jsonText(t.Quantity.String())
	case apiservercel.URL:
		return jsonText(t.URL.String())
	case apiservercel.IP:
		return jsonText(t.Addr.String())
	case apiservercel.CIDR:
		return jsonText(t.Prefix.String())
	case apiservercel.Semver:
		return jsonText(t.Version.String())
	case apiservercel.Format:
		return jsonText(t.Name)
	case *apiservercel.Format:
		return jsonText(t.Name)
	case *dynamic.ObjectVal:
		return jsonText(t.Value())
	case *mutation.JSONPatchVal:
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"op":%s,"path":%s,"from":%s`, jsonText(t.Op), jsonText(t.Path), jsonText(t.From))
		if t.Val != nil {
			b.WriteString(`,"value":`)
			nested(&b, t.Val)
		}
		b.WriteByte('}')
		return b.Bytes()
	}
	return nil
}

func double(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func duration(d time.Duration) string {
	sign := ""
	n := uint64(d)
	if d < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%s%d.%09d", sign, n/1e9, n%1e9)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "s"
}

func jsonText(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
