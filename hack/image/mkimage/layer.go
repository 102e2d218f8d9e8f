package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"time"
)

// layer is a file system as a tar archive, in both forms that an image refers to: the manifest by the compressed one, the
// configuration by the other.
type layer struct {
	tar        []byte
	compressed []byte
}

// newLayer packs files (path in the image: path of the file) with the folders above them.
func newLayer(files map[string]string, at time.Time) (layer, error) {
	entries := maps.Clone(files)
	for file := range files {
		for folder := path.Dir(file); folder != "."; folder = path.Dir(folder) {
			if _, taken := files[folder]; taken {
				return layer{}, fmt.Errorf("%q is a file and, for %q, a folder", folder, file)
			}
			entries[folder] = ""
		}
	}

	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, entry := range slices.Sorted(maps.Keys(entries)) {
		if err := addEntry(archive, entry, entries[entry], at); err != nil {
			return layer{}, err
		}
	}
	if err := archive.Close(); err != nil {
		return layer{}, err
	}

	var compressed bytes.Buffer
	// The header of the stream holds neither a name nor a time.
	writer, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return layer{}, err
	}
	if _, err := writer.Write(packed.Bytes()); err != nil {
		return layer{}, err
	}
	if err := writer.Close(); err != nil {
		return layer{}, err
	}
	return layer{tar: packed.Bytes(), compressed: compressed.Bytes()}, nil
}

// addEntry adds a file, or a folder where source is empty.
func addEntry(archive *tar.Writer, name, source string, at time.Time) error {
	header := tar.Header{Name: name, ModTime: at, Format: tar.FormatPAX}
	if source == "" {
		header.Name, header.Typeflag, header.Mode = name+"/", tar.TypeDir, 0o755
		return archive.WriteHeader(&header)
	}
	file, err := os.Open(source)
	if err != nil {
		return err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return err
	}
	if !about.Mode().IsRegular() {
		return fmt.Errorf("%q is not a regular file", source)
	}
	header.Typeflag, header.Size, header.Mode = tar.TypeReg, about.Size(), 0o644
	if about.Mode()&0o100 != 0 {
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}
