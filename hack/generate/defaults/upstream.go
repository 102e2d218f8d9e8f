package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
)

// kind is one of those whose defaults the table holds: pods, what makes them, Services and ConfigMaps.
type kind struct {
	gvk schema.GroupVersionKind
	typ reflect.Type
}

var kinds = []kind{
	{corev1.SchemeGroupVersion.WithKind("ConfigMap"), reflect.TypeFor[corev1.ConfigMap]()},
	{corev1.SchemeGroupVersion.WithKind("Pod"), reflect.TypeFor[corev1.Pod]()},
	{corev1.SchemeGroupVersion.WithKind("PodTemplate"), reflect.TypeFor[corev1.PodTemplate]()},
	{corev1.SchemeGroupVersion.WithKind("ReplicationController"), reflect.TypeFor[corev1.ReplicationController]()},
	{corev1.SchemeGroupVersion.WithKind("Service"), reflect.TypeFor[corev1.Service]()},
	{appsv1.SchemeGroupVersion.WithKind("DaemonSet"), reflect.TypeFor[appsv1.DaemonSet]()},
	{appsv1.SchemeGroupVersion.WithKind("Deployment"), reflect.TypeFor[appsv1.Deployment]()},
	{appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), reflect.TypeFor[appsv1.ReplicaSet]()},
	{appsv1.SchemeGroupVersion.WithKind("StatefulSet"), reflect.TypeFor[appsv1.StatefulSet]()},
	{batchv1.SchemeGroupVersion.WithKind("CronJob"), reflect.TypeFor[batchv1.CronJob]()},
	{batchv1.SchemeGroupVersion.WithKind("Job"), reflect.TypeFor[batchv1.Job]()},
}

func (k kind) new() runtime.Object { return reflect.New(k.typ).Interface().(runtime.Object) }

// serve does to a manifest what the API server does before it calls a mutating webhook: decodes it into the type
// of its version, fills in the defaults, converts it to the internal type and, for the webhook, back.
func serve(k kind, manifest []byte) (any, error) {
	object := k.new()
	serializer := kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, legacyscheme.Scheme, legacyscheme.Scheme, kjson.SerializerOptions{})
	if _, _, err := serializer.Decode(manifest, &k.gvk, object); err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(object)
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, schema.GroupVersion{Group: k.gvk.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return nil, fmt.Errorf("to internal: %w", err)
	}
	sent, err := legacyscheme.Scheme.ConvertToVersion(internal, k.gvk.GroupVersion())
	if err != nil {
		return nil, fmt.Errorf("from internal: %w", err)
	}
	return encode(sent)
}

// version is that of the Kubernetes module that this program was built with.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "k8s.io/kubernetes" {
			return module.Version
		}
	}
	panic("built without k8s.io/kubernetes")
}

// encode gives an object's JSON form as a tree, with numbers as they are written.
func encode(object any) (any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

func decode(text []byte) (any, error) {
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&tree)
	return tree, err
}
