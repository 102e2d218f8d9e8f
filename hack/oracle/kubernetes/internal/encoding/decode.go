package encoding

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Decode reads a value in the form used at the top (opaque values excepted).
func Decode(raw json.RawMessage) (ref.Val, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || len(m) != 1 {
		return nil, fmt.Errorf("not a tagged value: %s", raw)
	}
	for tag, payload := range m {
		return decodeTagged(tag, payload)
	}
	return nil, nil
}

func decodeTagged(tag string, p json.RawMessage) (ref.Val, error) {
	text := func() (s string, err error) { err = json.Unmarshal(p, &s); return }
	switch tag {
	case "null":
		return types.NullValue, nil
	case "bool", "string":
		return decodeNested(p)
	case "int":
		i, err := strconv.ParseInt(string(bytes.TrimSpace(p)), 10, 64)
		return types.Int(i), err
	case "uint":
		u, err := strconv.ParseUint(string(bytes.TrimSpace(p)), 10, 64)
		return types.Uint(u), err
	case "double":
		if s, err := text(); err == nil {
			f, err := strconv.ParseFloat(s, 64)
			return types.Double(f), err
		}
		f, err := strconv.ParseFloat(string(bytes.TrimSpace(p)), 64)
		return types.Double(f), err
	case "bytes":
		s, err := text()
		if err != nil {
			return nil, err
		}
		b, err := base64.StdEncoding.DecodeString(s)
		return types.Bytes(b), err
	case "duration":
		s, err := text()
		if err != nil {
			return nil, err
		}
		d, err := time.ParseDuration(s)
		return types.Duration{Duration: d}, err
	case "timestamp":
		s, err := text()
		if err != nil {
			return nil, err
		}
		t, err := time.Parse(time.RFC3339Nano, s)
		return types.Timestamp{Time: t}, err
	case "optional":
		if string(bytes.TrimSpace(p)) == "null" {
			return types.OptionalNone, nil
		}
		v, err := decodeNested(p)
		if err != nil {
			return nil, err
		}
		return types.OptionalOf(v), nil
	case "type":
		s, err := text()
		if t, ok := namedTypes[s]; ok {
			return t, err
		}
		return nil, fmt.Errorf("unknown type %q", s)
	case "list":
		var items []json.RawMessage
		if err := json.Unmarshal(p, &items); err != nil {
			return nil, err
		}
		vals := make([]ref.Val, len(items))
		for i, item := range items {
			var err error
			if vals[i], err = decodeNested(item); err != nil {
				return nil, err
			}
		}
		return types.NewRefValList(types.DefaultTypeAdapter, vals), nil
	case "map":
		entries := map[ref.Val]ref.Val{}
		var pairs [][2]json.RawMessage
		if err := json.Unmarshal(p, &pairs); err == nil {
			for _, pair := range pairs {
				k, err := decodeNested(pair[0])
				if err != nil {
					return nil, err
				}
				v, err := decodeNested(pair[1])
				if err != nil {
					return nil, err
				}
				entries[k] = v
			}
			return types.NewRefValMap(types.DefaultTypeAdapter, entries), nil
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(p, &object); err != nil {
			return nil, err
		}
		for k, raw := range object {
			v, err := decodeNested(raw)
			if err != nil {
				return nil, err
			}
			entries[types.String(k)] = v
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, entries), nil
	}
	return nil, fmt.Errorf("cannot read a value tagged %q", tag)
}

func decodeNested(p json.RawMessage) (ref.Val, error) {
	p = bytes.TrimSpace(p)
	if len(p) == 0 {
		return nil, fmt.Errorf("empty value")
	}
	switch p[0] {
	case 'n':
		return types.NullValue, nil
	case 't', 'f':
		return types.Bool(p[0] == 't'), nil
	case '"':
		var s string
		err := json.Unmarshal(p, &s)
		return types.String(s), err
	case '[':
		return decodeTagged("list", p)
	case '{':
		var m map[string]json.RawMessage
		if err := json.Unmarshal(p, &m); err != nil {
			return nil, err
		}
		if len(m) == 1 {
			for tag, payload := range m {
				if tags[tag] {
					return decodeTagged(tag, payload)
				}
			}
		}
		return decodeTagged("map", p)
	default:
		if bytes.ContainsAny(p, ".eE") {
			return decodeTagged("double", p)
		}
		return decodeTagged("int", p)
	}
}

var namedTypes = map[string]*types.Type{"int": types.IntType, "uint": types.UintType, "double": types.DoubleType, "bool": types.BoolType,
	"string": types.StringType, "bytes": types.BytesType, "null_type": types.NullType, "type": types.TypeType, "list": types.ListType, "map": types.MapType,
	"google.protobuf.Timestamp": types.TimestampType, "google.protobuf.Duration": types.DurationType, "dyn": types.DynType}
