package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiServer is a real one, reached through kubectl, with a webhook of ours behind it that says what it is sent.
type apiServer struct{ seen chan json.RawMessage }

// connect starts the webhook on a loopback port, registers it for the creation of every kind of the table, and
// returns when the API server calls it.
func connect() (*apiServer, error) {
	server := &apiServer{seen: make(chan json.RawMessage, 16)}
	certificate, bundle, err := selfSigned()
	if err != nil {
		return nil, err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return nil, err
	}
	go http.Serve(listener, http.HandlerFunc(server.answer))

	url := "https://" + listener.Addr().String()
	none := admissionregistrationv1.SideEffectClassNone
	webhook := admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: "defaults"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name:                    "defaults.admittance.dev",
			ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: bundle},
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             &none,
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{"", "apps", "batch"}, APIVersions: []string{"v1"}, Resources: []string{"*"}},
			}},
		}},
	}
	text, err := json.Marshal(webhook)
	if err != nil {
		return nil, err
	}
	if _, err := kubectl(text, "create", "-f", "-"); err != nil {
		return nil, err
	}
	probe := []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"probe"}}`)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, _, err := server.create(probe); !errors.Is(err, errNotCalled) {
			return server, err
		}
	}
	return nil, errNotCalled
}

var errNotCalled = errors.New("the API server does not call the webhook")

// create has the API server create an object without keeping it: what the mutating webhook was sent, and the answer.
func (s *apiServer) create(manifest []byte) (seen, answered any, err error) {
	for len(s.seen) > 0 {
		<-s.seen // of a manifest that was refused after the webhook
	}
	answer, err := kubectl(manifest, "create", "--dry-run=server", "--validate=ignore", "-o", "json", "-f", "-")
	if err != nil {
		return nil, nil, err
	}
	select {
	case raw := <-s.seen:
		seen, err = decode(raw)
	default:
		return nil, nil, errNotCalled
	}
	if err == nil {
		answered, err = decode(answer)
	}
	return seen, answered, err
}

func (s *apiServer) answer(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	s.seen <- review.Request.Object.Raw
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(review)
}

func kubectl(input []byte, arguments ...string) ([]byte, error) {
	command := exec.Command("kubectl", arguments...)
	command.Stdin = bytes.NewReader(input)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("kubectl %v: %s%w", arguments, complaint.Bytes(), err)
	}
	return output, nil
}

func selfSigned() (certificate tls.Certificate, bundle []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "defaults"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return certificate, nil, err
	}
	bundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, bundle, nil
}

// normalise takes from what the webhook was sent all that is neither written by the user nor a default: what the
// request handler notes down for this one request. (The admission plugins DefaultTolerationSeconds, Priority and
// ServiceAccount, which come before webhooks and add tolerations, priority and preemptionPolicy, serviceAccountName and
// a token volume to pods, are switched off in that API server. What the registry's strategies and allocators add,
// such as clusterIP, ipFamilies, a Job's selector, generation or a pod's qosClass, comes after mutating webhooks.)
func normalise(seen any, manifest map[string]any) {
	metadata := seen.(map[string]any)["metadata"].(map[string]any)
	written, _ := manifest["metadata"].(map[string]any)
	for _, noted := range []string{"creationTimestamp", "managedFields", "uid", "namespace"} {
		if written[noted] == nil {
			delete(metadata, noted)
		}
	}
}
