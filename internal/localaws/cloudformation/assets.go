package cloudformation

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// Assets are the files that go with a template.
type Assets []Asset

// Asset is one file or directory and the object that it becomes.
type Asset struct {
	Path      string // of a directory if packed as zip, else of a file
	Packaging string // "zip" or "file"
	Bucket    string // may contain ${AWS::AccountId} and the like
	Key       string
}

// upload is an object that is ready to be put.
type upload struct {
	bucket, key string
	body        []byte
}

// packed is what pack found.
type packed struct {
	uploads  []upload
	replaced map[string]string // codeKey to the object key of the other code
}

// pack asks for replacements and reads and packs all files. It needs no lock,
// so the world does not wait for the disk.
func pack(t *template.Template, in Input) (packed, error) {
	out := packed{replaced: map[string]string{}}
	unused := map[string]bool{} // keys that only replaced functions have
	for _, id := range keys(t.Resources) {
		asset, ok := codeAsset(t.Resources[id], in.Assets)
		if !ok || in.Options.Replace == nil {
			continue
		}
		dir, err := in.Options.Replace(id, t.Resources[id].Metadata, asset.Path)
		if err != nil {
			return packed{}, fmt.Errorf("replace code of %s: %w", id, err)
		}
		other, seen := unused[asset.Key]
		unused[asset.Key] = dir != asset.Path && (other || !seen)
		if dir == asset.Path {
			continue
		}
		if err := out.replace(codeKey(id, asset.Key), asset.Bucket, dir); err != nil {
			return packed{}, fmt.Errorf("pack code of %s: %w", id, err)
		}
	}
	for _, a := range in.Assets {
		if unused[a.Key] {
			continue
		}
		body, err := a.read()
		if err != nil {
			return packed{}, fmt.Errorf("pack asset %s: %w", a.Key, err)
		}
		out.uploads = append(out.uploads, upload{bucket: a.Bucket, key: a.Key, body: body})
	}
	return out, nil
}

// replace packs dir as the code of a function. The key tells the contents, as
// the CDK's keys do, so functions may share it.
func (p *packed) replace(function, bucket, dir string) error {
	body, err := Zip(dir)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	u := upload{bucket: bucket, key: hex.EncodeToString(sum[:]) + ".zip", body: body}
	p.replaced[function] = u.key
	if !slices.ContainsFunc(p.uploads, func(o upload) bool { return o.key == u.key && o.bucket == bucket }) {
		p.uploads = append(p.uploads, u)
	}
	return nil
}

// codeAsset returns the asset that is the code of a function. The CDK writes
// the object key as a plain text.
func codeAsset(r template.Resource, assets Assets) (Asset, bool) {
	code, _ := r.Properties["Code"].(map[string]any)
	key, _ := code["S3Key"].(string)
	i := slices.IndexFunc(assets, func(a Asset) bool { return a.Key == key })
	if r.Type != "AWS::Lambda::Function" || key == "" || i < 0 {
		return Asset{}, false
	}
	return assets[i], true
}

func (a Asset) read() ([]byte, error) {
	switch a.Packaging {
	case "zip":
		return Zip(a.Path)
	case "file":
		return readFile(a.Path)
	default:
		return nil, fmt.Errorf("packaging %q is not supported", a.Packaging)
	}
}

// Zip packs the files of a directory. The same files give the same bytes:
// names are sorted and times fixed, as the CDK's own packing does it
// (aws-cdk, cdk-assets, "zipDirectory"). Modes are kept, links followed. It does
// not compress: the archive goes nowhere, and on two cores a stack of four
// functions would take a second longer to deploy.
func Zip(dir string) ([]byte, error) {
	names, err := list(dir, "", 0)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		if err := add(z, dir, name); err != nil {
			return nil, fmt.Errorf("zip %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip %s: %w", dir, err)
	}
	return b.Bytes(), nil
}

// deepest is how many directories deep Zip goes: more is a circle of links.
const deepest = 64

// list returns the files below dir with slashes, sorted.
func list(dir, below string, depth int) ([]string, error) {
	if depth > deepest {
		return nil, fmt.Errorf("%s: directories are nested too deeply", dir)
	}
	entries, err := os.ReadDir(filepath.Join(dir, below)) // sorted
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		name := filepath.Join(below, e.Name())
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, filepath.ToSlash(name))
			continue
		}
		more, err := list(dir, name, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	slices.Sort(out)
	return out, nil
}

// add writes one file into the archive.
func add(z *zip.Writer, dir, name string) error {
	f, err := os.DirFS(dir).Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: name, Method: zip.Store, Modified: epoch()}
	h.SetMode(info.Mode() & fs.ModePerm)
	to, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	return err
}

// epoch is the first time that a zip archive can hold.
func epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }
