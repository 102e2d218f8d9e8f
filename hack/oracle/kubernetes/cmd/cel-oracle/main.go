// Command cel-oracle answers expressions as Kubernetes 1.36 does in a ValidatingAdmissionPolicy.
//
// One JSON object a line on standard input ({"expr": ..., "vars": {...}}; see celenv.Query), one answer a line on standard output:
// {"value": ..., "type": ..., "cost": N} or {"error": ..., "phase": "parse|check|eval", "cost": N}. See package encoding for values.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"admittance.dev/hack/oracle/kubernetes/internal/celenv"
)

func main() {
	expr := flag.String("e", "", "evaluate this one expression without variables")
	merge := flag.Bool("merge", false, "copy the fields of the input line into the answer, under \"query\"")
	repeat := flag.Int("repeat", 1, "evaluate so many times and mark answers that differ as \"unstable\" (map order)")
	flag.Parse()
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if *expr != "" {
		_ = encoder.Encode(celenv.Run(context.Background(), &celenv.Query{Expr: *expr}, *repeat))
		return
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			answer(encoder, line, *merge, *repeat)
		}
		if err != nil {
			return
		}
	}
}

func answer(encoder *json.Encoder, line []byte, merge bool, repeat int) {
	var q celenv.Query
	var a celenv.Answer
	if err := json.Unmarshal(line, &q); err != nil {
		a = celenv.Answer{Error: fmt.Sprintf("unreadable line: %v", err), Phase: "input"}
	} else {
		a = celenv.Run(context.Background(), &q, repeat)
	}
	if merge {
		_ = encoder.Encode(struct {
			celenv.Answer
			Query json.RawMessage `json:"query"`
		}{a, line})
		return
	}
	_ = encoder.Encode(a)
}
