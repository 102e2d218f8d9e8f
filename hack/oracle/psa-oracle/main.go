// psa-oracle reads JSON lines and answers each as k8s.io/pod-security-admission decides.
//
//	{id, level, version, pod}      -> {id, allowed, message}   version is "v1.N" or "latest"
//	{id, labels, level, version}   -> {id, modes, error}       what a Namespace with these labels asks for, where level and
//	                                                           version hold for all modes by default
//
// A volume without a source is an emptyDir, as the API server fills it in before admission (pkg/apis/core/v1,
// SetDefaults_Volume).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type row struct {
	ID      string            `json:"id"`
	Level   string            `json:"level"`
	Version string            `json:"version"`
	Pod     corev1.Pod        `json:"pod"`
	Labels  map[string]string `json:"labels"`
}

type answer struct {
	ID      string `json:"id"`
	Allowed bool   `json:"allowed"`
	Message string `json:"message,omitempty"`
	Modes   string `json:"modes,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		panic(err)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for in.Scan() {
		var r row
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			enc.Encode(answer{Error: err.Error()})
			continue
		}
		v, err := api.ParseVersion(r.Version)
		if err != nil {
			enc.Encode(answer{ID: r.ID, Error: fmt.Sprint(err)})
			continue
		}
		standard := api.LevelVersion{Level: api.Level(r.Level), Version: v}
		if r.Labels != nil {
			enc.Encode(modes(r, standard))
		} else {
			enc.Encode(judge(evaluator, r, standard))
		}
	}
}

func judge(evaluator policy.Evaluator, r row, standard api.LevelVersion) answer {
	for i := range r.Pod.Spec.Volumes {
		if volume := &r.Pod.Spec.Volumes[i]; volume.VolumeSource == (corev1.VolumeSource{}) {
			volume.EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	res := policy.AggregateCheckResults(evaluator.EvaluatePod(standard, &r.Pod.ObjectMeta, &r.Pod.Spec))
	a := answer{ID: r.ID, Allowed: res.Allowed}
	if !res.Allowed {
		a.Message = res.ForbiddenDetail()
	}
	return a
}

func modes(r row, standard api.LevelVersion) answer {
	p, errs := api.PolicyToEvaluate(r.Labels, api.Policy{Enforce: standard, Audit: standard, Warn: standard})
	a := answer{ID: r.ID, Modes: fmt.Sprintf("%s %s %s", p.Enforce, p.Audit, p.Warn)}
	if err := errs.ToAggregate(); err != nil {
		a.Error = fmt.Sprintf("Failed to parse policy: %v", err)
	}
	return a
}
