// mkimage writes a container image of one layer as an OCI archive, from files alone: no container tool, no base image, no
// registry.
//
//	mkimage -o admittance.tar -name localhost/admittance:1 -user 65532:65532 -entrypoint /admittance \
//	    -label org.opencontainers.image.licenses=Apache-2.0 target/release/admittance=/admittance LICENSE=/LICENSE
//
// Arguments are FILE=PATH, where FILE is a regular file and PATH where it stands in the image. The archive is a function of
// the arguments, of the files' contents and executable bits, and of SOURCE_DATE_EPOCH (seconds; 0 without it): owners are
// root, times are that one, and folders and files stand in the order of their paths.
//
// The archive follows the OCI image layout, version 1.0.0, with a manifest.json beside, by which older versions of Docker
// load it. Every label is an annotation of the manifest too.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// image is what the command line asks for.
type image struct {
	name       string
	user       string
	entrypoint string
	platform   platform
	labels     map[string]string
	files      map[string]string // path in the image, without a leading slash: path of the file that it holds
	time       time.Time         // of every file, and of the image
}

func main() {
	output := flag.String("o", "", "the archive to write")
	asked := image{
		platform: platform{Architecture: runtime.GOARCH, OS: "linux"},
		labels:   map[string]string{},
		files:    map[string]string{},
	}
	flag.StringVar(&asked.name, "name", "", "the image's name with its tag, such as localhost/admittance:1")
	flag.StringVar(&asked.user, "user", "", "UID:GID that the image runs as")
	flag.StringVar(&asked.entrypoint, "entrypoint", "", "path in the image of the program that it runs")
	flag.Func("label", "KEY=VALUE; may be repeated", func(text string) error { return pair(asked.labels, text, false) })
	flag.Parse()
	if err := run(*output, asked, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(1)
	}
}

func run(output string, asked image, arguments []string) error {
	if output == "" || asked.name == "" || asked.entrypoint == "" || len(arguments) == 0 {
		return fmt.Errorf("-o, -name, -entrypoint and at least one FILE=PATH are needed")
	}
	for _, argument := range arguments {
		if err := pair(asked.files, argument, true); err != nil {
			return err
		}
	}
	if _, there := asked.files[strings.TrimPrefix(asked.entrypoint, "/")]; !there {
		return fmt.Errorf("no FILE=PATH has the path of the entrypoint, %q", asked.entrypoint)
	}
	seconds, err := strconv.ParseInt(cmp.Or(os.Getenv("SOURCE_DATE_EPOCH"), "0"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	asked.time = time.Unix(seconds, 0).UTC()

	layer, err := newLayer(asked.files, asked.time)
	if err != nil {
		return err
	}
	digest, err := writeArchive(output, asked, layer)
	if err != nil {
		return err
	}
	fmt.Printf("%s %s, layer of %d bytes\n", asked.name, digest, len(layer.compressed))
	return nil
}

// pair stores text, which is KEY=VALUE, or VALUE=/KEY where files are named.
func pair(into map[string]string, text string, file bool) error {
	key, value, found := strings.Cut(text, "=")
	if file {
		key, value = strings.TrimPrefix(value, "/"), key
	}
	if !found || key == "" || value == "" {
		return fmt.Errorf("%q is not of the form A=B", text)
	}
	if _, twice := into[key]; twice {
		return fmt.Errorf("%q is given twice", key)
	}
	into[key] = value
	return nil
}
