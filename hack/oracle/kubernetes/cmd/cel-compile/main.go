// Command cel-compile measures what compiled policies cost the API server: the time to compile them and the memory that they keep.
//
// Input: a file of lines {"expr": ..., "variables": [...]} (celenv.Query). Each line is a policy with a compiler of its own over the shared base
// environment, as the API server makes them (policy/validating/plugin.go, compilePolicy). Output: one line
// {"policies": N, "seconds": S, "bytes": what the heap holds more than before, after collection}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"

	"admittance.dev/hack/oracle/kubernetes/internal/celenv"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: cel-compile FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cel-compile:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	policies, err := read(path)
	if err != nil {
		return err
	}
	// The base environment is made once for all policies.
	if _, err := compile(&celenv.Query{Expr: "true"}); err != nil {
		return err
	}
	before := heap()
	began := time.Now()
	compiled := make([]plugincel.ConditionEvaluator, len(policies))
	for i := range policies {
		if compiled[i], err = compile(&policies[i]); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	seconds := time.Since(began).Seconds()
	bytes := heap() - before
	runtime.KeepAlive(compiled)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"policies": len(policies), "seconds": seconds, "bytes": bytes})
}

func read(path string) ([]celenv.Query, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	var policies []celenv.Query
	for lines.Scan() {
		var policy celenv.Query
		if err := json.Unmarshal(lines.Bytes(), &policy); err != nil {
			return nil, err
		}
		policies = append(policies, policy)
	}
	return policies, lines.Err()
}

func compile(policy *celenv.Query) (plugincel.ConditionEvaluator, error) {
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return nil, err
	}
	declarations := plugincel.OptionalVariableDeclarations{HasParams: true, HasAuthorizer: true}
	compiler.CompileAndStoreVariables(celenv.Accessors(policy.Variables), declarations, environment.StoredExpressions)
	evaluator := compiler.CompileCondition([]plugincel.ExpressionAccessor{celenv.AnyExpression(policy.Expr)}, declarations, environment.StoredExpressions)
	if errs := evaluator.CompilationErrors(); len(errs) > 0 {
		return nil, errs[0]
	}
	return evaluator, nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
