// Command policy-oracle answers admission requests as Kubernetes 1.36 does with ValidatingAdmissionPolicy and MutatingAdmissionPolicy.
//
// One JSON object a line on standard input ({"policy": ..., "bindings": [...], "params": [...], "namespaceObject": ..., "request": ...};
// see admit.Case), one answer a line on standard output (admit.Answer).
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"k8s.io/klog/v2"

	"admittance.dev/hack/oracle/kubernetes/internal/admit"
)

func main() {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // upstream logs what the answers say
	flag.Parse()
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var c admit.Case
			answer := admit.Answer{}
			if err := json.Unmarshal(line, &c); err != nil {
				answer.Failure = fmt.Sprintf("unreadable line: %v", err)
			} else {
				answer = admit.Run(&c)
			}
			_ = encoder.Encode(answer)
		}
		if err != nil {
			return
		}
	}
}
