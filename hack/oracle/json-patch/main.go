// Command json-patch applies RFC 6902 patches as kube-apiserver applies those of mutating webhooks: with the same
// library and version, by the same two calls, DecodePatch and Apply, and its default options
// (k8s.io/apiserver v0.36.3, pkg/admission/plugin/webhook/mutating/dispatcher.go).
//
// It reads one {"doc": …, "patch": …} a line from standard input and writes one line for each, in order:
// {"result": …} with the patched document, or {"error": "…"}. Numbers and the order of untouched members stay as
// they were written. A line that is not such an object is an error too, and ends nothing.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

type question struct {
	Doc   json.RawMessage `json:"doc"`
	Patch json.RawMessage `json:"patch"`
}

type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "json-patch:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	buffered := bufio.NewWriter(out)
	answers := json.NewEncoder(buffered)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := answers.Encode(reply(line)); err != nil {
				return err
			}
			// A caller that writes a line and waits for its answer must not wait for the buffer to fill.
			if lines.Buffered() == 0 {
				if err := buffered.Flush(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return buffered.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func reply(line []byte) (a answer) {
	// The library indexes and dereferences without looking in some corners; kube-apiserver recovers there as well.
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: fmt.Sprintf("not a question: %v", err)}
	}
	if q.Doc == nil || q.Patch == nil {
		return answer{Error: `not a question: it needs "doc" and "patch"`}
	}
	patch, err := jsonpatch.DecodePatch(q.Patch)
	if err != nil {
		return answer{Error: err.Error()}
	}
	if len(patch) == 0 {
		return answer{Result: q.Doc}
	}
	result, err := patch.Apply(q.Doc)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: result}
}
