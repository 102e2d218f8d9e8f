package celenv

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/cel-go/interpreter"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/library"

	"admittance.dev/hack/oracle/kubernetes/internal/encoding"
)

// activation resolves names as upstream's evaluationActivation does: an admission variable that is not bound is null (authorizer excepted).
type activation struct {
	values          map[string]any
	usesComposition bool // `variables` are expressions, not a plain value
}

func (a *activation) ResolveName(name string) (any, bool) {
	v, ok := a.values[name]
	return v, ok
}

func (a *activation) Parent() interpreter.Activation { return nil }

func newActivation(q *Query) (*activation, error) {
	values := map[string]any{"object": nil, "oldObject": nil, "params": nil, "request": nil, "namespaceObject": nil}
	for name, raw := range q.Vars {
		switch name {
		case "request":
			request, err := requestValue(raw)
			if err != nil {
				return nil, fmt.Errorf("vars.request: %w", err)
			}
			values[name] = request
		case "namespaceObject":
			namespace, err := namespaceValue(raw)
			if err != nil {
				return nil, fmt.Errorf("vars.namespaceObject: %w", err)
			}
			values[name] = namespace
		default:
			v, err := plainValue(raw)
			if err != nil {
				return nil, fmt.Errorf("vars.%s: %w", name, err)
			}
			values[name] = v
		}
	}
	for name, raw := range q.Values {
		v, err := encoding.Decode(raw)
		if err != nil {
			return nil, fmt.Errorf("values.%s: %w", name, err)
		}
		values[name] = v
	}
	if q.Authorizer != "none" {
		info, resource := requester(q.Vars["request"])
		authz := FixedAuthorizer(q.Authorizer)
		values["authorizer"] = library.NewAuthorizerVal(info, authz)
		values["authorizer.requestResource"] = library.NewResourceAuthorizerVal(info, authz, resource)
	}
	_, plain := values["variables"]
	return &activation{values, !plain}, nil
}

func plainValue(raw json.RawMessage) (any, error) {
	var v any
	err := utiljson.Unmarshal(raw, &v)
	return v, err
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || strings.TrimSpace(string(raw)) == "null"
}

// requestValue reads a request as the admission plugins build it: object, oldObject and uid are empty.
func requestValue(raw json.RawMessage) (any, error) {
	if isNull(raw) {
		return nil, nil
	}
	var r admissionv1.AdmissionRequest
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	options, err := plainValue(r.Options.Raw)
	if len(r.Options.Raw) > 0 && err != nil {
		return nil, err
	}
	r.UID, r.Object, r.OldObject, r.Options = "", runtime.RawExtension{}, runtime.RawExtension{}, runtime.RawExtension{}
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&r)
	if err == nil && options != nil {
		m["options"] = options
	}
	return m, err
}

func namespaceValue(raw json.RawMessage) (any, error) {
	if isNull(raw) {
		return nil, nil
	}
	var ns corev1.Namespace
	if err := json.Unmarshal(raw, &ns); err != nil {
		return nil, err
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(plugincel.CreateNamespaceObject(&ns))
}

func requester(raw json.RawMessage) (user.Info, library.Resource) {
	var r admissionv1.AdmissionRequest
	_ = json.Unmarshal(raw, &r)
	extra := map[string][]string{}
	for k, v := range r.UserInfo.Extra {
		extra[k] = v
	}
	info := &user.DefaultInfo{Name: r.UserInfo.Username, UID: r.UserInfo.UID, Groups: r.UserInfo.Groups, Extra: extra}
	attributes := admission.NewAttributesRecord(nil, nil, schema.GroupVersionKind(r.Kind), r.Namespace, r.Name,
		schema.GroupVersionResource(r.Resource), r.SubResource, admission.Operation(r.Operation), nil, false, info)
	return info, attributes
}

// FixedAuthorizer answers every question alike: "deny", "error", or allow.
type FixedAuthorizer string

func (f FixedAuthorizer) Authorize(_ context.Context, _ authorizer.Attributes) (authorizer.Decision, string, error) {
	switch f {
	case "deny":
		return authorizer.DecisionDeny, "denied by the oracle", nil
	case "error":
		return authorizer.DecisionNoOpinion, "", fmt.Errorf("the oracle's authorizer fails")
	}
	return authorizer.DecisionAllow, "", nil
}

// CostLimit is what one expression may cost.
const CostLimit = celconfig.PerCallLimit
