package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// manifest is manifest.json of a cloud assembly (AWS CDK,
// cloud-assembly-schema, "AssemblyManifest"), as far as it matters here.
type manifest struct {
	Artifacts map[string]struct {
		Type         string         `json:"type"`
		Dependencies []string       `json:"dependencies"`
		Properties   map[string]any `json:"properties"`
	} `json:"artifacts"`
}

// The types of artifacts.
const (
	stackArtifact  = "aws:cloudformation:stack"
	assetsArtifact = "cdk:asset-manifest"
	nestedArtifact = "cdk:cloud-assembly"
)

// ReadAssembly reads one stack of a directory that "cdk synth" wrote (cdk.out).
// The name is that of the stack or of its artifact; it may be empty if there is
// only one.
func ReadAssembly(dir, stackName string) (Input, error) {
	stacks, err := readStacks(dir)
	if err != nil {
		return Input{}, fmt.Errorf("read assembly: %w", err)
	}
	var names []string
	var found []Input
	for _, s := range stacks {
		names = append(names, s.in.StackName)
		if stackName == "" || stackName == s.in.StackName || stackName == s.artifact {
			found = append(found, s.in)
		}
	}
	if len(found) != 1 {
		return Input{}, fmt.Errorf("read assembly %s: want one stack %q, it has: %s", dir, stackName, strings.Join(names, ", "))
	}
	return found[0], nil
}

type assemblyStack struct {
	artifact string
	in       Input
}

// readStacks reads the stacks of an assembly and of those nested in it.
func readStacks(dir string) ([]assemblyStack, error) {
	var m manifest
	if err := readJSON(filepath.Join(dir, "manifest.json"), &m); err != nil {
		return nil, err
	}
	var out []assemblyStack
	for _, id := range keys(m.Artifacts) {
		a := m.Artifacts[id]
		switch a.Type {
		case nestedArtifact:
			name, _ := a.Properties["directoryName"].(string)
			nested, err := readStacks(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			out = append(out, nested...)
		case stackArtifact:
			in, err := m.stack(dir, id)
			if err != nil {
				return nil, fmt.Errorf("stack %s: %w", id, err)
			}
			out = append(out, assemblyStack{artifact: id, in: in})
		}
	}
	return out, nil
}

// stack reads one stack with its assets.
func (m manifest) stack(dir, id string) (Input, error) {
	a := m.Artifacts[id]
	in := Input{StackName: id, Parameters: map[string]string{}}
	if name, ok := a.Properties["stackName"].(string); ok {
		in.StackName = name
	}
	given, _ := a.Properties["parameters"].(map[string]any)
	for _, name := range keys(given) {
		text, ok := given[name].(string)
		if !ok {
			return Input{}, fmt.Errorf("parameter %s is not a text", name)
		}
		in.Parameters[name] = text
	}
	file, _ := a.Properties["templateFile"].(string)
	var err error
	if in.Template, err = readFile(filepath.Join(dir, file)); err != nil {
		return Input{}, err
	}
	for _, on := range a.Dependencies {
		if other := m.Artifacts[on]; other.Type == assetsArtifact {
			file, _ := other.Properties["file"].(string)
			assets, err := readAssets(filepath.Join(dir, file))
			if err != nil {
				return Input{}, err
			}
			in.Assets = append(in.Assets, assets...)
		}
	}
	return in, nil
}

// ReadTemplate reads <stack>.template.json and, if it is there,
// <stack>.assets.json beside it.
func ReadTemplate(path string) (Input, error) {
	text, err := readFile(path)
	if err != nil {
		return Input{}, fmt.Errorf("read template: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	in := Input{StackName: strings.TrimSuffix(name, ".template"), Template: text}
	in.Assets, err = readAssets(filepath.Join(filepath.Dir(path), in.StackName+".assets.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Input{}, fmt.Errorf("read assets: %w", err)
	}
	return in, nil
}

// assetManifest is <stack>.assets.json (AWS CDK, cloud-assembly-schema,
// "AssetManifest").
type assetManifest struct {
	Files map[string]struct {
		Source struct {
			Path       string   `json:"path"`
			Executable []string `json:"executable"`
			Packaging  string   `json:"packaging"`
		} `json:"source"`
		Destinations map[string]struct {
			BucketName string `json:"bucketName"`
			ObjectKey  string `json:"objectKey"`
			Region     string `json:"region"`
		} `json:"destinations"`
	} `json:"files"`
	DockerImages map[string]any `json:"dockerImages"`
}

func readAssets(path string) (Assets, error) {
	var m assetManifest
	if err := readJSON(path, &m); err != nil {
		return nil, err
	}
	if len(m.DockerImages) > 0 {
		return nil, fmt.Errorf("%s: container image assets are not supported", path)
	}
	var out Assets
	for _, id := range keys(m.Files) {
		f := m.Files[id]
		if len(f.Source.Executable) > 0 || f.Source.Path == "" {
			return nil, fmt.Errorf("%s: asset %s: only assets with a path are supported", path, id)
		}
		source := f.Source.Path
		if !filepath.IsAbs(source) {
			source = filepath.Join(filepath.Dir(path), source)
		}
		for _, where := range keys(f.Destinations) {
			to := f.Destinations[where]
			out = append(out, Asset{Path: source, Packaging: f.Source.Packaging, Bucket: to.BucketName, Key: to.ObjectKey})
		}
	}
	return out, nil
}

// readFile reads a file of the assembly that the caller named.
func readFile(path string) ([]byte, error) {
	return os.ReadFile(filepath.Clean(path))
}

func readJSON(path string, into any) error {
	text, err := readFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
