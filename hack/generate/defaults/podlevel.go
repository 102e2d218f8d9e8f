package main

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

type amounts map[string]resource.Quantity

// podLevelResources is the rule of that name: KEP-2837, defaultHugePagePodLimits and defaultPodRequests.
func podLevelResources(pod map[string]any) {
	spec, _ := pod["spec"].(map[string]any)
	own, _ := spec["resources"].(map[string]any)
	if own == nil {
		return
	}
	limits, requests := amountsOf(own["limits"]), amountsOf(own["requests"])
	if len(limits) == 0 && len(requests) == 0 {
		return
	}
	for name, sum := range aggregate(spec, "limits") {
		_, limited := limits[name]
		_, requested := requests[name]
		if strings.HasPrefix(name, "hugepages-") && !limited && !requested {
			limits[name] = sum
		}
	}
	record(own, "limits", limits)
	if len(limits) == 0 {
		return
	}
	for name, sum := range aggregate(spec, "requests") {
		if _, requested := requests[name]; !requested && (name == "cpu" || name == "memory") {
			requests[name] = sum
		}
	}
	for name, limit := range limits {
		if _, requested := requests[name]; !requested && (name == "cpu" || name == "memory" || strings.HasPrefix(name, "hugepages-")) {
			requests[name] = limit
		}
	}
	record(own, "requests", requests)
}

func amountsOf(v any) amounts {
	out := amounts{}
	m, _ := v.(map[string]any)
	for name, text := range m {
		out[name] = quantity(text)
	}
	return out
}

func record(own map[string]any, field string, a amounts) {
	if len(a) == 0 {
		return
	}
	out := map[string]any{}
	for name, q := range a {
		out[name] = q.String()
	}
	own[field] = out
}

// aggregate is what a pod needs at its peak: all containers and sidecars together, or, where that is more, one init
// container beside the sidecars that were started before it.
func aggregate(spec map[string]any, field string) amounts {
	total, peak, sidecars := amounts{}, amounts{}, amounts{}
	for _, c := range containers(spec, "containers") {
		total.add(need(c, field))
	}
	for _, c := range containers(spec, "initContainers") {
		now := amounts{}
		if c["restartPolicy"] == "Always" {
			total.add(need(c, field))
			sidecars.add(need(c, field))
			now.add(sidecars)
		} else {
			now.add(need(c, field))
			now.add(sidecars)
		}
		peak.max(now)
	}
	total.max(peak)
	return total
}

func containers(spec map[string]any, field string) (all []map[string]any) {
	items, _ := spec[field].([]any)
	for _, item := range items {
		all = append(all, item.(map[string]any))
	}
	return all
}

func need(container map[string]any, field string) amounts {
	r, _ := container["resources"].(map[string]any)
	return amountsOf(r[field])
}

func (a amounts) add(b amounts) {
	for name, q := range b {
		sum := a[name]
		sum.Add(q)
		a[name] = sum
	}
}

func (a amounts) max(b amounts) {
	for name, q := range b {
		if have, ok := a[name]; !ok || q.Cmp(have) > 0 {
			a[name] = q.DeepCopy()
		}
	}
}

// podIPs is the rule of that name: the conversions of PodStatus keep podIP and the first of podIPs alike, and podIP
// wins where they differ.
func podIPs(status map[string]any) {
	ips, _ := status["podIPs"].([]any)
	ip := status["podIP"]
	switch {
	case ip == nil && len(ips) > 0:
		if first := ips[0].(map[string]any)["ip"]; first != nil {
			status["podIP"] = first
		}
	case ip != nil && (len(ips) == 0 || ips[0].(map[string]any)["ip"] != ip):
		status["podIPs"] = []any{map[string]any{"ip": ip}}
	}
}
