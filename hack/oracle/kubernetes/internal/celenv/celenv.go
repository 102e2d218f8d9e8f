// Package celenv compiles and evaluates one expression as Kubernetes does for a ValidatingAdmissionPolicy.
//
// Compilation goes through upstream's own compiler (admission/plugin/cel) over environment.MustBaseEnvSet: the same declarations,
// libraries, cost tracking and cost limit. Variables that admission does not know are added to the base environment, declared dyn
// unless a type is given.
package celenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types/ref"

	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"

	"admittance.dev/hack/oracle/kubernetes/internal/encoding"
)

// Query is one input line.
type Query struct {
	ID   json.RawMessage `json:"id,omitempty"`
	Expr string          `json:"expr"`
	// Vars binds variables to plain JSON, read as the API server reads objects: integers are int, other numbers double.
	Vars map[string]json.RawMessage `json:"vars,omitempty"`
	// Values binds variables to tagged values (package encoding): uint, bytes, timestamp and so on.
	Values map[string]json.RawMessage `json:"values,omitempty"`
	// Types declares variables that are not dyn: "int", "list(string)", "map(string,dyn)", "timestamp" ...
	Types map[string]string `json:"types,omitempty"`
	// Variables are the policy's own variables, in order: `variables.<name>` with the type of the expression, evaluated lazily.
	Variables []NamedExpression `json:"variables,omitempty"`
	Container string            `json:"container,omitempty"`
	// K8sVersion: evaluate what a new expression may use at this compatibility version ("1.30"). Default: everything the 1.36 server
	// knows, which is what it evaluates stored policies with.
	K8sVersion string `json:"k8s_version,omitempty"`
	// Params false: the policy has no paramKind, so `params` is undeclared.
	Params *bool `json:"params,omitempty"`
	// Authorizer: allow (default), deny, error; none leaves it undeclared, as in messageExpression.
	Authorizer string `json:"authorizer,omitempty"`
	// PatchTypes true: the environment of MutatingAdmissionPolicy mutations (Object{}, JSONPatch{}, jsonpatch.escapeKey).
	PatchTypes bool `json:"patch_types,omitempty"`
	// CheckOnly true: report the deduced type alone.
	CheckOnly bool `json:"check_only,omitempty"`
	// Estimate true: report the cost that is estimated from the expression alone too.
	Estimate bool `json:"estimate,omitempty"`
}

// NamedExpression is a variable of a policy.
type NamedExpression struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}

// Answer is one output line.
type Answer struct {
	ID    json.RawMessage `json:"id,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	Type  string          `json:"type,omitempty"`
	Error string          `json:"error,omitempty"`
	Phase string          `json:"phase,omitempty"`
	Cost  *int64          `json:"cost,omitempty"`
	// Estimate is the range that the cost may be in, for an input of any size; absent unless asked for.
	Estimate *Estimate `json:"estimate,omitempty"`
	// Unstable names what differed between repeated evaluations ("value", "error", "cost"): Go walks maps in random order.
	Unstable []string `json:"unstable,omitempty"`
}

// Compiled is a checked expression with its program.
type Compiled struct {
	Program cel.Program
	Type    *cel.Type
	// composition is nil if the policy has no variables.
	composition *plugincel.CompositedCompiler
	compiler    plugincel.Compiler
	mode        environment.Type
}

type anyExpression struct{ name, text string }

func (e anyExpression) GetExpression() string    { return e.text }
func (e anyExpression) GetName() string          { return e.name }
func (e anyExpression) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType} }

// AnyExpression is an accessor that accepts every result type.
func AnyExpression(text string) plugincel.ExpressionAccessor { return anyExpression{text: text} }

// Accessors are the variables of a policy as the compiler takes them.
func Accessors(variables []NamedExpression) []plugincel.NamedExpressionAccessor {
	accessors := make([]plugincel.NamedExpressionAccessor, len(variables))
	for i, v := range variables {
		accessors[i] = anyExpression{v.Name, v.Expression}
	}
	return accessors
}

var admissionVariables = map[string]bool{"object": true, "oldObject": true, "params": true, "request": true, "namespaceObject": true,
	"authorizer": true, "authorizer.requestResource": true, "variables": true}

type compilerEntry struct {
	compiler plugincel.Compiler
	parseEnv *cel.Env
}

var compilers = map[string]compilerEntry{}

// envSet gives the base environment of a version, and which of its two environments to use.
func envSet(k8sVersion string) (*environment.EnvSet, environment.Type, error) {
	if k8sVersion == "" {
		return environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()), environment.StoredExpressions, nil
	}
	v, err := version.ParseGeneric(strings.TrimPrefix(k8sVersion, "v"))
	if err != nil {
		return nil, "", err
	}
	return environment.MustBaseEnvSet(v), environment.NewExpressions, nil
}

func (q *Query) declarations() plugincel.OptionalVariableDeclarations {
	return plugincel.OptionalVariableDeclarations{HasParams: q.Params == nil || *q.Params, HasAuthorizer: q.Authorizer != "none", HasPatchTypes: q.PatchTypes}
}

// Compile parses and checks; a non-empty phase tells where it failed.
func Compile(q *Query) (c *Compiled, phase string, err error) {
	base, mode, err := envSet(q.K8sVersion)
	if err != nil {
		return nil, "input", err
	}
	declared := map[string]string{}
	for name := range q.Vars {
		declared[name] = "dyn"
	}
	for name := range q.Values {
		declared[name] = "dyn"
	}
	for name, t := range q.Types {
		declared[name] = t
	}
	if len(q.Variables) > 0 {
		delete(declared, "variables")
	}
	var names []string
	for name := range declared {
		if !admissionVariables[name] || name == "variables" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	key := q.K8sVersion + "\x00" + q.Container
	var options []cel.EnvOption
	for _, name := range names {
		t, err := parseType(declared[name])
		if err != nil {
			return nil, "input", err
		}
		options = append(options, cel.Variable(name, t))
		key += "\x00" + name + ":" + declared[name]
	}
	if q.Container != "" {
		options = append(options, cel.Container(q.Container))
	}

	entry, ok := compilers[key]
	if !ok || len(q.Variables) > 0 {
		set := base
		if len(options) > 0 {
			set, err = base.Extend(environment.VersionedOptions{IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: options})
			if err != nil {
				return nil, "input", err
			}
		}
		parseEnv, err := set.Env(mode)
		if err != nil {
			return nil, "input", err
		}
		// With `variables` given as a plain value there is no composition, and the name is declared dyn.
		if _, plain := declared["variables"]; plain {
			entry = compilerEntry{plugincel.NewCompiler(set), parseEnv}
		} else {
			composited, err := plugincel.NewCompositedCompiler(set)
			if err != nil {
				return nil, "input", err
			}
			entry = compilerEntry{composited, parseEnv}
		}
		if len(q.Variables) == 0 {
			if len(compilers) > 256 {
				compilers = map[string]compilerEntry{}
			}
			compilers[key] = entry
		}
	}

	if _, issues := entry.parseEnv.Parse(q.Expr); issues != nil && issues.Err() != nil {
		return nil, "parse", issues.Err()
	}
	composited, _ := entry.compiler.(*plugincel.CompositedCompiler)
	for _, v := range q.Variables {
		composited.CompileAndStoreVariable(anyExpression{v.Name, v.Expression}, q.declarations(), mode)
	}
	result := entry.compiler.CompileCELExpression(AnyExpression(q.Expr), q.declarations(), mode)
	if result.Error != nil {
		return nil, "check", fmt.Errorf("%s", strings.TrimPrefix(result.Error.Detail, "compilation failed: "))
	}
	return &Compiled{Program: result.Program, Type: result.OutputType, composition: composited, compiler: entry.compiler, mode: mode}, "", nil
}

// Prepared is an expression with its variables bound.
type Prepared struct {
	compiled   *Compiled
	activation *activation
}

// Prepare binds the variables of the query.
func (c *Compiled) Prepare(q *Query) (*Prepared, error) {
	a, err := newActivation(q)
	return &Prepared{c, a}, err
}

// Eval evaluates; the cost is known even if it fails.
func (p *Prepared) Eval(ctx context.Context) (ref.Val, *int64, error) {
	c, activation := p.compiled, p.activation
	var composition plugincel.CompositionContext
	if c.composition != nil && activation.usesComposition {
		composition = c.composition.CreateContext(ctx)
		ctx = composition
		activation.values["variables"] = composition.Variables(activation)
	}
	value, details, err := c.Program.ContextEval(ctx, activation)
	var cost *int64
	if details != nil && details.ActualCost() != nil {
		n := int64(*details.ActualCost())
		if composition != nil {
			n += composition.GetAndResetCost()
		}
		cost = &n
	}
	return value, cost, err
}

// Run answers a query. It evaluates it repeat times and notes what differs; the first answer counts.
func Run(ctx context.Context, q *Query, repeat int) (a Answer) {
	a.ID = q.ID
	defer func() {
		if r := recover(); r != nil {
			a = Answer{ID: q.ID, Error: fmt.Sprintf("panic: %v", r), Phase: "panic"}
		}
	}()
	compiled, phase, err := Compile(q)
	if err != nil {
		a.Error, a.Phase = err.Error(), phase
		return a
	}
	a.Type = TypeName(compiled.Type)
	if q.Estimate {
		if a.Estimate, err = compiled.estimate(q); err != nil {
			a.Error, a.Phase = err.Error(), "input"
			return a
		}
	}
	if q.CheckOnly {
		return a
	}
	prepared, err := compiled.Prepare(q)
	if err != nil {
		a.Error, a.Phase = err.Error(), "input"
		return a
	}
	outcome := func() (o Answer) {
		value, cost, err := prepared.Eval(ctx)
		o.Cost = cost
		if err != nil {
			o.Error, o.Phase = err.Error(), "eval"
		} else {
			o.Value = encoding.Encode(value)
		}
		return o
	}
	first := outcome()
	a.Value, a.Error, a.Phase, a.Cost = first.Value, first.Error, first.Phase, first.Cost
	var value, message, cost bool
	for i := 1; i < repeat; i++ {
		next := outcome()
		value = value || !bytes.Equal(first.Value, next.Value)
		message = message || first.Error != next.Error
		cost = cost || (first.Cost == nil) != (next.Cost == nil) || (first.Cost != nil && *first.Cost != *next.Cost)
	}
	for name, differs := range map[string]bool{"value": value, "error": message, "cost": cost} {
		if differs {
			a.Unstable = append(a.Unstable, name)
		}
	}
	sort.Strings(a.Unstable)
	return a
}
