package celenv

import (
	"fmt"
	"reflect"
	"unsafe"

	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

// Estimate is a range of costs.
type Estimate struct {
	Min uint64 `json:"min"`
	Max uint64 `json:"max"`
}

// estimate asks cel-go's estimator with the API server's knowledge of its libraries, and none of how large values are.
func (c *Compiled) estimate(q *Query) (*Estimate, error) {
	// The environment that the compiler checks in is its only field, and it does not show it.
	compiler := c.compiler
	if composited, ok := compiler.(*plugincel.CompositedCompiler); ok {
		compiler = composited.Compiler
	}
	environments := *(*map[plugincel.OptionalVariableDeclarations]*environment.EnvSet)(unsafe.Pointer(reflect.ValueOf(compiler).Pointer()))
	env, err := environments[q.declarations()].Env(c.mode)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(q.Expr)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	cost, err := env.EstimateCost(ast, &library.CostEstimator{})
	if err != nil {
		return nil, fmt.Errorf("estimate: %w", err)
	}
	return &Estimate{Min: cost.Min, Max: cost.Max}, nil
}
