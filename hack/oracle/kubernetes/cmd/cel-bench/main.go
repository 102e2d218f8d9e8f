// Command cel-bench measures what an expression costs the API server for each request.
//
// Input: lines {"name": ..., "expr": ..., "vars": {"object": ..., "request": ...}, "variables": [...]} (celenv.Query with a name). Each expression is
// compiled once, as a policy is, and then evaluated over and over in four ways:
//
//	request   validator.Validate's path with an unstructured object: AdmissionRequest and Namespace built, converted, activation, evaluation, cost
//	typed     the same with the object as a Go struct (what the API server holds for built-in kinds): plus its conversion to unstructured
//	program   the evaluation alone, activation made beforehand
//	decode    only the JSON text of the object into an unstructured object (what a webhook would have to do first; no evaluation)
//
// Reported: the median of many short batches in ns for one evaluation, and the best batch, which tells more on a busy machine. -json writes one object
// a line with value and cost too, so that another engine can be compared and checked on the same input.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"

	"admittance.dev/hack/oracle/kubernetes/internal/celenv"
	"admittance.dev/hack/oracle/kubernetes/internal/encoding"
)

type benchCase struct {
	Name string `json:"name"`
	celenv.Query
}

type result struct {
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value,omitempty"`
	Cost    int64           `json:"cost"`
	Request timing          `json:"request_ns"`
	Typed   timing          `json:"typed_ns"`
	Program timing          `json:"program_ns"`
	Decode  timing          `json:"decode_ns"`
	Error   string          `json:"error,omitempty"`
}

// timing of one way, in ns for one evaluation; zero where it does not apply.
type timing struct {
	Median float64 `json:"median"`
	Best   float64 `json:"best"`
}

func (t timing) String() string { return fmt.Sprintf("%.0f/%.0f", t.Median, t.Best) }

var (
	batch   = flag.Duration("batch", 8*time.Millisecond, "length of a batch")
	batches = flag.Int("batches", 41, "batches for each figure")
	asJSON  = flag.Bool("json", false, "write JSON Lines instead of a table")
	only    = flag.String("only", "", "run this case alone")
)

func main() {
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: cel-bench [flags] FILE")
		os.Exit(2)
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !*asJSON {
		fmt.Printf("%-24s %15s %15s %15s %15s %8s  %s\n", "ns/eval, median/best", "request", "typed", "program", "decode", "cost", "value")
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var c benchCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if *only != "" && *only != c.Name {
			continue
		}
		r := run(&c)
		switch {
		case *asJSON:
			e := json.NewEncoder(os.Stdout)
			e.SetEscapeHTML(false)
			_ = e.Encode(r)
		case r.Error != "":
			fmt.Printf("%-28s error: %s\n", r.Name, r.Error)
		default:
			fmt.Printf("%-24s %15s %15s %15s %15s %8d  %.60s\n", r.Name, r.Request, r.Typed, r.Program, r.Decode, r.Cost, r.Value)
		}
	}
}

func run(c *benchCase) result {
	r := result{Name: c.Name}
	ctx := context.Background()

	// What the API server has compiled at the time the policy changed.
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		r.Error = err.Error()
		return r
	}
	declarations := plugincel.OptionalVariableDeclarations{HasParams: true, HasAuthorizer: true}
	compiler.CompileAndStoreVariables(celenv.Accessors(c.Variables), declarations, environment.StoredExpressions)
	evaluator := compiler.CompileCondition([]plugincel.ExpressionAccessor{celenv.AnyExpression(c.Expr)}, declarations, environment.StoredExpressions)
	if errs := evaluator.CompilationErrors(); len(errs) > 0 {
		r.Error = errs[0].Error()
		return r
	}

	// What it has in hand when a request comes.
	in, err := newInputs(c)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	bindings := plugincel.OptionalVariableBindings{Authorizer: celenv.FixedAuthorizer("allow")}
	if in.params != nil {
		bindings.VersionedParams = in.params
	}
	evaluate := func(attributes *admission.VersionedAttributes) (plugincel.EvaluationResult, int64, error) {
		request := plugincel.CreateAdmissionRequest(attributes.Attributes, v1.GroupVersionResource(in.resource), v1.GroupVersionKind(attributes.VersionedKind))
		namespace := plugincel.CreateNamespaceObject(in.namespace)
		results, remaining, err := evaluator.ForInput(ctx, attributes, request, bindings, namespace, celconfig.RuntimeCELCostBudget)
		if err != nil {
			return plugincel.EvaluationResult{}, 0, err
		}
		return results[0], celconfig.RuntimeCELCostBudget - remaining, nil
	}
	first, cost, err := evaluate(in.unstructured)
	if err == nil {
		err = first.Error
	}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Cost, r.Value = cost, encoding.Encode(first.EvalResult)

	r.Request = measure(func() { _, _, _ = evaluate(in.unstructured) })
	if in.typed != nil {
		r.Typed = measure(func() { _, _, _ = evaluate(in.typed) })
	}
	compiled, _, err := celenv.Compile(&c.Query)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	prepared, err := compiled.Prepare(&c.Query)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Program = measure(func() { _, _, _ = prepared.Eval(ctx) })
	if raw := c.Vars["object"]; len(raw) > 0 {
		r.Decode = measure(func() { _ = new(unstructured.Unstructured).UnmarshalJSON(raw) })
	}
	return r
}

type inputs struct {
	unstructured, typed *admission.VersionedAttributes
	params              runtime.Object
	namespace           *corev1.Namespace
	resource            schema.GroupVersionResource
}

func newInputs(c *benchCase) (*inputs, error) {
	var request admissionv1.AdmissionRequest
	if raw := c.Vars["request"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &request); err != nil {
			return nil, err
		}
	}
	in := &inputs{resource: schema.GroupVersionResource(request.Resource)}
	if raw := c.Vars["namespaceObject"]; len(raw) > 0 {
		in.namespace = &corev1.Namespace{}
		if err := json.Unmarshal(raw, in.namespace); err != nil {
			return nil, err
		}
	}
	object, err := readObject(c.Vars["object"])
	if err != nil {
		return nil, err
	}
	oldObject, err := readObject(c.Vars["oldObject"])
	if err != nil {
		return nil, err
	}
	if p, err := readObject(c.Vars["params"]); err != nil {
		return nil, err
	} else if p != nil {
		in.params = p
	}
	kind := schema.GroupVersionKind(request.Kind)
	attributes := func(object, old runtime.Object) *admission.VersionedAttributes {
		return &admission.VersionedAttributes{
			Attributes: admission.NewAttributesRecord(object, old, kind, request.Namespace, request.Name, in.resource, request.SubResource,
				admission.Operation(request.Operation), nil, false, &user.DefaultInfo{Name: request.UserInfo.Username, UID: request.UserInfo.UID, Groups: request.UserInfo.Groups}),
			VersionedObject: object, VersionedOldObject: old, VersionedKind: kind,
		}
	}
	var none, old runtime.Object // nil interfaces: a nil *Unstructured in them would not be nil
	if oldObject != nil {
		old = oldObject
	}
	in.unstructured = attributes(none, old)
	if object != nil {
		in.unstructured = attributes(object, old)
		if typed, err := scheme.Scheme.New(object.GroupVersionKind()); err == nil {
			if err := json.Unmarshal(c.Vars["object"], typed); err != nil {
				return nil, err
			}
			in.typed = attributes(typed, old)
		}
	}
	return in, nil
}

func readObject(raw json.RawMessage) (*unstructured.Unstructured, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	u := &unstructured.Unstructured{}
	return u, u.UnmarshalJSON(raw)
}

func measure(f func()) timing {
	n := 1
	for {
		start := time.Now()
		for i := 0; i < n; i++ {
			f()
		}
		if d := time.Since(start); d > *batch/4 {
			n = max(1, int(float64(n)*float64(*batch)/float64(d)))
			break
		}
		n *= 4
	}
	samples := make([]float64, *batches)
	for b := range samples {
		start := time.Now()
		for i := 0; i < n; i++ {
			f()
		}
		samples[b] = float64(time.Since(start).Nanoseconds()) / float64(n)
	}
	sort.Float64s(samples)
	return timing{Median: samples[len(samples)/2], Best: samples[0]}
}
