package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// What follows are the documents of the OCI image specification, version 1.1, as far as an image of one layer needs them.

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type configuration struct {
	Created time.Time `json:"created"`
	platform
	Config struct {
		User       string            `json:",omitempty"`
		Entrypoint []string          `json:",omitempty"`
		WorkingDir string            `json:",omitempty"`
		Labels     map[string]string `json:",omitempty"`
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []history `json:"history"`
}

type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// dockerManifest is an entry of manifest.json: what `docker save` wrote before it wrote OCI layouts.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// archive is a tar archive under way; after the first error it writes nothing more.
type archive struct {
	writer *tar.Writer
	at     time.Time
	err    error
}

// add stores content under name.
func (a *archive) add(name string, content []byte) {
	if a.err == nil {
		a.err = a.writer.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: a.at})
	}
	if a.err == nil {
		_, a.err = a.writer.Write(content)
	}
}

// addJSON stores a document under name.
func (a *archive) addJSON(name string, document any) {
	content, err := json.Marshal(document)
	if a.err == nil {
		a.err = err
	}
	a.add(name, content)
}

// addBlob stores content under its digest.
func (a *archive) addBlob(mediaType string, content []byte) descriptor {
	blob := descriptor{MediaType: mediaType, Digest: digestOf(content), Size: len(content)}
	a.add(blobPath(blob.Digest), content)
	return blob
}

// addBlobJSON stores a document under its digest.
func (a *archive) addBlobJSON(mediaType string, document any) descriptor {
	content, err := json.Marshal(document)
	if a.err == nil {
		a.err = err
	}
	return a.addBlob(mediaType, content)
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// blobPath says where an archive holds the blob of a digest.
func blobPath(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

// writeArchive writes the image and returns its digest, that of the manifest.
func writeArchive(output string, asked image, layer layer) (string, error) {
	file, err := os.Create(output)
	if err != nil {
		return "", err
	}
	defer file.Close()
	a := archive{writer: tar.NewWriter(file), at: asked.time}

	a.addJSON("oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"})
	layerBlob := a.addBlob("application/vnd.oci.image.layer.v1.tar+gzip", layer.compressed)

	config := configuration{Created: asked.time, platform: asked.platform}
	config.Config.User, config.Config.WorkingDir = asked.user, "/"
	config.Config.Entrypoint, config.Config.Labels = []string{asked.entrypoint}, asked.labels
	config.RootFS.Type, config.RootFS.DiffIDs = "layers", []string{digestOf(layer.tar)}
	config.History = []history{{Created: asked.time, CreatedBy: "mkimage"}}
	configBlob := a.addBlobJSON("application/vnd.oci.image.config.v1+json", config)

	image := manifest{
		SchemaVersion: 2,
		MediaType:     "application/vnd.oci.image.manifest.v1+json",
		Config:        configBlob,
		Layers:        []descriptor{layerBlob},
		Annotations:   asked.labels,
	}
	imageBlob := a.addBlobJSON(image.MediaType, image)
	imageBlob.Platform = &asked.platform
	// Two tools, two places for the name: containerd (and so kind and Docker) reads the first, the specification has the second.
	imageBlob.Annotations = map[string]string{
		"io.containerd.image.name":          asked.name,
		"org.opencontainers.image.ref.name": asked.name,
	}
	a.addJSON("index.json", index{2, "application/vnd.oci.image.index.v1+json", []descriptor{imageBlob}})
	a.addJSON("manifest.json", []dockerManifest{{blobPath(configBlob.Digest), []string{asked.name}, []string{blobPath(layerBlob.Digest)}}})

	if a.err == nil {
		a.err = a.writer.Close()
	}
	if a.err == nil {
		a.err = file.Close()
	}
	return imageBlob.Digest, a.err
}
