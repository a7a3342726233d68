// Release writes what a release has for those who deploy without the CDK: the
// control plane's templates, the zips that they name, and the checksums of all.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/portable"
	"github.com/pullback-dev/pullback/infra/stack"
)

// limit is what Terraform's provider and CloudFormation read from a bucket
// (CloudFormation user guide, "CloudFormation quotas").
const limit = 1_000_000

// versionPattern is what may be part of a file's name and of a key.
var versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

func main() {
	version := flag.String("version", "", "version of the release, such as v1.2.0")
	dist := flag.String("dist", "dist/arm64", "folder of the functions, built for AWS")
	synth := flag.String("synth", "cdk.out/release", "folder for what the CDK writes")
	out := flag.String("out", "dist/release", "folder for the release")
	flag.Parse()
	r := release{version: *version, synth: *synth, dist: *dist, out: *out}
	if err := r.do(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// do does what it is told: synth writes what the CDK writes, write makes a release of it.
func (r release) do(what string) error {
	switch what {
	case "synth":
		return synthesize(r.synth, r.dist)
	case "write":
		return r.write()
	default:
		return fmt.Errorf("%q is neither synth nor write: say which at the end", what)
	}
}

// fleets are the kinds of control planes that there are, each a template.
func fleets() map[string]stack.Fleet {
	accounts := []string{portable.Account}
	return map[string]stack.Fleet{
		"pullback":     {Hub: portable.Hub, Accounts: accounts},
		"pullback-hub": {Collects: true, Accounts: accounts},
	}
}

func synthesize(out, dist string) error {
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Outdir: &out})
	for name, fleet := range fleets() {
		p := stack.Props{Dist: dist, Config: portable.Configuration, Fleet: fleet}
		if err := p.Check(); err != nil {
			return err
		}
		stack.New(app, name, awscdk.StackProps{
			Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: jsii.Bool(false)}),
		}, p)
	}
	app.Synth(nil)
	return nil
}

type release struct{ version, synth, dist, out string }

// write writes the release. What is there of another one goes.
func (r release) write() error {
	if !versionPattern.MatchString(r.version) {
		return fmt.Errorf("the version %q has to be letters, digits and . _ + -, such as v1.2.0: give it with -version", r.version)
	}
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o750)); err != nil {
		return fmt.Errorf("make the folder of the release: %w", err)
	}
	files, zips := map[string][]byte{}, map[string]string{}
	folders, err := os.ReadDir(r.dist)
	if err != nil {
		return fmt.Errorf("find the functions (make build builds them): %w", err)
	}
	for _, f := range folders {
		code, err := portable.Zip(os.DirFS(filepath.Join(r.dist, f.Name())))
		if err != nil {
			return err
		}
		zips[f.Name()] = portable.ZipName(f.Name(), code)
		files[zips[f.Name()]] = code
	}
	for name := range fleets() {
		text, err := os.ReadFile(filepath.Join(r.synth, name+".template.json")) //nolint:gosec // whoever releases says where
		if err != nil {
			return fmt.Errorf("read what the CDK wrote: %w", err)
		}
		t, err := portable.Template(text, portable.Release{Version: r.version, Zips: zips})
		if err != nil {
			return err
		}
		if len(t) > limit {
			return fmt.Errorf("the template %s has %d bytes, of which CloudFormation reads %d at most", name, len(t), limit)
		}
		files[strings.Replace(name, "pullback", "pullback-"+r.version, 1)+".template.json"] = t
	}
	return r.save(files)
}

// save writes files and their checksums, as sha256sum does and checks.
func (r release) save(files map[string][]byte) error {
	var sums []string
	for name, text := range files {
		sums = append(sums, portable.Sum(text)+"  "+name+"\n")
		if err := os.WriteFile(filepath.Join(r.out, name), text, 0o600); err != nil {
			return fmt.Errorf("write the release: %w", err)
		}
	}
	slices.SortFunc(sums, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	if err := os.WriteFile(filepath.Join(r.out, "pullback-"+r.version+".sha256"), []byte(strings.Join(sums, "")), 0o600); err != nil {
		return fmt.Errorf("write the checksums: %w", err)
	}
	return nil
}
