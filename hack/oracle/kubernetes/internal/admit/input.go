package admit

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	listersv1 "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"admittance.dev/hack/oracle/kubernetes/internal/celenv"
)

func newRun(c *Case) (*run, error) {
	if c.Request == nil {
		return nil, fmt.Errorf("no request")
	}
	r := &run{annotations: map[string]string{}, authorizer: celenv.FixedAuthorizer(c.Authorizer)}
	if err := r.setRequest(c); err != nil {
		return nil, err
	}
	if err := r.setNamespaces(c); err != nil {
		return nil, err
	}
	documents := c.Policies
	if len(c.Policy) > 0 {
		documents = append([]json.RawMessage{c.Policy}, documents...)
	}
	for _, document := range documents {
		if err := r.addPolicy(c, document); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *run) setRequest(c *Case) error {
	q := c.Request
	kind, resource, subresource := q.Kind, q.Resource, q.SubResource
	if q.RequestKind != nil {
		kind = *q.RequestKind
	}
	if q.RequestResource != nil {
		resource, subresource = *q.RequestResource, q.RequestSubResource
	}
	decode := func(raw []byte) (runtime.Object, error) {
		if len(raw) == 0 || string(raw) == "null" {
			return nil, nil
		}
		u := &unstructured.Unstructured{}
		if err := utiljson.Unmarshal(raw, &u.Object); err != nil {
			return nil, err
		}
		if u.GetKind() == "" { // a sparse object: upstream's always say what they are
			u.SetGroupVersionKind(schema.GroupVersionKind(kind))
		}
		if c.Typed {
			if typed, err := scheme.Scheme.New(u.GroupVersionKind()); err == nil {
				return typed, json.Unmarshal(raw, typed)
			}
		}
		return u, nil
	}
	object, err := decode(q.Object.Raw)
	if err != nil {
		return fmt.Errorf("request.object: %w", err)
	}
	old, err := decode(q.OldObject.Raw)
	if err != nil {
		return fmt.Errorf("request.oldObject: %w", err)
	}
	var options runtime.Object
	if len(q.Options.Raw) > 0 && string(q.Options.Raw) != "null" {
		u := &unstructured.Unstructured{}
		if err := utiljson.Unmarshal(q.Options.Raw, &u.Object); err != nil {
			return fmt.Errorf("request.options: %w", err)
		}
		options = u
	}
	extra := map[string][]string{}
	for k, v := range q.UserInfo.Extra {
		extra[k] = v
	}
	info := &user.DefaultInfo{Name: q.UserInfo.Username, UID: q.UserInfo.UID, Groups: q.UserInfo.Groups, Extra: extra}
	record := admission.NewAttributesRecord(object, old, schema.GroupVersionKind(kind), q.Namespace, q.Name, schema.GroupVersionResource(resource), subresource,
		admission.Operation(q.Operation), options, q.DryRun != nil && *q.DryRun, info)
	r.attributes = &recordingAttributes{record, r}
	// Equivalent resources (matchPolicy): the one that the client used and the one that a webhook would get. The API server knows them from its own registry.
	equivalents := runtime.NewEquivalentResourceRegistryWithIdentity(func(schema.GroupResource) string { return "one" })
	equivalents.RegisterKindFor(schema.GroupVersionResource(resource), subresource, schema.GroupVersionKind(kind))
	if q.Resource != resource {
		equivalents.RegisterKindFor(schema.GroupVersionResource(q.Resource), subresource, schema.GroupVersionKind(q.Kind))
	}
	r.interfaces = sameTypeConversion{admission.NewObjectInterfacesFromScheme(scheme.Scheme), equivalents, c.Typed}
	return nil
}

// sameTypeConversion adds what an API server's scheme has and client-go's lacks: a typed object converts to its own type, one without a type by its
// apiVersion alone (as custom resources do with conversion strategy None).
type sameTypeConversion struct {
	admission.ObjectInterfaces
	equivalents runtime.EquivalentResourceMapper
	typed       bool
}

func (s sameTypeConversion) GetEquivalentResourceMapper() runtime.EquivalentResourceMapper {
	return s.equivalents
}

func (s sameTypeConversion) GetObjectCreater() runtime.ObjectCreater {
	if s.typed {
		return s.ObjectInterfaces.GetObjectCreater()
	}
	return unstructuredCreater{}
}

type unstructuredCreater struct{}

func (unstructuredCreater) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u, nil
}

type convertor struct{ runtime.ObjectConvertor }

func (s sameTypeConversion) GetObjectConvertor() runtime.ObjectConvertor {
	return convertor{s.ObjectInterfaces.GetObjectConvertor()}
}

func (c convertor) Convert(in, out, context any) error {
	if _, ok := in.(runtime.Unstructured); !ok && reflect.TypeOf(in) == reflect.TypeOf(out) {
		reflect.ValueOf(out).Elem().Set(reflect.ValueOf(in).Elem())
		return nil
	}
	if from, ok := in.(*unstructured.Unstructured); ok {
		if to, ok := out.(*unstructured.Unstructured); ok {
			to.Object = from.DeepCopy().Object
			return nil
		}
	}
	return c.ObjectConvertor.Convert(in, out, context)
}

func (r *run) setNamespaces(c *Case) error {
	if emptyCluster == nil {
		emptyCluster = fake.NewClientset()
	}
	namespaces := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	add := func(n *corev1.Namespace) {
		if n.Labels == nil {
			n.Labels = map[string]string{}
		}
		n.Labels[corev1.LabelMetadataName] = n.Name
		_ = namespaces.Add(n)
	}
	if name := c.Request.Namespace; name != "" && c.NamespaceObject == nil {
		add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	for _, n := range c.Namespaces {
		add(n)
	}
	if n := c.NamespaceObject; n != nil {
		if n.Name == "" {
			n.Name = c.Request.Namespace
		}
		add(n)
	}
	r.matcher = matching.NewMatcher(listersv1.NewNamespaceLister(namespaces), emptyCluster)
	return nil
}

func (r *run) addPolicy(c *Case, document json.RawMessage) error {
	var kind metav1.TypeMeta
	if err := json.Unmarshal(document, &kind); err != nil {
		return err
	}
	switch kind.Kind {
	case "ValidatingAdmissionPolicy":
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{}
		if err := json.Unmarshal(document, policy); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		defaultPolicy(&policy.Spec.FailurePolicy, policy.Spec.MatchConstraints)
		r.errors = append(r.errors, checkValidating(policy)...)
		bindings, err := bindings[admissionregistrationv1.ValidatingAdmissionPolicyBinding](c, kind.Kind+"Binding", policy.Name)
		if err != nil || len(bindings) == 0 {
			return err // a policy without bindings does nothing
		}
		for _, b := range bindings {
			defaultMatch(b.Spec.MatchResources)
		}
		informer, scope, err := params(c, policy.Spec.ParamKind)
		r.validating = append(r.validating, validating.PolicyHook{Policy: policy, Bindings: bindings, ParamInformer: informer, ParamScope: scope, ConfigurationError: err,
			Evaluator: &recordingValidator{compileValidating(policy), policy.Name, r}})
	case "MutatingAdmissionPolicy":
		policy := &admissionregistrationv1.MutatingAdmissionPolicy{}
		if err := json.Unmarshal(document, policy); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		defaultPolicy(&policy.Spec.FailurePolicy, policy.Spec.MatchConstraints)
		if policy.Spec.ReinvocationPolicy == "" {
			policy.Spec.ReinvocationPolicy = admissionregistrationv1.NeverReinvocationPolicy
		}
		r.errors = append(r.errors, checkMutating(policy)...)
		bindings, err := bindings[admissionregistrationv1.MutatingAdmissionPolicyBinding](c, kind.Kind+"Binding", policy.Name)
		if err != nil || len(bindings) == 0 {
			return err
		}
		for _, b := range bindings {
			defaultMatch(b.Spec.MatchResources)
		}
		informer, scope, err := params(c, policy.Spec.ParamKind)
		r.mutating = append(r.mutating, mutating.PolicyHook{Policy: policy, Bindings: bindings, ParamInformer: informer, ParamScope: scope, ConfigurationError: err, Evaluator: compileMutating(policy)})
	default:
		return fmt.Errorf("unknown kind of policy %q", kind.Kind)
	}
	return nil
}

// The defaults of pkg/apis/admissionregistration/v1/defaults.go in k8s.io/kubernetes.
func defaultPolicy(failure **admissionregistrationv1.FailurePolicyType, constraints *admissionregistrationv1.MatchResources) {
	if *failure == nil {
		fail := admissionregistrationv1.Fail
		*failure = &fail
	}
	defaultMatch(constraints)
}

func defaultMatch(m *admissionregistrationv1.MatchResources) {
	if m == nil {
		return
	}
	if m.MatchPolicy == nil {
		equivalent := admissionregistrationv1.Equivalent
		m.MatchPolicy = &equivalent
	}
	if m.NamespaceSelector == nil {
		m.NamespaceSelector = &metav1.LabelSelector{}
	}
	if m.ObjectSelector == nil {
		m.ObjectSelector = &metav1.LabelSelector{}
	}
	for _, rules := range [][]admissionregistrationv1.NamedRuleWithOperations{m.ResourceRules, m.ExcludeResourceRules} {
		for i := range rules {
			if rules[i].Scope == nil {
				all := admissionregistrationv1.AllScopes
				rules[i].Scope = &all
			}
		}
	}
}

// bindings of a policy, in the order given. (The API server's order is random.)
func bindings[B any](c *Case, kind, policy string) (found []*B, err error) {
	for _, document := range c.Bindings {
		var head struct {
			Kind string `json:"kind"`
			Spec struct {
				PolicyName string `json:"policyName"`
			} `json:"spec"`
		}
		if err := json.Unmarshal(document, &head); err != nil {
			return nil, err
		}
		if head.Spec.PolicyName != policy || (head.Kind != "" && head.Kind != kind) {
			continue
		}
		b := new(B)
		if err := json.Unmarshal(document, b); err != nil {
			return nil, fmt.Errorf("binding: %w", err)
		}
		found = append(found, b)
	}
	return found, nil
}

// paramInformer serves the parameter objects of a kind from the input.
type paramInformer struct {
	cache.SharedIndexInformer
	lister cache.GenericLister
}

func (p *paramInformer) Informer() cache.SharedIndexInformer { return p }
func (p *paramInformer) Lister() cache.GenericLister         { return p.lister }
func (p *paramInformer) HasSynced() bool                     { return true }

func params(c *Case, kind *admissionregistrationv1.ParamKind) (informers.GenericInformer, meta.RESTScope, error) {
	if kind == nil {
		return nil, nil, nil
	}
	scope := c.ParamScope
	if scope == "" && kind.APIVersion == "v1" && (kind.Kind == "ConfigMap" || kind.Kind == "Secret") {
		scope = "Namespaced"
	}
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, raw := range c.Params {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(raw); err != nil {
			return nil, nil, fmt.Errorf("params: %w", err)
		}
		if u.GetAPIVersion() != kind.APIVersion || u.GetKind() != kind.Kind {
			continue
		}
		if u.GetNamespace() != "" && scope == "" {
			scope = "Namespaced"
		}
		if err := store.Add(u); err != nil {
			return nil, nil, err
		}
	}
	resource := schema.GroupResource{Resource: strings.ToLower(kind.Kind) + "s"}
	informer := &paramInformer{lister: sortedLister{cache.NewGenericLister(store, resource)}}
	if scope == "Namespaced" {
		return informer, meta.RESTScopeNamespace, nil
	}
	return informer, meta.RESTScopeRoot, nil
}
