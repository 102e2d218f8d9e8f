// Package admit runs a request through ValidatingAdmissionPolicy and MutatingAdmissionPolicy with upstream's own code: matcher, parameters, compilation,
// dispatchers, validator, patchers and status errors. Only what feeds them is ours: policies, bindings, parameters and namespaces come from the input
// in place of informers, and the defaults that the API server writes into policies when they are created are filled in here.
package admit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/client-go/kubernetes"
)

// Case is one input line. Give `policy` or `policies`; mutating ones run first, then the validating ones on the result.
type Case struct {
	ID       json.RawMessage   `json:"id,omitempty"`
	Policy   json.RawMessage   `json:"policy,omitempty"`
	Policies []json.RawMessage `json:"policies,omitempty"`
	Bindings []json.RawMessage `json:"bindings"`
	Params   []json.RawMessage `json:"params,omitempty"`
	// ParamScope of the policies' paramKind: Cluster or Namespaced. Default: Namespaced for ConfigMap, Secret and where a parameter has a namespace.
	ParamScope      string                        `json:"paramScope,omitempty"`
	NamespaceObject *corev1.Namespace             `json:"namespaceObject,omitempty"`
	Namespaces      []*corev1.Namespace           `json:"namespaces,omitempty"`
	Request         *admissionv1.AdmissionRequest `json:"request"`
	Authorizer      string                        `json:"authorizer,omitempty"` // allow (default), deny, error
	// Typed true: built-in kinds are decoded into Go structs, as the API server holds them (unknown fields vanish, some empty fields appear).
	// Default: the object is taken as the JSON that it is, as a webhook sees it. No kind's own defaults are applied either way.
	Typed bool `json:"typed,omitempty"`
}

// Answer is one output line.
type Answer struct {
	ID               json.RawMessage      `json:"id,omitempty"`
	Allowed          bool                 `json:"allowed"`
	Code             int32                `json:"code,omitempty"`
	Reason           string               `json:"reason,omitempty"`
	Message          string               `json:"message,omitempty"`
	Causes           []metav1.StatusCause `json:"causes,omitempty"`
	Warnings         []string             `json:"warnings,omitempty"`
	AuditAnnotations map[string]string    `json:"auditAnnotations,omitempty"`
	// Object after the mutating policies; absent if there are none.
	Object any `json:"object,omitempty"`
	// Decisions of every validation of every matching policy, binding and parameter.
	Decisions []Decision `json:"decisions,omitempty"`
	// Errors are what the API server would refuse the policies for (compilation only).
	Errors []PathError `json:"errors,omitempty"`
	// Failure: the input cannot be run.
	Failure string `json:"failure,omitempty"`
}

// Decision of one validation.
type Decision struct {
	Policy     string `json:"policy"`
	Action     string `json:"action"`     // admit, deny
	Evaluation string `json:"evaluation"` // admit, deny, error
	Reason     string `json:"reason,omitempty"`
	Message    string `json:"message,omitempty"`
}

// Run answers one case.
func Run(c *Case) (answer Answer) {
	answer.ID = c.ID
	defer func() {
		if r := recover(); r != nil {
			answer = Answer{ID: c.ID, Failure: fmt.Sprintf("panic: %v", r)}
		}
	}()
	r, err := newRun(c)
	if err != nil {
		answer.Failure = err.Error()
		return answer
	}
	answer.Errors = r.errors
	ctx := warning.WithWarningRecorder(context.Background(), r)
	err = r.dispatch(ctx)
	answer.Allowed = err == nil
	if err != nil {
		answer.Code, answer.Reason, answer.Message = 500, string(metav1.StatusReasonInternalError), err.Error()
		var status *apierrors.StatusError
		if errors.As(err, &status) {
			answer.Code, answer.Reason, answer.Message = status.ErrStatus.Code, string(status.ErrStatus.Reason), status.ErrStatus.Message
			if status.ErrStatus.Details != nil {
				answer.Causes = status.ErrStatus.Details.Causes
			}
		}
	}
	answer.Warnings, answer.AuditAnnotations, answer.Decisions = r.warnings, r.annotations, r.decisions
	if len(r.mutating) > 0 && r.attributes.GetObject() != nil {
		object, convertErr := runtime.DefaultUnstructuredConverter.ToUnstructured(r.attributes.GetObject())
		if convertErr != nil {
			answer.Failure = convertErr.Error()
		}
		answer.Object = object
	}
	return answer
}

type run struct {
	validating  []validating.PolicyHook
	mutating    []mutating.PolicyHook
	attributes  *recordingAttributes
	interfaces  admission.ObjectInterfaces
	matcher     *matching.Matcher
	authorizer  authorizer.Authorizer
	annotations map[string]string
	warnings    []string
	decisions   []Decision
	errors      []PathError
}

var (
	typeConverters = &schemas{}
	emptyCluster   kubernetes.Interface
)

// policy kinds that API-made policies never see (generic/plugin.go, admissionResources)
var exempt = map[schema.GroupResource]bool{}

func init() {
	for _, r := range []string{"validatingadmissionpolicies", "validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"} {
		exempt[schema.GroupResource{Group: admissionregistrationv1.GroupName, Resource: r}] = true
	}
}

// dispatch is the admission chain with these two plugins: mutate, mutate again if a policy asks for it, validate.
func (r *run) dispatch(ctx context.Context) error {
	if exempt[r.attributes.GetResource().GroupResource()] {
		return nil
	}
	if operation := r.attributes.GetOperation(); len(r.mutating) > 0 && operation != admission.Delete {
		mutator := mutating.NewDispatcher(r.authorizer, r.matcher, typeConverters)
		if err := mutator.Dispatch(ctx, r.attributes, r.interfaces, r.mutating); err != nil {
			return err
		}
		// admission/reinvocation.go
		if again := r.attributes.GetReinvocationContext(); again.ShouldReinvoke() {
			again.SetIsReinvoke()
			if err := mutator.Dispatch(ctx, r.attributes, r.interfaces, r.mutating); err != nil {
				return err
			}
		}
	}
	if len(r.validating) == 0 {
		return nil
	}
	return validating.NewDispatcher(r.authorizer, generic.NewPolicyMatcher(r.matcher)).Dispatch(ctx, r.attributes, r.interfaces, r.validating)
}

func (r *run) AddWarning(_, text string) { r.warnings = append(r.warnings, text) }

// recordingValidator notes every decision; upstream's answer tells only the first denial.
type recordingValidator struct {
	validating.Validator
	policy string
	run    *run
}

func (v *recordingValidator) Validate(ctx context.Context, resource schema.GroupVersionResource, attributes *admission.VersionedAttributes, params runtime.Object, namespace *corev1.Namespace, budget int64, authz authorizer.Authorizer) validating.ValidateResult {
	result := v.Validator.Validate(ctx, resource, attributes, params, namespace, budget, authz)
	for _, d := range result.Decisions {
		v.run.decisions = append(v.run.decisions, Decision{v.policy, string(d.Action), string(d.Evaluation), string(d.Reason), d.Message})
	}
	return result
}

// recordingAttributes keeps the audit annotations, which upstream's record keeps to itself.
type recordingAttributes struct {
	admission.Attributes
	run *run
}

func (a *recordingAttributes) AddAnnotation(key, value string) error {
	return a.AddAnnotationWithLevel(key, value, auditinternal.LevelMetadata)
}

func (a *recordingAttributes) AddAnnotationWithLevel(key, value string, level auditinternal.Level) error {
	err := a.Attributes.AddAnnotationWithLevel(key, value, level)
	if err == nil {
		a.run.annotations[key] = value
	}
	return err
}
